"""Whether the probability of an assignment is how often it is right."""

from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Reliability", "calibration_error", "floor_of_calibration_error", "reliability", "separation"]

_DRAWS = 50


@final
@dataclass(frozen=True)
class Reliability:
    """Bins of equal width in the probability, those without events left out.

    Attributes:
        promised: (B,) mean probability of the events of a bin.
        right: (B,) share of them that is right.
        n: (B,) events.
    """

    promised: np.ndarray
    right: np.ndarray
    n: np.ndarray

    @property
    def uncertainty(self) -> np.ndarray:
        """(B,) binomial standard error of ``right``, at the promised probability, so that it is not zero at 0 and 1."""
        error: np.ndarray = np.sqrt(self.promised * (1 - self.promised) / self.n)
        return error


def reliability(probability: np.ndarray, right: np.ndarray, bins: int) -> Reliability:
    """Return how often the assignments of (N,) probabilities are ``right`` (N,), bin by bin."""
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    n = np.bincount(place, minlength=bins)
    there = n > 0
    promised = np.bincount(place, probability, minlength=bins)[there] / n[there]
    found = np.bincount(place, right, minlength=bins)[there] / n[there]
    return Reliability(promised, found, n[there])


def calibration_error(probability: np.ndarray, right: np.ndarray, bins: int) -> float:
    """Return the mean over events of the distance of promise and share in their bin (arXiv 1706.04599)."""
    found = reliability(probability, right, bins)
    return float(np.average(np.abs(found.promised - found.right), weights=found.n))


def floor_of_calibration_error(probability: np.ndarray, bins: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return what probabilities that are true get, mean and standard deviation over draws."""
    errors = [calibration_error(probability, rng.random(len(probability)) < probability, bins) for _ in range(_DRAWS)]
    return float(np.mean(errors)), float(np.std(errors, ddof=1))


def separation(score: np.ndarray, positive: np.ndarray) -> float:
    """Return the area under the ROC curve: how often a ``positive`` event has the higher score; ties count half."""
    if positive.all() or not positive.any():
        return float("nan")
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n, m = int(positive.sum()), int((~positive).sum())
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * m))
