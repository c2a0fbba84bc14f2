"""Confusions, receiver operating characteristics and reliabilities of a classifier, as rows of tables."""

from collections.abc import Iterator, Sequence
from math import nan
from typing import Any

import numpy as np

from cloudchamber.classification.measures import class_shares, estimate, one_vs_rest, reliability, share
from cloudchamber.studies.neutrinos.judged import Classifier, Unseen
from cloudchamber.studies.neutrinos.names import INTERACTIONS, PRONGS
from cloudchamber.studies.neutrinos.settings import EvaluationSettings

__all__ = ["confusions", "curves_of"]

# Of a receiver operating characteristic.
_POINTS = 51


def confusions(item: Classifier, unseen: Unseen) -> Iterator[dict[str, Any]]:
    yield from _confusion(item, "event", item.event, unseen.interaction, unseen.weights.events, list(INTERACTIONS))
    if item.prong is not None and len(item.prong):
        target = unseen.prong_class
        # Shares of each true class, so that classes count alike here.
        counts = np.eye(len(PRONGS))[target]
        totals = unseen.weights.prongs @ counts
        weights = unseen.weights.prongs / np.where(totals > 0, totals, np.nan)[:, target] / len(PRONGS)
        yield from _confusion(item, "prong", item.prong, target, weights, list(PRONGS))


def _confusion(
    item: Classifier, kind: str, scores: np.ndarray, target: np.ndarray, weights: np.ndarray, names: Sequence[str]
) -> Iterator[dict[str, Any]]:
    shares = class_shares(scores.argmax(axis=1), target, weights, len(names))
    for row, true in enumerate(names):
        sample = int((target == row).sum())
        for column, chosen in enumerate(names):
            found = share(shares[:, row, column], weights[0][target == row])
            value, uncertainty = (found.value, found.uncertainty) if sample else (nan, nan)
            yield {
                "kind": kind, "model": item.model, "seed": item.seed, "true": true, "chosen": chosen,
                "value": value, "uncertainty": uncertainty, "n_reference": sample,
            }  # fmt: skip


def curves_of(item: Classifier, unseen: Unseen, settings: EvaluationSettings) -> Iterator[dict[str, Any]]:
    signal = np.linspace(0, 1, _POINTS)
    weights = unseen.weights.events
    for kind, name in enumerate(INTERACTIONS):
        replicas = np.array(
            [curve.background_at(signal) for curve in one_vs_rest(item.event, unseen.interaction, weights, kind)]
        )
        for number, x in enumerate(signal):
            found = estimate(replicas[:, number])
            yield _point(item, "roc", name, x, found.value, found.uncertainty, nan)
    targets = {"event": (item.event, unseen.interaction, weights)}
    if item.prong is not None and len(item.prong):
        targets["prong"] = (item.prong, unseen.prong_class, unseen.weights.prongs)
    for kind_of, (scores, target, of_kind) in targets.items():
        right = scores.argmax(axis=1) == target
        found_in = reliability(np.exp(scores.max(axis=1)), right, of_kind, settings.calibration_bins)
        for number in range(settings.calibration_bins):
            of_all = float(found_in.share[0, number])
            if of_all > 0:
                found = found_in.accuracy(number)
                x = found_in.confidence(number).value
                yield _point(item, "reliability", kind_of, x, found.value, found.uncertainty, of_all)


def _point(
    item: Classifier, curve: str, feature: str, x: float, y: float, uncertainty: float, share: float
) -> dict[str, Any]:
    return {
        "model": item.model, "seed": item.seed, "curve": curve, "feature": feature,
        "x": float(x), "y": float(y), "uncertainty": float(uncertainty), "share": share,
    }  # fmt: skip
