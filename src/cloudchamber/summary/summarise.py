"""The step ``summarise``: what each study asks and answers, as a page and as a table."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cloudchamber.metrics.tables import write_table
from cloudchamber.settings.entries import entries, need
from cloudchamber.storage import write_text
from cloudchamber.summary.answer import Answer
from cloudchamber.summary.page import Section, as_page
from cloudchamber.summary.picture import embedded

__all__ = ["CAPTIONS", "summarise"]

CAPTIONS = {
    "summarise": (
        "What each study asks and what came out, with the uncertainty of each number, the floor that it is to be read "
        "against, and one figure. All other figures and the tables are in the category of the study. The same numbers "
        "with all digits lie in summary.csv beside the results."
    ),
}

_NUMBERS = ("value", "uncertainty", "floor", "floor_uncertainty", "ceiling")


def summarise(
    studies: Mapping[str, Callable[[Mapping[str, Any]], Sequence[Answer]]],
    files: Mapping[str, Any],
    html: Path,
    csv: Path,
) -> None:
    """Write the summary of an analysis.

    Args:
        studies: name -> what answers its question from its files.
        files: "scale", "seed" and "studies", a list with the "name", "title" and "question" of each study, the "files"
            of its answer, its "picture" (a PNG) and the "folder" of its figures.
        html: page that needs no other file; its links lead to the figures beside it, in the report to their category.
        csv: a row per study and data set.

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing.
        StorageError: an output cannot be written.
    """
    sections = []
    for entry in entries(files, "studies", ("name", "title", "question", "files", "picture", "folder")):
        answers = need(studies, entry["name"])(entry["files"])
        sections.append(
            Section(
                entry["name"],
                entry["title"],
                entry["question"],
                tuple(answers),
                embedded(entry["picture"]),
                entry["picture"],
                entry["folder"],
            )
        )
    scale, seed = need(files, "scale"), need(files, "seed")
    write_text(html, as_page(sections, scale, seed, html.parent))
    write_table(csv, pd.DataFrame(row for section in sections for row in _rows(section)))


def _rows(section: Section) -> Iterator[dict[str, Any]]:
    for answer in section.answers:
        names = {"study": section.name, "dataset": answer.dataset, "question": section.question}
        numbers = {name: getattr(answer, name) for name in _NUMBERS}
        # An empty field is a number that is not there.
        yield {
            **names,
            "answer": answer.text,
            "best_model": answer.best_model,
            "metric": answer.metric,
            **{name: None if math.isnan(number) else number for name, number in numbers.items()},
            "facts": "; ".join(f"{name}: {fact}" for name, fact in answer.facts.items()),
        }
