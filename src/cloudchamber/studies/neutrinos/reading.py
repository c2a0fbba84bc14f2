"""The tables of the study as figures, tables and the answer read them: classifiers, and values over their seeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, final

import pandas as pd

from cloudchamber.figures.labels import told_apart
from cloudchamber.figures.looks import Look, looks
from cloudchamber.figures.seed_value import SeedValue, over_seeds
from cloudchamber.metrics.tables import METRIC_COLUMNS, read_table
from cloudchamber.settings.entries import entries, need
from cloudchamber.studies.neutrinos.names import CEILING, HISTOGRAM

__all__ = ["Classifier", "ceiling_of", "classifiers_of", "heading", "read_metrics", "value_of"]


@final
@dataclass(frozen=True)
class Classifier:
    """A network, the histogram or the ceiling: its name, what it is called, how it is drawn."""

    name: str
    label: str
    look: Look


def heading(files: Mapping[str, Any]) -> str:
    """Return what is shown, and that it is a stand-in."""
    return f"{need(files, 'title')} ({need(files, 'source')})"


def read_metrics(files: Mapping[str, Any]) -> pd.DataFrame:
    """Return the table of metrics, of which features may be empty.

    Raises:
        InputError: it cannot be read or lacks a column.
        SettingsError: the key is missing.
    """
    return read_table(need(files, "metrics"), (*METRIC_COLUMNS, "ceiling", "low", "high")).fillna({"feature": ""})


def classifiers_of(files: Mapping[str, Any], table: pd.DataFrame, ceiling: bool = True) -> list[Classifier]:
    """Return the classifiers of a table in the order of the settings, the ceiling last.

    Args:
        files: "models" with "name" and "title".
        table: with the column "model".
        ceiling: whether the ceiling is one of them.
    """
    titles = told_apart({entry["name"]: entry["title"] for entry in entries(files, "models", ("name", "title"))})
    look = looks(list(titles), [HISTOGRAM])
    there = set(table["model"])
    return [
        Classifier(name, title, look[name])
        for name, title in titles.items()
        if name in there and (ceiling or name != CEILING)
    ]


def value_of(table: pd.DataFrame, name: str, metric: str, **where: Any) -> SeedValue | None:
    """Return a metric of a classifier in the rows whose columns have the given values; None for none.

    Bins of the energy and single energies of the beam are left out where nothing is said of them.
    """
    rows = table[(table["model"] == name) & (table["metric"] == metric)]
    for column, value in {"dataset": "all", "feature": "", "low": nan, **where}.items():
        rows = rows[rows[column].isna()] if isinstance(value, float) and isnan(value) else rows[rows[column] == value]
    return over_seeds(rows)


def ceiling_of(table: pd.DataFrame, metric: str, **where: Any) -> SeedValue | None:
    """Return a metric of the ceiling."""
    return value_of(table, CEILING, metric, **where)
