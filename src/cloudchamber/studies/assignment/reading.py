"""The tables of the study as figures, tables and the answer read them: methods, and values over their seeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import pandas as pd

from cloudchamber.figures.labels import told_apart
from cloudchamber.figures.looks import Look, looks
from cloudchamber.figures.seed_value import SeedValue, over_seeds
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import entries, need
from cloudchamber.studies.assignment.measures import COLUMNS
from cloudchamber.studies.assignment.methods import CHI_SQUARES, STRONGEST

__all__ = ["SAMPLE", "Method", "methods_of", "origin_of", "read_metrics", "samples_of", "value_of"]

# What own events are, wherever a published number could be taken for theirs, unless they are of files of the user.
SAMPLE = "own simulation, not the sample of arXiv 2010.09206"


@final
@dataclass(frozen=True)
class Method:
    """A network or a chi-square.

    Attributes:
        name: in the settings, or of the chi-square.
        trained_on: sample, "" for a chi-square.
        label: what it is called; says on what it was trained where there are networks of several samples.
        look: how it is drawn.
    """

    name: str
    trained_on: str
    label: str
    look: Look


def origin_of(files: Mapping[str, Any]) -> str:
    """Return what own events are: the "origin" of the files, by default the simulation of the package."""
    return str(files.get("origin", SAMPLE))


def read_metrics(files: Mapping[str, Any]) -> pd.DataFrame:
    """Return the table of metrics.

    Raises:
        InputError: it cannot be read or lacks a column.
        SettingsError: the key is missing.
    """
    table = read_table(need(files, "metrics"), COLUMNS)
    return table.fillna({"trained_on": "", "feature": ""})


def samples_of(files: Mapping[str, Any]) -> dict[str, str]:
    """Return the titles of the samples by their names."""
    return told_apart({entry["name"]: entry["title"] for entry in entries(files, "samples", ("name", "title"))})


def methods_of(files: Mapping[str, Any], table: pd.DataFrame, every: bool = False) -> list[Method]:
    """Return the methods of a table in the order of the settings, networks first.

    Args:
        files: "models" and "samples" with "name" and "title".
        table: with the columns "model" and "trained_on".
        every: chi-squares without b-tags as well.
    """
    titles = told_apart({entry["name"]: entry["title"] for entry in entries(files, "models", ("name", "title"))})
    samples = samples_of(files)
    kinds = set(zip(table["model"], table["trained_on"], strict=True))
    several = len({sample for name, sample in kinds if name in titles}) > 1
    chi_squares = list(CHI_SQUARES) if every else list(STRONGEST)
    # The chi-squares first, so that they look the same however many networks there are.
    look = looks([*CHI_SQUARES, *(f"{name}/{sample}" for sample in samples for name in titles)], [])
    found = [
        Method(
            name,
            sample,
            f"{title}, trained on {samples[sample]}" if several else title,
            look[f"{name}/{sample}"],
        )
        for sample in samples
        for name, title in titles.items()
        if (name, sample) in kinds
    ]
    return found + [
        Method(name, "", CHI_SQUARES[name].title, look[name]) for name in chi_squares if (name, "") in kinds
    ]


def value_of(rows: pd.DataFrame, method: Method, **where: Any) -> SeedValue | None:
    """Return the value of a method in the rows in which all columns ``where`` have the given values; None for none."""
    chosen = rows[(rows["model"] == method.name) & (rows["trained_on"] == method.trained_on)]
    for column, value in where.items():
        chosen = chosen[chosen[column] == value]
    return over_seeds(chosen)
