"""Squares of velocities from several trainings, with and without the bias of squaring an error.

E[v D^-1 v] of a score with an error delta is too large by E[delta D delta], whatever the error is. The product of the
velocities of two trainings has no such term where their errors are independent. What trainings on the same snapshots
have in common stays.
"""

from collections.abc import Callable

import numpy as np

__all__ = ["crossed_square", "left_out", "plug_in_square", "without_one"]


def crossed_square(velocities: np.ndarray, diffusions: np.ndarray) -> np.ndarray:
    """Return (M, N, C) products v D^-1 v' of velocities (K, M, N, C), the mean over all pairs of different
    trainings."""
    number = len(velocities)
    pairs = np.square(velocities.sum(axis=0)) - np.square(velocities).sum(axis=0)
    return _divided(pairs / (number * (number - 1)), diffusions)


def plug_in_square(velocity: np.ndarray, diffusions: np.ndarray) -> np.ndarray:
    """Return (M, N, C) squares v D^-1 v of one training."""
    return _divided(np.square(velocity), diffusions)


def left_out(velocities: np.ndarray, diffusions: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """Return (K,) means of :func:`crossed_square` over snapshots with one training left out, summed over channels.

    With two trainings there is nothing to leave out: they are not numbers.
    """
    return without_one(
        velocities, lambda rest: float(crossed_square(rest, diffusions)[..., channels].sum(axis=(1, 2)).mean())
    )


def without_one(trainings: np.ndarray, value: Callable[[np.ndarray], float]) -> np.ndarray:
    """Return the (K,) values of (K, ...) trainings with one of them left out; of two they are not numbers."""
    number = len(trainings)
    if number < 3:
        return np.full(number, np.nan)
    return np.array([value(np.delete(trainings, one, axis=0)) for one in range(number)])


def _divided(squares: np.ndarray, diffusions: np.ndarray) -> np.ndarray:
    inverse = np.divide(1.0, diffusions, out=np.zeros_like(diffusions), where=diffusions > 0)
    return squares * inverse
