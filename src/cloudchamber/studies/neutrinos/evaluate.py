"""The step that judges: every classifier on the test events, with the ceiling and the floor beside each number."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber import seeds
from cloudchamber.classification.measures import (
    accuracy,
    calibrated_error,
    calibration_error,
    mean_separation,
    one_vs_rest,
    reliability,
    separation,
    share,
)
from cloudchamber.errors import InputError
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.tables import METRIC_COLUMNS, write_table
from cloudchamber.progress import progress
from cloudchamber.settings.entries import need
from cloudchamber.studies.neutrinos.curves import confusions, curves_of
from cloudchamber.studies.neutrinos.differences import differences_from
from cloudchamber.studies.neutrinos.event_clouds import EventClouds, read_event_clouds
from cloudchamber.studies.neutrinos.high_level import event_features, muon_length, shower_energy
from cloudchamber.studies.neutrinos.histogram import histogram_log_probabilities
from cloudchamber.studies.neutrinos.judged import Classifier, Unseen
from cloudchamber.studies.neutrinos.measures import efficiency, purity, resampled
from cloudchamber.studies.neutrinos.names import CEILING, HISTOGRAM, INTERACTIONS, PRONGS
from cloudchamber.studies.neutrinos.score_file import ScoreFile, read_scores
from cloudchamber.studies.neutrinos.settings import EvaluationSettings

__all__ = ["COLUMNS", "evaluate_classifiers"]

COLUMNS = (*METRIC_COLUMNS, "ceiling", "ceiling_uncertainty", "n_training", "low", "high")
# Of the calibration error of probabilities that are true.
_DRAWS = 50
# Neutrinos of more energies are of a spectrum, of which each has an event or two.
_MOST_BEAMS = 20
# Metrics whose ceiling is that of the classifier of true prongs.
_WITH_CEILING = ("accuracy", "auc", "efficiency", "purity", "prong_accuracy")


def evaluate_classifiers(
    events: Path,
    files: Mapping[str, Any],
    settings: EvaluationSettings,
    seed: int,
    metrics: Path,
    differences: Path,
    confusion: Path,
    curves: Path,
) -> None:
    """Judge all classifiers on the test events.

    Args:
        events: clouds of ``neutrinos ingest``.
        files: "scores", and "reference", the model that others are compared with, or null.
        settings: bins and resamplings.
        seed: of the resamplings.
        metrics, differences, confusion, curves: the tables.

    Raises:
        InputError: a file cannot be used, lacks the reference or the ceiling, or is of other events.
        SettingsError: a key is missing.
    """
    clouds = read_event_clouds(events)
    path, reference = Path(need(files, "scores")), need(files, "reference")
    scores = read_scores(path, events)
    there = clouds.prong_mask[scores.rows]
    found = [*_classifiers(scores, there), _histogram(clouds, scores.rows, settings)]
    names = {item.model for item in found}
    for name in (CEILING, *([] if reference is None else [reference])):
        if name not in names:
            raise InputError(f"{path}: no scores of '{name}' among {sorted(names)}")
    rng = seeds.generator(seed, "neutrinos", "evaluation")
    unseen = _unseen(clouds, scores.rows, settings, rng)
    rows: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    with progress("evaluation", len(found), "classifiers") as bar:
        for item in found:
            rows += [*_of_events(item, unseen, settings, rng), *_of_prongs(item, unseen, settings, rng)]
            shares += confusions(item, unseen)
            points += curves_of(item, unseen, settings)
            bar.update()
    table = _with_ceiling(pd.DataFrame(rows).reindex(columns=list(COLUMNS)))
    integers = dict.fromkeys(("nfe", "seed", "n_reference", "n_generated", "n_training"), "Int64")
    write_table(metrics, table.assign(study="neutrinos").astype(integers))
    compared = [] if reference is None else list(differences_from(found, reference, unseen))
    columns = ["model", "other", "metric", "feature", "difference", "uncertainty", "of_events", "of_seeds", "seeds"]
    write_table(differences, pd.DataFrame(compared, columns=[*columns, "n_reference"]))
    write_table(confusion, pd.DataFrame(shares))
    write_table(curves, pd.DataFrame(points))


def _classifiers(scores: ScoreFile, there: np.ndarray) -> Iterator[Classifier]:
    for item in scores.scores:
        yield Classifier(item.model, item.seed, item.training_events, item.event, item.prong[there])


def _histogram(clouds: EventClouds, rows: np.ndarray, settings: EvaluationSettings) -> Classifier:
    features = event_features(clouds)
    both = np.column_stack([muon_length(features), shower_energy(features)])
    train = clouds.parts["train"]
    scores = histogram_log_probabilities(
        both[train], clouds.interaction[train], both[rows], settings.histogram_bins, len(INTERACTIONS)
    )
    return Classifier(HISTOGRAM, 0, len(train), scores, None)


def _unseen(clouds: EventClouds, rows: np.ndarray, settings: EvaluationSettings, rng: np.random.Generator) -> Unseen:
    mask = clouds.prong_mask[rows]
    owner = mask.nonzero()[0]
    interaction = clouds.interaction[rows]
    train = clouds.prong_class[clouds.parts["train"]]
    counts = np.bincount(train[train >= 0], minlength=len(PRONGS))
    prong_class = clouds.prong_class[rows][mask]
    frequent = float((prong_class == counts.argmax()).mean()) if len(prong_class) else nan
    weights = resampled(interaction, owner, len(INTERACTIONS), settings.bootstraps, rng)
    visible = clouds.visible_energy[rows]
    return Unseen(interaction, prong_class, owner, clouds.energy[rows], visible, weights, frequent)


def _energies_of_beams(energy: np.ndarray) -> np.ndarray:
    """Return the different energies of events; none where there are many, as of a spectrum."""
    different = np.unique(energy)
    return different if len(different) <= _MOST_BEAMS else different[:0]


def _of_events(
    item: Classifier, unseen: Unseen, settings: EvaluationSettings, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    target, weights, chosen = unseen.interaction, unseen.weights.events, item.event.argmax(axis=1)
    guess = 1 / len(INTERACTIONS)
    right = chosen == target
    yield _row(item, "accuracy", "", accuracy(right, weights, target), guess, len(target))
    for energy in _energies_of_beams(unseen.energy):
        inside = unseen.energy == energy
        of_energy = weights * inside
        total = of_energy.sum(axis=1, keepdims=True)
        found = accuracy(right, of_energy / total, target)
        yield _row(item, "accuracy", "", found, guess, int(inside.sum()), f"{energy:g} GeV")
    areas = []
    for kind, name in enumerate(INTERACTIONS):
        values = np.array([curve.area for curve in one_vs_rest(item.event, target, weights, kind)])
        areas.append(values)
        yield _row(item, "auc", name, separation(values, weights[0], target == kind), 0.5, len(target))
    yield _row(item, "auc", "", mean_separation(areas, weights[0], target), 0.5, len(target))
    bins = [(nan, nan), *pairwise(settings.energy_edges)]
    for low, high in bins:
        inside = np.ones(len(target), bool) if np.isnan(low) else (unseen.visible >= low) & (unseen.visible < high)
        for kind, name in enumerate(INTERACTIONS):
            for metric, measure in (("efficiency", efficiency), ("purity", purity)):
                found = measure(chosen, target, weights, kind, inside)
                sample = int((inside & ((target if metric == "efficiency" else chosen) == kind)).sum())
                # What is guessed at random is as pure as the bin, in which the interactions are not alike.
                floor = guess if metric == "efficiency" else _share_of(target == kind, inside, weights[0])
                yield _row(item, metric, name, found, floor, sample) | {"low": low, "high": high}
    yield _calibration(item, "event", item.event, right, weights, settings, rng)


def _share_of(chosen: np.ndarray, inside: np.ndarray, weights: np.ndarray) -> float:
    total = float(weights[inside].sum())
    return float(weights[inside & chosen].sum()) / total if total > 0 else nan


def _of_prongs(
    item: Classifier, unseen: Unseen, settings: EvaluationSettings, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    if item.prong is None or not len(item.prong):
        return
    target, weights = unseen.prong_class, unseen.weights.prongs
    right = item.prong.argmax(axis=1) == target
    yield _row(item, "prong_accuracy", "", accuracy(right, weights), unseen.frequent, len(target))
    for kind, name in enumerate(PRONGS):
        inside = target == kind
        if inside.any():
            of_kind = weights * inside
            total = of_kind.sum(axis=1)
            values = np.divide(of_kind @ right, total, out=np.full(len(total), np.nan), where=total > 0)
            found = share(values, of_kind[0])
            yield _row(item, "prong_accuracy", name, found, nan, int(inside.sum()))
    yield _calibration(item, "prong", item.prong, right, weights, settings, rng)


def _calibration(
    item: Classifier,
    feature: str,
    scores: np.ndarray,
    right: np.ndarray,
    weights: np.ndarray,
    settings: EvaluationSettings,
    rng: np.random.Generator,
) -> dict[str, Any]:
    probability = np.exp(scores.max(axis=1))
    found = calibration_error(reliability(probability, right, weights, settings.calibration_bins))
    floor = calibrated_error(probability, weights[0], settings.calibration_bins, _DRAWS, rng)
    row = _row(item, "calibration_error", feature, found, floor.value, len(right))
    return row | {"floor_uncertainty": floor.uncertainty}


def _row(
    item: Classifier, metric: str, feature: str, found: Estimate, floor: float, sample: int, dataset: str = "all"
) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "model": item.model,
        "seed": item.seed,
        "metric": metric,
        "feature": feature,
        "value": found.value,
        "uncertainty": found.uncertainty,
        "floor": floor,
        "n_reference": sample,
        "n_training": item.training_events,
    }


def _with_ceiling(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the value of the classifier of true prongs, mean over its seeds, beside each number."""
    keys = ["dataset", "metric", "feature", "low", "high"]
    own = table[(table["model"] == CEILING) & table["metric"].isin(_WITH_CEILING)]
    groups = own.groupby(keys, dropna=False)[["value", "uncertainty"]].mean().reset_index()
    groups = groups.rename(columns={"value": "ceiling", "uncertainty": "ceiling_uncertainty"})
    plain = table.drop(columns=["ceiling", "ceiling_uncertainty"])
    return plain.merge(groups, how="left", on=keys).reindex(columns=list(COLUMNS))
