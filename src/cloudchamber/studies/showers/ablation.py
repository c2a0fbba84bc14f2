"""Arms of an ablation: what each measure changes by without one claim of the paper, training by training."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd
from scipy import stats

from cloudchamber.errors import InputError
from cloudchamber.settings.entries import entries
from cloudchamber.storage import read_json
from cloudchamber.studies.showers.observables import FEATURES

__all__ = ["MEASURES", "Arm", "Difference", "arms_of", "difference"]

# Metric, feature, words. Distances are over their floors, mean over species, but for those of floor zero.
MEASURES: Sequence[tuple[str, str, str]] = (
    ("auc_features", "", "AUC, high-level features"),
    ("auc_points", "", "AUC, cells"),
    *(("w1", name, FEATURES[name].words) for name in ("response", "hits", "hit_energy", "centre_layer", "width")),
    ("profile_error", "longitudinal", "longitudinal profile"),
    ("profile_error", "radial", "radial profile"),
    ("layer_sums", "", "energies of layers"),
)
_LEVEL = 0.975


@final
@dataclass(frozen=True)
class Arm:
    """A model and the one that it is compared with.

    Attributes:
        name, reference: of the models.
        title, reference_title: what they are called.
        sampler, reference_sampler: the first of each.
        parameters, reference_parameters: weights of all networks of one seed.
    """

    name: str
    reference: str
    title: str
    reference_title: str
    sampler: str
    reference_sampler: str
    parameters: int
    reference_parameters: int


@final
@dataclass(frozen=True)
class Difference:
    """An arm less its reference in one measure, mean over seeds that both have.

    Attributes:
        reference: mean of the reference.
        value: mean of the differences of trainings of the same seed.
        uncertainty: standard error of that mean; with one seed that of the samples of showers alone.
        reach: half of the interval at 95 % by Student's t; not a number with one seed.
        seeds: how many.
    """

    reference: float
    value: float
    uncertainty: float
    reach: float
    seeds: int

    @property
    def is_clear(self) -> bool:
        """Whether it is beyond chance at 5 %; never with a single seed."""
        return abs(self.value) > self.reach


def arms_of(files: Mapping[str, Any]) -> list[Arm]:
    """Return the arms that files name.

    Args:
        files: "arms", a list of the fields of :class:`Arm`, with "descriptions" of the networks in place of numbers of
            parameters: "descriptions" and "reference_descriptions".

    Raises:
        InputError: a description cannot be used.
        SettingsError: the list is missing or empty.
    """
    keys = ("name", "reference", "title", "reference_title", "sampler", "reference_sampler")
    found = []
    for item in entries(files, "arms", (*keys, "descriptions", "reference_descriptions")):
        sizes = [_parameters(item[key]) for key in ("descriptions", "reference_descriptions")]
        found.append(Arm(**{key: item[key] for key in keys}, parameters=sizes[0], reference_parameters=sizes[1]))
    return found


def _parameters(paths: Sequence[str]) -> int:
    total = 0
    for path in paths:
        described = read_json(Path(path))
        if not isinstance(described, dict) or not isinstance(described.get("parameters"), int):
            raise InputError(f"{path}: key 'parameters' is no number")
        total += described["parameters"]
    return total


def difference(table: pd.DataFrame, arm: Arm, metric: str, feature: str, species: Sequence[str]) -> Difference | None:
    """Return what an arm changes in a measure; None where it was not measured of both with the same seeds.

    Args:
        table: of metrics.
        arm: with its reference.
        metric, feature: the measure; areas under the curve as they are, distances over their floors.
        species: that a distance is averaged over.
    """
    first = _of_seeds(table, arm.name, arm.sampler, metric, feature, species)
    second = _of_seeds(table, arm.reference, arm.reference_sampler, metric, feature, species)
    shared = sorted(set(first) & set(second))
    if not shared:
        return None
    changes = np.array([first[seed][0] - second[seed][0] for seed in shared])
    reference = float(np.mean([second[seed][0] for seed in shared]))
    if len(shared) == 1:
        error = math.hypot(first[shared[0]][1], second[shared[0]][1])
        return Difference(reference, float(changes[0]), error, math.nan, 1)
    error = float(changes.std(ddof=1) / math.sqrt(len(shared)))
    critical = float(stats.t.ppf(_LEVEL, len(shared) - 1))
    return Difference(reference, float(changes.mean()), error, critical * error, len(shared))


def _of_seeds(
    table: pd.DataFrame, model: str, sampler: str, metric: str, feature: str, species: Sequence[str]
) -> dict[int, tuple[float, float]]:
    """Return seed -> value and uncertainty of a model that has the measure of all species."""
    absolute = metric.startswith("auc")
    datasets = ["all"] if absolute else _with_floor(table, metric, feature, species)
    rows = table[
        (table["model"] == model)
        & (table["sampler"] == sampler)
        & (table["metric"] == metric)
        & (table["feature"] == feature)
        & table["low"].isna()
        & table["dataset"].isin(datasets)
        & table["value"].notna()
    ]
    found = {}
    for seed, part in rows.groupby("seed"):
        if set(part["dataset"]) != set(datasets):
            continue
        scale = 1.0 if absolute else part["floor"].to_numpy(float)
        values, errors = (part[name].to_numpy(float) / scale for name in ("value", "uncertainty"))
        found[int(seed)] = float(values.mean()), float(np.sqrt((errors**2).sum()) / len(errors))
    return found


def _with_floor(table: pd.DataFrame, metric: str, feature: str, species: Sequence[str]) -> list[str]:
    """Return the species of which true showers are not at zero distance from others, with which nothing has a ratio."""
    of_measure = table[(table["metric"] == metric) & (table["feature"] == feature) & table["low"].isna()]
    none = set(of_measure.loc[pd.to_numeric(of_measure["floor"]) == 0, "dataset"])
    return [name for name in species if name not in none]
