"""Scans of solvers, read for figures and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import pandas as pd

from cloudchamber.figures.inputs import Model, models_of
from cloudchamber.figures.labels import counts
from cloudchamber.metrics.tables import DISTANCE_COLUMNS, read_table
from cloudchamber.settings.entries import need

__all__ = ["SolverScan", "read_scans", "sizes_of_scans"]

_COLUMNS = ("solver", "stochastic", "evaluations", *DISTANCE_COLUMNS, "seconds_per_jet")


@final
@dataclass(frozen=True)
class SolverScan:
    """One scanned model: a row per solver, number of evaluations, metric and feature."""

    model: Model
    table: pd.DataFrame


def read_scans(files: Mapping[str, Any]) -> list[SolverScan]:
    """Read the scans of all scanned models.

    Args:
        files: has a list "scans" of mappings with "name", "title" and "path" (CSV).

    Raises:
        InputError: a table cannot be read or lacks a column.
        SettingsError: a key is missing.
    """
    return [
        SolverScan(model, read_table(need(model.entries[0], "path"), _COLUMNS)) for model in models_of(files, "scans")
    ]


def sizes_of_scans(data: Sequence[SolverScan]) -> str:
    """Return how many jets scans rest on, in words."""
    true, generated = (
        counts([int(n) for scan in data for n in scan.table[name]]) for name in ("n_reference", "n_generated")
    )
    return f"{true} true jets, {generated} generated jets per point"
