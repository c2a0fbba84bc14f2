"""Means of snapshots that are correlated in time, over blocks that are not; and over trainings."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

__all__ = ["Mean", "block_mean", "combined", "jackknife"]


def _field(number: float) -> float | str:
    """Return a number as tables have it: empty where it is none."""
    return "" if np.isnan(number) else number


@final
@dataclass(frozen=True)
class Mean:
    """A mean with its uncertainties.

    Attributes:
        value: the mean.
        of_blocks: its standard error from the spread of the means of blocks.
        of_trainings: from the spread over trainings; zero where nothing was trained, not a number where it is unknown.
        blocks: how many there are.
        snapshots: how many there are.
    """

    value: float
    of_blocks: float
    of_trainings: float
    blocks: int
    snapshots: int

    @property
    def uncertainty(self) -> float:
        """Both uncertainties in quadrature; that of blocks alone where the other is unknown."""
        return float(np.hypot(self.of_blocks, np.nan_to_num(self.of_trainings)))

    def columns(self) -> dict[str, Any]:
        """Return value and uncertainties as columns of a table."""
        numbers = {"value": self.value, "uncertainty": self.uncertainty}
        numbers |= {"of_blocks": self.of_blocks, "of_trainings": self.of_trainings}
        return {name: _field(number) for name, number in numbers.items()}


def block_mean(values: np.ndarray, blocks: np.ndarray, of_trainings: float = 0.0) -> Mean:
    """Return the mean of (M,) values of snapshots; blocks (M,) say which of them count as one.

    With a single block the standard error is not a number.
    """
    names, number = np.unique(blocks, return_inverse=True)
    sizes = np.bincount(number)
    sums = np.bincount(number, weights=values)
    mean = float(values.mean())
    if len(names) < 2:
        return Mean(mean, float("nan"), of_trainings, len(names), len(values))
    # Of a ratio of sums, since blocks may hold different numbers of snapshots.
    residuals = (sums - mean * sizes) / sizes.mean()
    error = float(np.sqrt(np.square(residuals).sum() / (len(names) - 1) / len(names)))
    return Mean(mean, error, of_trainings, len(names), len(values))


def jackknife(left_out: np.ndarray) -> float:
    """Return the standard error of a number over (K,) trainings from its values with one of them left out."""
    if len(left_out) < 2:
        return float("nan")
    return float(np.sqrt((len(left_out) - 1) * np.square(left_out - left_out.mean()).mean()))


def combined(values: np.ndarray) -> float:
    """Return the standard error of the mean of (K,) values of independent trainings."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
