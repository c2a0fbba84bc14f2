"""The step that judges taggers on the test part: accuracies, curves, confusion, calibration, significance, cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from cloudchamber import seeds
from cloudchamber.classification import measures
from cloudchamber.classification.measures import SIGNAL_EFFICIENCY, accuracy, balanced, estimate, inverse
from cloudchamber.classification.scores import UnseenJets, read_scores, read_unseen_jets
from cloudchamber.classification.significance import mcnemar, normal_p_value, paired_difference
from cloudchamber.errors import InputError
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.tables import METRIC_COLUMNS, read_table, write_table
from cloudchamber.metrics.trainings_apart import refuse_one_training
from cloudchamber.progress import progress
from cloudchamber.settings.entries import entries, need
from cloudchamber.settings.tagging_sample import TaggingEvaluationSettings

__all__ = ["COSTS", "CURVE_COLUMNS", "TAGGING_COLUMNS", "evaluate"]

TAGGING_COLUMNS = (*METRIC_COLUMNS, "n_training", "low", "high")
CURVE_COLUMNS = ("model", "seed", "curve", "class", "bin", "x", "y", "uncertainty", "share")
# Columns of the table of costs, each a metric of the same name.
COSTS = ("parameters", "flops_per_jet", "training_seconds_per_jet", "inference_seconds_per_jet")
_EFFICIENCIES = np.round(np.arange(0.05, 1.0001, 0.01), 2)
_CALIBRATED_DRAWS = 50
_UNKNOWN = Estimate(float("nan"), float("nan"))


@final
@dataclass(frozen=True)
class _Sample:
    """The test jets with their weights, and the bins of accuracy against mass and pT, which all taggers share."""

    jets: UnseenJets
    replicas: np.ndarray
    weights: np.ndarray
    bins: tuple[tuple[str, float, float, np.ndarray], ...]

    @property
    def n_classes(self) -> int:
        return len(self.jets.classes)


def evaluate(
    jets: Path,
    files: Mapping[str, Any],
    settings: TaggingEvaluationSettings,
    seed: int,
    metrics: Path,
    confusion: Path,
    curves: Path,
    significance: Path,
) -> None:
    """Judge taggers on the test part of the jets of all classes.

    All metrics count the classes alike, with the weights of the file of jets. Metrics of the table: "accuracy";
    "auc" and "rejection" (one over the background efficiency where half of the signal is kept) of each class against
    all others, with the mean over classes as the feature "" (for "rejection" one over the mean background efficiency);
    "calibration_error"; "accuracy_in_bins" of jet mass and pT from ``low`` to ``high``; "learning_curve", the accuracy
    of all trainings against ``n_training``; ``COSTS``. The floor is what guessing gets, and for the calibration error
    that of true probabilities. Uncertainties are standard deviations over resamplings of the test jets.

    Args:
        jets: file of :func:`cloudchamber.classification.jets.combine_classes`.
        files: "study", "dataset", "scores", a list with "name" of the model, "seed", "path" and, for a training with a
            part of the jets, "jets_per_class"; and "costs" (CSV with "model" and ``COSTS``), where there is one.
        settings: bins and number of resamplings.
        seed: of the resamplings.
        metrics: table with ``TAGGING_COLUMNS``, a row per model, seed, metric and feature.
        confusion: table of model, seed, true class, chosen class, share of the true class and its uncertainty.
        curves: table with ``CURVE_COLUMNS``; "roc" has the signal efficiency x and background efficiency y of each
            class, "reliability" the mean probability x and accuracy y of each ``bin`` with its share of the jets.
        significance: table of two models and a seed per row, with the difference of their accuracies and p-values, for
            trainings with all jets, and for each size of the learning curve with its ``jets_per_class``.

    Raises:
        InputError: a file cannot be used, there are no scores of a training with all jets, or those of one training
            stand under two seeds.
        SettingsError: a key of ``files`` is missing, or seeds do not tell trainings apart.
        StorageError: a table cannot be written.
    """
    trainings = entries(files, "scores", ("name", "seed", "path"))
    # A training with a part of the jets is one of another model.
    refuse_one_training([{"jets_per_class": None, **entry} for entry in trainings], "path", ("name", "jets_per_class"))
    study, dataset = need(files, "study"), need(files, "dataset")
    if not any(entry.get("jets_per_class") is None for entry in trainings):
        raise InputError(f"{jets}: no scores of a tagger that was trained with all jets")
    sample = _sample(read_unseen_jets(jets), settings, seeds.generator(seed, "tagging", "bootstrap"))
    rows: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    right: dict[tuple[str, int], np.ndarray] = {}
    right_of_part: dict[int, dict[tuple[str, int], np.ndarray]] = {}
    with progress("evaluation of taggers", len(trainings), "trainings") as report:
        for entry in trainings:
            names = {"model": entry["name"], "seed": entry["seed"]}
            part = entry.get("jets_per_class")
            scores = read_scores(Path(entry["path"]), sample.jets, jets, part)
            size = {"n_training": sample.jets.n_training if part is None else part * sample.n_classes}
            correct = scores.argmax(axis=1) == sample.jets.target
            of_all = _row("accuracy", "", accuracy(correct, sample.weights, sample.jets.target), _chance(sample))
            rows.append(names | size | of_all | {"metric": "learning_curve"})
            if part is not None:
                right_of_part.setdefault(part, {})[entry["name"], entry["seed"]] = correct
            else:
                rng = seeds.generator(seed, "tagging", "calibration", entry["name"], entry["seed"])
                right[entry["name"], entry["seed"]] = correct
                rows += [names | size | row for row in [of_all, *_in_bins(sample, correct)]]
                rows += [names | size | row for row in _per_class(sample, scores)]
                found = _calibration(sample, scores, correct, settings, rng)
                rows.append(names | size | found[0])
                points += [names | row for row in [*_roc(sample, scores), *found[1]]]
                shares += [names | row for row in _confusion(sample, scores)]
            report.update()
    known = {"study": study, "dataset": dataset, "n_reference": len(sample.jets.rows)}
    table = pd.concat([pd.DataFrame(rows), _costs(files.get("costs"), right)], ignore_index=True)
    table = table.assign(**known).reindex(columns=list(TAGGING_COLUMNS))
    write_table(metrics, table.astype(dict.fromkeys(("nfe", "n_reference", "n_generated", "n_training"), "Int64")))
    write_table(confusion, pd.DataFrame(shares))
    write_table(curves, pd.DataFrame(points).reindex(columns=list(CURVE_COLUMNS)))
    parts = [_significance(sample, of_part, part) for part, of_part in sorted(right_of_part.items())]
    differences = pd.concat([_significance(sample, right, None), *parts], ignore_index=True)
    write_table(significance, differences.astype({"jets_per_class": "Int64"}))


def _sample(jets: UnseenJets, settings: TaggingEvaluationSettings, rng: np.random.Generator) -> _Sample:
    replicas = measures.replicas(jets.weights, settings.bootstraps, rng)
    bins = []
    for feature, values, window, number in (
        ("jet_mass", jets.mass, jets.mass_window, settings.mass_bins),
        ("jet_pt", jets.pt, jets.pt_window, settings.pt_bins),
    ):
        edges = np.linspace(*window, number + 1)
        of_bin = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, number - 1)
        bins += [(feature, edges[i], edges[i + 1], np.flatnonzero(of_bin == i)) for i in range(number)]
    return _Sample(jets, replicas, balanced(replicas, jets.target, len(jets.classes)), tuple(bins))


def _row(metric: str, feature: str, found: Estimate, floor: Estimate) -> dict[str, Any]:
    numbers = {"value": found.value, "uncertainty": found.uncertainty}
    return {
        "metric": metric,
        "feature": feature,
        **numbers,
        "floor": floor.value,
        "floor_uncertainty": floor.uncertainty,
    }


def _chance(sample: _Sample) -> Estimate:
    return Estimate(1 / sample.n_classes, float("nan"))


def _in_bins(sample: _Sample, correct: np.ndarray) -> Iterator[dict[str, Any]]:
    for feature, low, high, rows in sample.bins:
        target = sample.jets.target[rows]
        weights = balanced(sample.replicas[:, rows], target, sample.n_classes)
        row = _row("accuracy_in_bins", feature, accuracy(correct[rows], weights, target), _chance(sample))
        yield row | {"low": low, "high": high}


def _per_class(sample: _Sample, scores: np.ndarray) -> Iterator[dict[str, Any]]:
    guessed = Estimate(0.5, float("nan")), Estimate(1 / SIGNAL_EFFICIENCY, float("nan"))
    areas, kept = [], []
    for position, name in enumerate(sample.jets.classes):
        curves = list(measures.one_vs_rest(scores, sample.jets.target, sample.weights, position))
        areas.append(np.array([curve.area for curve in curves]))
        kept.append(np.array([measures.background_efficiency(curve) for curve in curves]))
        signal = sample.jets.target == position
        yield _row("auc", name, measures.separation(areas[-1], sample.weights[0], signal), guessed[0])
        yield _row("rejection", name, inverse(estimate(kept[-1])), guessed[1])
    yield _row("auc", "", measures.mean_separation(areas, sample.weights[0], sample.jets.target), guessed[0])
    yield _row("rejection", "", inverse(estimate(np.mean(kept, axis=0))), guessed[1])


def _roc(sample: _Sample, scores: np.ndarray) -> Iterator[dict[str, Any]]:
    for position, name in enumerate(sample.jets.classes):
        (curve,) = measures.one_vs_rest(scores, sample.jets.target, sample.weights[:1], position)
        for number, (x, y) in enumerate(zip(_EFFICIENCIES, curve.background_at(_EFFICIENCIES), strict=True)):
            yield {"curve": "roc", "class": name, "bin": number, "x": x, "y": y}


def _calibration(
    sample: _Sample,
    scores: np.ndarray,
    correct: np.ndarray,
    settings: TaggingEvaluationSettings,
    rng: np.random.Generator,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the row of the calibration error, and the rows of its diagram."""
    probability, bins = np.exp(scores.max(axis=1)), settings.calibration_bins
    found = measures.reliability(probability, correct, sample.weights, bins)
    floor = measures.calibrated_error(probability, sample.weights[0], bins, _CALIBRATED_DRAWS, rng)
    rows = []
    for number in map(int, np.flatnonzero(found.share[0])):
        of_bin = found.accuracy(number)
        numbers = {"x": found.confidence(number).value, "y": of_bin.value, "uncertainty": of_bin.uncertainty}
        rows.append({"curve": "reliability", "bin": number, **numbers, "share": found.share[0, number]})
    return _row("calibration_error", "", measures.calibration_error(found), floor), rows


