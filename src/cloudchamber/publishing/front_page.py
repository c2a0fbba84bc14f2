"""The page that a reader of a published folder opens first."""

from collections.abc import Iterator

import pandas as pd

from cloudchamber import __version__
from cloudchamber.publishing.results import Results
from cloudchamber.settings.publication import PublicationSettings

__all__ = ["STAND_IN", "front_page"]

STAND_IN = (
    "Truth of own simulation is a stand-in for published samples: no number on it may be compared with a printed one."
)

_CONTENT = """\
| what | where |
| --- | --- |
| what each study asks and answers | `results/summary.html`, `results/summary.csv` |
| every metric, with uncertainty, floor and sample sizes | `results/STUDY/metrics.csv` |
| the same as submissions to HEPData, one for each study | `hepdata/STUDY/` |
| figures and tables | `results/**/figures/`, `results/**/tables/`; captions below |
| cards of the trained models | `results/**/model_cards/` |
| raw and external files, with checksums, where the studies read any | `results/data.csv` |
| what made each file: settings, inputs, code, packages, machine | `provenance/`, by the path in `results/` |
| description for machines | `ro-crate-metadata.json`, `.zenodo.json` |
| checksums | `sha256sums.txt`: `sha256sum --check sha256sums.txt` |
"""


def front_page(about: PublicationSettings, results: Results, answers: pd.DataFrame) -> str:
    """Return the page in Markdown.

    Args:
        about: with a title and a description.
        results: what is published.
        answers: table of the summary.
    """
    licence = f"Licence: {about.licence}." if about.licence else "The authors have granted no licence."
    made = f"Made by cloudchamber {__version__}, scale `{results.scale}`, seed {results.seed}. {licence}"
    return "\n".join(
        [
            f"# {about.title}",
            "",
            str(about.description),
            "",
            made,
            "",
            *(f"- {creator.name}" for creator in about.creators),
            *([""] if about.creators else []),
            "## Answers",
            "",
            *(line for _, row in answers.iterrows() for line in (f"**{row['question']}** {row['answer']}", "")),
            "## Content",
            "",
            _CONTENT,
            "## Captions",
            "",
            *_captions(results),
            "",
        ]
    )


def _captions(results: Results) -> Iterator[str]:
    for file in results.files():
        if file.caption and file.path.suffix in (".png", ".csv"):
            yield f"- [{file.path}](results/{file.path}): {file.caption}"
