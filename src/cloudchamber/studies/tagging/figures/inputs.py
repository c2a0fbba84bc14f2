"""What figures and tables of the tagging study are made from: its tables, summed up over seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from cloudchamber.errors import InputError
from cloudchamber.figures.inputs import Model, models_of
from cloudchamber.figures.labels import count, told_apart
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need

__all__ = [
    "SAMPLE",
    "Curve",
    "chance",
    "class_titles",
    "heading",
    "read_confusion",
    "read_learning_curves",
    "read_of_bins",
    "read_reliability",
    "read_roc",
    "sample_size",
    "weighing",
]

SAMPLE = (
    "an own sample of jets, not that of arXiv 2202.00723: compare taggers with each other, not with published numbers"
)

_METRICS = ("model", "seed", "metric", "feature", "value", "uncertainty", "n_reference", "n_training", "low", "high")
_CURVES = ("model", "seed", "curve", "class", "bin", "x", "y", "uncertainty", "share")
# A class may be called 1 or 01.
_NAMES = ("model", "feature", "class")
_CONFUSION = ("model", "seed", "true", "chosen", "value")
# Of so few jets no resampling tells how uncertain their accuracy is.
_LEAST_SHARE = 0.002


@final
@dataclass(frozen=True)
class Curve:
    """Numbers of one model along an axis.

    Attributes:
        model: the model.
        x: (M,).
        values: (M, S), a column per seed, not a number where a seed has none.
        uncertainty: (M,) of one value, from the number of test jets (mean over seeds).
    """

    model: Model
    x: np.ndarray
    values: np.ndarray
    uncertainty: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        return np.nanmean(self.values, axis=1)


def heading(files: Mapping[str, Any]) -> str:
    """Return the title, how many jets were tested, and whose they are."""
    return f"{need(files, 'title')}: {count(sample_size(files))} test jets\n({SAMPLE})"


def weighing(files: Mapping[str, Any]) -> str:
    """Return in words how measures weigh the jets of a class.

    Args:
        files: "flat", whether the sample has weights that make mass and pT flat.

    Raises:
        SettingsError: the key is missing.
    """
    return "flat in mass and pT" if need(files, "flat") else "in mass and pT as they are"


def sample_size(files: Mapping[str, Any]) -> int:
    """Return the number of test jets."""
    return int(read_table(need(files, "metrics"), ("n_reference",))["n_reference"].iloc[0])


def class_titles(files: Mapping[str, Any]) -> dict[str, str]:
    """Return name -> title of the classes."""
    return told_apart({need(entry, "name"): need(entry, "title") for entry in need(files, "classes")})


def chance(files: Mapping[str, Any]) -> float:
    """Return the accuracy of guessing."""
    return 1 / len(need(files, "classes"))


def read_learning_curves(files: Mapping[str, Any]) -> list[Curve]:
    """Return the accuracy against the number of training jets.

    Raises:
        InputError: the table cannot be read or has no such rows.
        SettingsError: a key is missing.
    """
    return _curves(
        files, _rows(files, "metrics", _METRICS, "metric", "learning_curve"), "n_training", "n_training", "value"
    )


def read_of_bins(files: Mapping[str, Any], feature: str) -> tuple[np.ndarray, list[Curve]]:
    """Return the accuracy in bins of jet mass or pT against the centres of the bins, and their (M + 1,) edges.

    Raises:
        InputError: the table cannot be read or has no such rows.
        SettingsError: a key is missing.
    """
    table = _rows(files, "metrics", _METRICS, "metric", "accuracy_in_bins")
    table = table[table["feature"] == feature]
    table = table.assign(centre=(table["low"] + table["high"]) / 2)
    edges = np.unique(np.concatenate([table["low"], table["high"]]))
    return edges, _curves(files, table, "low", "centre", "value")


def read_reliability(files: Mapping[str, Any]) -> tuple[list[Curve], list[Curve]]:
    """Return the accuracy against the mean probability of bins, and the share of jets in all bins.

    Accuracies of bins with less than 0.2 % of the jets are left out.

    Raises:
        InputError: the table cannot be read or has no such rows.
        SettingsError: a key is missing.
    """
    table = _rows(files, "curves", _CURVES, "curve", "reliability")
    filled = table[table["share"] >= _LEAST_SHARE]
    return _curves(files, filled, "bin", "x", "y"), _curves(files, table, "bin", "x", "share")


def read_roc(files: Mapping[str, Any]) -> dict[str, list[Curve]]:
    """Return class -> background efficiency of each model against the signal efficiency.

    Raises:
        InputError: the table cannot be read or lacks a class.
        SettingsError: a key is missing.
    """
    table = _rows(files, "curves", _CURVES, "curve", "roc")
    return {name: _curves(files, table[table["class"] == name], "bin", "x", "y") for name in class_titles(files)}


def read_confusion(files: Mapping[str, Any]) -> list[tuple[Model, np.ndarray]]:
    """Return the share of each true class (rows) that each class was chosen for, (K, K), mean over seeds.

    Raises:
        InputError: the table cannot be read, or a model or class is missing.
        SettingsError: a key is missing.
    """
    path = need(files, "confusion")
    table = read_table(path, _CONFUSION, ("model", "true", "chosen"))
    names, found = list(class_titles(files)), []
    for model in models_of(files):
        of_model = table[table["model"] == model.name]
        means = of_model.pivot_table(index="true", columns="chosen", values="value")
        means = means.reindex(index=names, columns=names)
        if means.isna().to_numpy().any():
            raise InputError(f"{path}: no shares of all classes of '{model.label}'")
        found.append((model, means.to_numpy(float)))
    return found


def _rows(files: Mapping[str, Any], name: str, columns: Sequence[str], kind: str, value: str) -> pd.DataFrame:
    """Return the rows of the table ``name`` whose column ``kind`` is ``value``."""
    path = need(files, name)
    table = read_table(path, columns, [name for name in _NAMES if name in columns])
    table = table[table[kind] == value]
    if table.empty:
        raise InputError(f"{path}: no {kind} '{value}'")
    return table


def _curves(files: Mapping[str, Any], table: pd.DataFrame, key: str, x: str, y: str) -> list[Curve]:
    """Return a curve per model of the rows with the same ``key``, in its order."""
    found, missing = [], []
    for model in models_of(files):
        of_model = table[table["model"] == model.name]
        values = of_model.pivot_table(index=key, columns="seed", values=y)
        if values.empty:
            missing.append(f"'{model.label}'")
            continue
        groups = of_model.groupby(key)
        along, errors = (groups[name].mean().loc[values.index].to_numpy(float) for name in (x, "uncertainty"))
        found.append(Curve(model, along, values.to_numpy(float), errors))
    if missing:
        raise InputError(f"{need(files, 'metrics')}: no rows of {', '.join(missing)}")
    return found
