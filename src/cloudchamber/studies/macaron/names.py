"""What figures, tables and the answer call schemes, sub-steps and arms, and the tables they all read."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cloudchamber.errors import InputError
from cloudchamber.figures.labels import told_apart
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import entries, need

__all__ = ["MEASURE_LABELS", "SCHEME_LABELS", "SUB_STEP_LABELS", "read_differences", "read_study_metrics", "titles_of"]

SCHEME_LABELS: Mapping[str, str] = {
    "lie": "Lie (standard block)",
    "strang": "Strang (Macaron block)",
    "unsplit": "unsplit (parallel block)",
    "lie_half_ends": "Lie, half steps at both ends",
}
SUB_STEP_LABELS: Mapping[str, str] = {"exact": "exact", "midpoint": "midpoint", "euler": "Euler (residual)"}
MEASURE_LABELS: Mapping[str, str] = {
    "accuracy": "accuracy",
    "auc": "AUC, mean of the classes",
    "background_efficiency": "background efficiency at 50 % signal",
}
_DIFFERENCE_COLUMNS = (
    "arm",
    "reference",
    "measure",
    "learning_rate",
    "seeds",
    "mean",
    "spread",
    "mean_uncertainty",
    "difference",
    "uncertainty",
    "of_jets",
    "of_seeds",
    "critical",
    "clear",
    "detectable",
    "n_reference",
)
_METRIC_COLUMNS = (
    "dataset",
    "model",
    "sampler",
    "nfe",
    "seed",
    "metric",
    "feature",
    "value",
    "uncertainty",
    "selected",
)


def titles_of(files: Mapping[str, Any], key: str) -> dict[str, str]:
    """Return the titles of the models or the systems by their names.

    Raises:
        SettingsError: the key is missing.
    """
    return told_apart({item["name"]: item["title"] for item in entries(files, key, ("name", "title"))})


def read_differences(files: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of the compared arms, in the order of the settings.

    Raises:
        InputError: the table cannot be used, or is of other arms.
        SettingsError: a key is missing.
    """
    path = need(files, "differences")
    table = read_table(path, _DIFFERENCE_COLUMNS)
    order = {name: number for number, name in enumerate(titles_of(files, "models"))}
    unknown = sorted(set(table["arm"]) - set(order))
    if unknown:
        raise InputError(f"{path}: arm '{unknown[0]}' is not among {sorted(order)}")
    return table.sort_values("arm", key=lambda names: names.map(order), kind="stable")


def read_study_metrics(files: Mapping[str, Any]) -> pd.DataFrame:
    """Return the metrics of the study.

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    return read_table(need(files, "metrics"), _METRIC_COLUMNS)
