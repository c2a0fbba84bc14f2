"""Rows of the table of metrics."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber import seeds
from cloudchamber.metrics.frechet import frechet_physics_distance
from cloudchamber.metrics.kernel_distance import kernel_physics_distance
from cloudchamber.metrics.memorisation import repetition
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.tables import METRIC_COLUMNS
from cloudchamber.studies.showers.measures import Measure, distances, layer_sums, profile_errors, summaries
from cloudchamber.studies.showers.settings import EvaluationSettings
from cloudchamber.studies.showers.shower_samples import ShowerSample, chosen_showers, energy_bins

__all__ = ["COLUMNS", "JUDGEMENT_COLUMNS", "compared", "metric_rows", "rows_of_all", "rows_of_judgements", "summed"]

COLUMNS = (*METRIC_COLUMNS, "low", "high")
JUDGEMENT_COLUMNS = (
    *("dataset", "model", "sampler", "seed", "metric", "feature", "value", "uncertainty"),
    *("floor", "floor_uncertainty", "n_reference", "n_generated"),
)
_ALL = "all"

# Lowest and highest energy, or None for all; metric; feature.
_Key = tuple[tuple[float, float] | None, str, str]


def compared(
    truth: ShowerSample,
    sample: ShowerSample,
    species: str,
    edges: tuple[float, ...],
    settings: EvaluationSettings,
    seed: int,
) -> dict[_Key, Estimate]:
    """Return the distances of one sample from truth, of all energies and in bins."""
    found: dict[_Key, Estimate] = {}
    of_truth = dict(energy_bins(truth, edges))
    for limits, some in energy_bins(sample, edges):
        if limits not in of_truth:
            continue
        reference = of_truth[limits].observables
        rng = seeds.generator(seed, "showers", "bootstrap", species, str(limits))
        measured = list(distances(reference, some.observables, settings.bins, settings.bootstraps, rng))
        measured += profile_errors(reference, some.observables, settings.bootstraps, rng)
        measured.append(layer_sums(reference, some.observables, settings.bootstraps, rng))
        found |= {(limits, item.metric, item.feature): item.estimate for item in measured}
    return found


def summed(
    sample: ShowerSample, edges: tuple[float, ...], settings: EvaluationSettings, seed: int
) -> dict[_Key, Estimate]:
    """Return response, resolution and hits of one sample, of all energies and in bins."""
    found: dict[_Key, Estimate] = {}
    for limits, some in energy_bins(sample, edges):
        rng = seeds.generator(seed, "showers", "summaries", sample.name, str(limits))
        measured: list[Measure] = list(summaries(some.observables, settings.bootstraps, rng))
        found |= {(limits, item.metric, item.feature): item.estimate for item in measured}
    return found


def metric_rows(
    sample: ShowerSample, dataset: str, found: Mapping[_Key, Estimate], floors: Mapping[_Key, Estimate], reference: int
) -> list[dict[str, Any]]:
    """Return a row for each number that was found of a sample.

    Args:
        sample: of a model, or of truth.
        dataset: its species.
        found: by bin of the energy, metric and feature.
        floors: of some of these.
        reference: true showers that it was compared with.
    """
    rows = []
    for (limits, metric, feature), estimate in found.items():
        floor = floors.get((limits, metric, feature))
        rows.append(
            _row(sample, dataset, metric, feature, estimate, floor, reference, len(sample.energy))
            | ({} if limits is None else {"low": limits[0], "high": limits[1]})
        )
    return rows


def _row(
    sample: ShowerSample,
    dataset: str,
    metric: str,
    feature: str,
    estimate: Estimate,
    floor: Estimate | None,
    reference: int,
    generated: int,
) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS, "") | {
        "study": "showers",
        "dataset": dataset,
        "model": sample.name,
        "sampler": sample.sampler,
        "nfe": sample.meta.get("evaluations_counted", ""),
        "seed": sample.seed,
        "metric": metric,
        "feature": feature,
        "value": estimate.value,
        "uncertainty": estimate.uncertainty,
        "floor": "" if floor is None else floor.value,
        "floor_uncertainty": "" if floor is None else floor.uncertainty,
        "n_reference": reference,
        "n_generated": generated,
    }


def rows_of_all(
    truth: ShowerSample,
    floor: ShowerSample,
    train: ShowerSample,
    sample: ShowerSample,
    settings: EvaluationSettings,
    seed: int,
) -> list[dict[str, Any]]:
    """Return what is of all species together: copies of training showers, Frechet and kernel distance."""
    # Of a sample of some species, true showers of these are what it can be like.
    truth, floor, train = (_of_its_species(side, sample) for side in (truth, floor, train))
    high = [side.observables.high_level.astype(np.float64) for side in (truth, floor, train, sample)]
    centre, scale = high[0].mean(axis=0), high[0].std(axis=0)
    of_truth, of_floor, of_train, generated = ((side - centre) / np.where(scale > 0, scale, 1.0) for side in high)
    half = len(of_truth) // 2
    numbers = len(truth.energy), len(sample.energy)
    found = repetition(
        np.unique(of_train, axis=0), np.unique(of_truth[:half], axis=0), generated, of_truth[half:], "showers"
    )
    rows = [_row(sample, _ALL, name, "", value, least, *numbers) for name, (value, least) in found.items()]
    if min(len(of_truth), len(of_floor), len(generated)) >= settings.physics_distance_showers:
        for name, function in (("fpd", frechet_physics_distance), ("kpd", kernel_physics_distance)):
            both = [function(of_truth, side, seeds.generator(seed, "showers", name)) for side in (generated, of_floor)]
            rows.append(_row(sample, _ALL, name, "", both[0], both[1], *numbers))
    if "seconds_per_shower" in sample.meta:
        seconds = Estimate(float(sample.meta["seconds_per_shower"]), float("nan"))
        rows.append(_row(sample, _ALL, "seconds_per_shower", "", seconds, None, *numbers))
    return rows


def _of_its_species(side: ShowerSample, sample: ShowerSample) -> ShowerSample:
    same = np.isin(side.pdg, np.unique(sample.pdg))
    return side if same.all() else chosen_showers(side, np.flatnonzero(same))


def rows_of_judgements(judgements: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what classifiers said, as rows of metrics."""
    filled = judgements.astype(object).where(judgements.notna(), "")
    return [
        dict.fromkeys(COLUMNS, "") | {"study": "showers"} | {name: row[name] for name in JUDGEMENT_COLUMNS}
        for row in filled.to_dict("records")
    ]