def _confusion(sample: _Sample, scores: np.ndarray) -> Iterator[dict[str, Any]]:
    shares = measures.class_shares(scores.argmax(axis=1), sample.jets.target, sample.weights, sample.n_classes)
    for i, true in enumerate(sample.jets.classes):
        weights = sample.weights[0][sample.jets.target == i]
        for j, chosen in enumerate(sample.jets.classes):
            found = measures.share(shares[:, i, j], weights)
            yield {"true": true, "chosen": chosen, "value": found.value, "uncertainty": found.uncertainty}


def _significance(
    sample: _Sample, right: Mapping[tuple[str, int], np.ndarray], jets_per_class: int | None
) -> pd.DataFrame:
    """Compare all pairs of models, trained with as many jets, seed by seed."""
    rows = []
    for (model, seed), (other, other_seed) in combinations(right, 2):
        if seed != other_seed or model == other:
            continue
        first, second = right[model, seed], right[other, seed]
        difference = paired_difference(first, second, sample.weights)
        alone = int((first & ~second).sum()), int((second & ~first).sum())
        p_values = normal_p_value(difference), *alone, mcnemar(*alone)
        rows.append((model, other, seed, *difference, *p_values, len(first), jets_per_class))
    columns = ["model", "other", "seed", "difference", "uncertainty", "p_bootstrap"]
    columns += ["only_model_right", "only_other_right", "p_mcnemar", "n_reference", "jets_per_class"]
    return pd.DataFrame(rows, columns=columns)


def _costs(path: str | None, right: Mapping[tuple[str, int], np.ndarray]) -> pd.DataFrame:
    """Return the costs as metrics of each model, in the row of its first seed."""
    if path is None:
        return pd.DataFrame()
    table = read_table(path)
    missing = [name for name in ("model", *COSTS) if name not in table]
    if missing:
        raise InputError(f"{path}: no column '{missing[0]}' among {list(table)}")
    rows = []
    for model in dict.fromkeys(name for name, _ in right):
        of_model = table[table["model"] == model]
        if len(of_model) != 1:
            raise InputError(f"{path}: {len(of_model)} rows of the model '{model}', expected one")
        seed = next(seed for name, seed in right if name == model)
        values: Sequence[float] = [float(of_model[cost].iloc[0]) for cost in COSTS]
        rows += [
            {"model": model, "seed": seed, **_row(cost, "", Estimate(value, float("nan")), _UNKNOWN)}
            for cost, value in zip(COSTS, values, strict=True)
        ]
    return pd.DataFrame(rows)
