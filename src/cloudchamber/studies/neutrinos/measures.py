"""How well interactions and prongs are named: numbers of the test events, each for many sets of weights at once.

Events of the three interactions count alike in sum, prongs as they come. The first row of the weights is the sample,
the others are resamplings of its events, the same for all classifiers; the prongs of an event stay together.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.classification.measures import balanced, share
from cloudchamber.metrics.resampling import Estimate, bootstrap_weights

__all__ = ["Weights", "efficiency", "purity", "resampled"]


@final
@dataclass(frozen=True)
class Weights:
    """Weights of n events and of their k prongs.

    Attributes:
        events: (1 + R, n), each interaction with the same total, one in sum.
        prongs: (1 + R, k), one in sum.
    """

    events: np.ndarray
    prongs: np.ndarray


def resampled(
    interaction: np.ndarray, owner: np.ndarray, classes: int, bootstraps: int, rng: np.random.Generator
) -> Weights:
    """Return the weights of the sample and of its resamplings.

    Args:
        interaction: (n,) class of each event.
        owner: (k,) event of each prong, from 0.
        classes: number of interactions.
        bootstraps: R.
        rng: generator.
    """
    n = len(interaction)
    drawn = np.concatenate([np.ones((1, n)), bootstrap_weights(n, bootstraps, rng)])
    prongs = drawn[:, owner]
    total = prongs.sum(axis=1, keepdims=True)
    return Weights(balanced(drawn, interaction, classes), prongs / np.where(total > 0, total, np.nan))


def efficiency(chosen: np.ndarray, target: np.ndarray, weights: np.ndarray, kind: int, inside: np.ndarray) -> Estimate:
    """Return the share of the events of a class that are given it.

    Args:
        chosen, target: (n,) int64.
        weights: (R, n).
        kind: the class.
        inside: (n,) bool, which events count.
    """
    return _ratio((chosen == kind) & (target == kind) & inside, (target == kind) & inside, weights)


def purity(chosen: np.ndarray, target: np.ndarray, weights: np.ndarray, kind: int, inside: np.ndarray) -> Estimate:
    """Return the share of the events given a class that are of it, for interactions that are alike in number."""
    return _ratio((chosen == kind) & (target == kind) & inside, (chosen == kind) & inside, weights)


def _ratio(numerator: np.ndarray, denominator: np.ndarray, weights: np.ndarray) -> Estimate:
    above, below = weights @ numerator, weights @ denominator
    return share(np.divide(above, below, out=np.full(len(weights), np.nan), where=below > 0), weights[0][denominator])
