"""Each model less the one without context, on the same events."""

from collections.abc import Iterator, Sequence
from math import hypot, nan
from typing import Any

import numpy as np

from cloudchamber.classification.measures import estimate
from cloudchamber.studies.neutrinos.judged import Classifier, Unseen
from cloudchamber.studies.neutrinos.names import PRONGS

__all__ = ["differences_from"]


def differences_from(found: Sequence[Classifier], reference: str, unseen: Unseen) -> Iterator[dict[str, Any]]:
    """Yield each model less the reference, on the same events, over the seeds that both have."""
    others = {item.seed: item for item in found if item.model == reference}
    for model in dict.fromkeys(item.model for item in found):
        if model == reference:
            continue
        pairs = [(item, others[item.seed]) for item in found if item.model == model and item.seed in others]
        if not pairs:
            continue
        head = {"model": model, "other": reference, "seeds": len(pairs)}
        events = [
            _right(first.event, unseen.interaction) - _right(second.event, unseen.interaction)
            for first, second in pairs
        ]
        yield head | _difference("accuracy", "", events, unseen.weights.events)
        prongs = [
            _right(first.prong, unseen.prong_class) - _right(second.prong, unseen.prong_class)
            for first, second in pairs
            if first.prong is not None and second.prong is not None
        ]
        if len(prongs) < len(pairs) or not len(unseen.prong_class):
            continue
        yield head | _difference("prong_accuracy", "", prongs, unseen.weights.prongs)
        for kind, name in enumerate(PRONGS):
            inside = unseen.prong_class == kind
            if inside.any():
                share = unseen.weights.prongs[:, inside]
                total = share.sum(axis=1, keepdims=True)
                weights = share / np.where(total > 0, total, np.nan)
                yield head | _difference("prong_accuracy", name, [item[inside] for item in prongs], weights)


def _right(scores: np.ndarray, target: np.ndarray) -> np.ndarray:
    return (scores.argmax(axis=1) == target).astype(np.float64)


def _difference(metric: str, feature: str, of_seeds: Sequence[np.ndarray], weights: np.ndarray) -> dict[str, Any]:
    values = np.array([weights @ item for item in of_seeds])
    found = estimate(values.mean(axis=0))
    spread = float(values[:, 0].std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else nan
    return {
        "metric": metric,
        "feature": feature,
        "difference": found.value,
        "uncertainty": found.uncertainty if np.isnan(spread) else hypot(found.uncertainty, spread),
        "of_events": found.uncertainty,
        "of_seeds": spread,
        "n_reference": weights.shape[1],
    }
