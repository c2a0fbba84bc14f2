"""Receiver operating characteristics of weighted samples, once sorted and then for any number of sets of weights."""

from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Roc", "SortedScores"]


@final
@dataclass(frozen=True)
class Roc:
    """Efficiencies of all cuts on a score, from the tightest, which keeps nothing, to the one that keeps all.

    Attributes:
        signal, background: (M,) rising from 0 to 1.
    """

    signal: np.ndarray
    background: np.ndarray

    @property
    def area(self) -> float:
        """P(signal > background) + P(signal = background) / 2, the area under the curve."""
        return float(np.trapezoid(self.signal, self.background))

    def background_at(self, signal: np.ndarray | float) -> np.ndarray:
        """Return the background efficiency where the signal efficiency is ``signal``, linear between two cuts."""
        return np.interp(signal, self.signal, self.background)


@final
class SortedScores:
    """Scores of signal and background, sorted; entries of equal score are kept or rejected together.

    Args:
        scores: (N,), the larger, the more like signal.
        is_signal: (N,) bool.

    Example:
        >>> scores = SortedScores(np.array([0.9, 0.8, 0.3, 0.1]), np.array([True, False, True, False]))
        >>> curve = scores.roc(np.ones(4))
        >>> curve.area, float(curve.background_at(0.5))
        (0.75, 0.5)
    """

    def __init__(self, scores: np.ndarray, is_signal: np.ndarray) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        self._is_signal = is_signal[self._order]

    def roc(self, weights: np.ndarray) -> Roc:
        """Return the curve for (N,) weights, of which some of signal and some of background are positive."""
        ordered = weights[self._order]
        signal, background = (
            np.concatenate([[0.0], np.cumsum(np.where(kept, ordered, 0.0))[self._last]])
            for kept in (self._is_signal, ~self._is_signal)
        )
        return Roc(signal / signal[-1], background / background[-1])
