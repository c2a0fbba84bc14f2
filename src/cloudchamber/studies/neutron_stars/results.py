"""The table of metrics, read for figures, tables and the answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from cloudchamber.errors import InputError
from cloudchamber.figures.labels import told_apart
from cloudchamber.figures.looks import Look, looks
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import entries, need
from cloudchamber.studies.neutron_stars.quantities import QUANTITIES
from cloudchamber.studies.neutron_stars.settings import Condition

__all__ = ["REFERENCES", "Method", "Result", "Results", "conditions_of", "methods_of", "read_results", "reference_of"]

# What is not trained, and what it is called.
REFERENCES: Mapping[str, str] = {
    "constant": "constant (prior)",
    "ridge": "ridge regression",
    "exact": "exact posterior (Bayes limit)",
}
_COLUMNS = (
    *("dataset", "model", "seed", "metric", "feature", "value", "uncertainty", "floor", "floor_uncertainty"),
    *("ceiling", "ceiling_uncertainty", "n_reference"),
)


@final
@dataclass(frozen=True)
class Method:
    """A method of the study: its name in the settings, what it is called, and how it is drawn."""

    name: str
    label: str
    look: Look

    @property
    def is_learned(self) -> bool:
        """Whether it was trained."""
        return self.name not in REFERENCES


def methods_of(files: Mapping[str, Any]) -> list[Method]:
    """Return the methods: the constant, ridge regression, those that were trained, the exact posterior.

    Args:
        files: "models", a list with "name" and "title" of those that were trained.

    Raises:
        SettingsError: the list is missing.
    """
    trained = told_apart({item["name"]: item["title"] for item in entries(files, "models", ("name", "title"))})
    titles = {**{name: REFERENCES[name] for name in ("constant", "ridge")}, **trained, "exact": REFERENCES["exact"]}
    look = looks(["ridge", *trained], []) | looks(["constant"], ["constant"]) | {"exact": Look("black", "solid", "_")}
    return [Method(name, title, look[name]) for name, title in titles.items()]


def conditions_of(files: Mapping[str, Any]) -> tuple[list[Condition], Condition]:
    """Return all conditions and the one of reference.

    Args:
        files: "conditions", a list, and "reference", each with "stars" and "noise".

    Raises:
        SettingsError: a key is missing.
    """
    return [Condition.model_validate(item) for item in entries(files, "conditions")], reference_of(files)


def reference_of(files: Mapping[str, Any]) -> Condition:
    """Return the condition that figures show.

    Raises:
        SettingsError: the key "reference" is missing.
    """
    return Condition.model_validate(need(files, "reference"))


@final
@dataclass(frozen=True)
class Result:
    """One metric of one method, condition and quantity, all seeds together.

    Attributes:
        method: the method.
        value: mean over seeds.
        uncertainty: over resamplings of the sets and, where there are several seeds, over these.
        floor, floor_uncertainty: of the constant.
        ceiling, ceiling_uncertainty: of the exact posterior.
        seeds: trainings.
        sets: of stars.
    """

    method: Method
    value: float
    uncertainty: float
    floor: float
    floor_uncertainty: float
    ceiling: float
    ceiling_uncertainty: float
    seeds: int
    sets: int


@final
class Results:
    """The table of metrics.

    Args:
        methods: in the order in which they are shown.
        table: rows of the study.
        path: of the table, for errors.
    """

    def __init__(self, methods: list[Method], table: pd.DataFrame, path: str) -> None:
        self.methods, self.table, self._path = methods, table, path

    def of(self, metric: str, quantity: str, condition: Condition) -> list[Result]:
        """Return the results of the methods that have the metric, in their order.

        Raises:
            InputError: no method has it.
        """
        table = self.table
        chosen = table[
            (table["metric"] == metric)
            & (table["feature"].fillna("") == quantity)
            & (table["dataset"] == condition.key)
        ]
        found = [
            _result(method, rows) for method in self.methods if len(rows := chosen[chosen["model"] == method.name])
        ]
        if not found:
            raise InputError(f"{self._path}: no metric '{metric}' of '{quantity}' for {condition.key}")
        return found


def _result(method: Method, rows: pd.DataFrame) -> Result:
    values = rows["value"].to_numpy(float)
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    limits = {
        name: float(np.mean(rows[name].to_numpy(float)))
        for name in ("floor", "floor_uncertainty", "ceiling", "ceiling_uncertainty")
    }
    uncertainty = math.hypot(float(rows["uncertainty"].mean()), spread)
    return Result(
        method,
        float(values.mean()),
        uncertainty,
        **limits,
        seeds=len(values),
        sets=int(rows["n_reference"].iloc[0]),
    )


def read_results(files: Mapping[str, Any]) -> Results:
    """Read the table of metrics.

    Args:
        files: "metrics", path of the CSV, and "models" as of :func:`methods_of`.

    Raises:
        InputError: the table cannot be read, or lacks a column or a method.
        SettingsError: a key is missing.
    """
    path = need(files, "metrics")
    methods, table = methods_of(files), read_table(path, _COLUMNS)
    missing = [method.name for method in methods if not (table["model"] == method.name).any()]
    if missing:
        raise InputError(f"{path}: no metrics of '{missing[0]}'")
    unknown = sorted(set(table["feature"].dropna()) - set(QUANTITIES))
    if unknown:
        raise InputError(f"{path}: no quantity '{unknown[0]}' among {list(QUANTITIES)}")
    return Results(methods, table, path)
