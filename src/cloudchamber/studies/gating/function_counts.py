"""The table of counted functions: what its families are called, and its rows, read for figures and tables."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cloudchamber.errors import InputError
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need

__all__ = ["LABELS", "read_counts"]

LABELS: Mapping[str, str] = {
    "linear_threshold": "linear threshold gate",
    "gated_zero_one": "gate gated by a gate, outputs 0/1",
    "gated_signs": "gate gated by a gate, outputs ±1",
    "quadratic_threshold": "degree-2 threshold gate",
    "all": "all functions",
}

_COLUMNS = ("family", "inputs", "functions", "capacity", "bound", "bound_name", "parameters", "origin")


def read_counts(files: Mapping[str, Any]) -> pd.DataFrame:
    """Read the capacities that :func:`~cloudchamber.studies.gating.count.count_functions` wrote.

    Args:
        files: "counts", path of a CSV.

    Raises:
        InputError: the table cannot be read, lacks a column, or has a family that is not known.
        SettingsError: the key is missing.
    """
    path = need(files, "counts")
    table = read_table(path, _COLUMNS)
    unknown = sorted(set(table["family"]) - set(LABELS))
    if unknown:
        raise InputError(f"{path}: no families {unknown} among {list(LABELS)}")
    if not (table["family"] == "linear_threshold").any():
        raise InputError(f"{path}: no linear threshold gates, which the others are compared with")
    return table
