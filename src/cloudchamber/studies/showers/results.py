"""The tables of the study, read for figures, tables and the answer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import pandas as pd

from cloudchamber.errors import InputError
from cloudchamber.figures.inputs import NO_SAMPLER, Model, models_of
from cloudchamber.figures.looks import Look
from cloudchamber.metrics.tables import METRIC_COLUMNS, read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.showers.species import SPECIES

__all__ = [
    "TRUTH",
    "Value",
    "curves_of",
    "read_curves",
    "read_metrics",
    "shown_models",
    "shown_species",
    "species_in",
    "value_of",
]

TRUTH = "truth"
_SECOND_BASELINE = Look("#a65628", (0, (4.0, 1.2, 1.0, 1.2)), "s")
_CURVES = ("dataset", "model", "sampler", "seed", "low", "high", "value", "uncertainty", "n")


@final
@dataclass(frozen=True)
class Value:
    """One metric of one model, all seeds together.

    Attributes:
        value: mean over seeds.
        uncertainty: from the sizes of the samples and, where there are several seeds, from these; not a number where
            there is none.
        floor, floor_uncertainty: of true showers in place of generated ones; not a number where there is none.
        seeds: how many trainings.
        n: true showers.
    """

    value: float
    uncertainty: float
    floor: float
    floor_uncertainty: float
    seeds: int
    n: int


def read_metrics(files: Mapping[str, Any]) -> pd.DataFrame:
    """Return the table of metrics; empty texts are "".

    Args:
        files: "metrics".

    Raises:
        InputError: it cannot be read or lacks a column.
        SettingsError: the key is missing.
    """
    table = read_table(need(files, "metrics"), (*METRIC_COLUMNS, "low", "high"))
    return table.fillna({"feature": "", "sampler": ""})


def shown_models(files: Mapping[str, Any], table: pd.DataFrame, first_only: bool = True) -> list[Model]:
    """Return the models with rows in a table, each with its first sampler or with all.

    Raises:
        InputError: there is none.
        SettingsError: the list is missing.
    """
    found: dict[Any, Model] = {}
    listed = models_of(files)
    untrained = [model.name for model in listed if model.sampler == NO_SAMPLER]
    for model in (_with_own_look(model, untrained) for model in listed):
        key = model.name if first_only else (model.name, model.sampler)
        there = (table["model"] == model.name) & (table["sampler"].fillna("") == model.sampler)
        if key not in found and there.any():
            found[key] = model
    if not found:
        raise InputError("the table has no rows of the models that are named")
    return list(found.values())


def _with_own_look(model: Model, untrained: list[str]) -> Model:
    """Return the model with a look that tells it from other models that are not trained."""
    second = model.sampler == NO_SAMPLER and model.name != untrained[0]
    return replace(model, look=_SECOND_BASELINE) if second else model


def species_in(table: pd.DataFrame) -> list[str]:
    """Return the species of a table, in the fixed order.

    Raises:
        InputError: there is none.
    """
    found = [name for name in SPECIES if (table["dataset"] == name).any()]
    if not found:
        raise InputError(f"the table has no rows of a species, but of {sorted(set(table['dataset']))}")
    return found


def shown_species(table: pd.DataFrame, most: int) -> tuple[list[str], str]:
    """Return the first species of a table, no more than a figure has room for, and words for the heading.

    Raises:
        InputError: there is none.
    """
    found = species_in(table)
    return found[:most], f"; the first {most} of {len(found)} species" if len(found) > most else ""


def value_of(
    table: pd.DataFrame,
    dataset: str,
    model: str,
    sampler: str,
    metric: str,
    feature: str = "",
    limits: tuple[float, float] | None = None,
) -> Value | None:
    """Return a metric of all energies, or of one bin; None where the model has none."""
    rows = table[
        (table["dataset"] == dataset)
        & (table["model"] == model)
        & (table["sampler"] == sampler)
        & (table["metric"] == metric)
        & (table["feature"] == feature)
    ]
    rows = rows[rows["low"].isna()] if limits is None else rows[np.isclose(rows["low"].astype(float), limits[0])]
    rows = rows[rows["value"].notna()]
    if rows.empty:
        return None
    values = rows["value"].to_numpy(float)
    spread = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    known = [error for error in (float(rows["uncertainty"].astype(float).mean()), spread) if not math.isnan(error)]
    return Value(
        float(values.mean()),
        math.hypot(*known) if known else math.nan,
        float(rows["floor"].astype(float).mean()),
        float(rows["floor_uncertainty"].astype(float).mean()),
        len(values),
        int(rows["n_reference"].iloc[0]),
    )


def read_curves(path: str, columns: Sequence[str]) -> pd.DataFrame:
    """Return a table of profiles or spectra.

    Raises:
        InputError: it cannot be read or lacks a column.
    """
    return read_table(path, (*_CURVES, *columns)).fillna({"sampler": ""})


def curves_of(table: pd.DataFrame, dataset: str, model: str, sampler: str, **chosen: str) -> pd.DataFrame:
    """Return the rows of one curve of the first seed, in the order of the bins.

    Raises:
        InputError: there are none.
    """
    rows = table[(table["dataset"] == dataset) & (table["model"] == model) & (table["sampler"] == sampler)]
    for name, value in chosen.items():
        rows = rows[rows[name] == value]
    if rows.empty:
        raise InputError(f"no {', '.join(chosen.values())} of '{model}' for {dataset}")
    return rows[rows["seed"] == rows["seed"].min()].sort_values("low", kind="stable")
