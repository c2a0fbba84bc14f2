"""Rows of numbers of many jets, of which a piece at a time is in memory, and moments of some of them."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Self, final

import numpy as np

__all__ = ["Moments", "Rows", "over_largest"]

Pieces = Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]]


class Moments(NamedTuple):
    """Number, mean (D,) and sum of the products of deviations from it (D, D) of some rows."""

    number: int
    mean: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray) -> Self:
        mean = rows.mean(axis=0)
        centred = rows - mean
        return cls(len(rows), mean, centred.T @ centred)

    def joined(self, other: "Moments") -> "Moments":
        """Return the moments of both (Chan et al. 1983)."""
        if not self.number or not other.number:
            return self if self.number else other
        number = self.number + other.number
        apart = other.mean - self.mean
        between = np.outer(apart, apart) * (self.number * other.number / number)
        return Moments(number, self.mean + apart * (other.number / number), self.products + other.products + between)

    @property
    def covariance(self) -> np.ndarray:
        """(D, D), of two rows or more."""
        return self.products / (self.number - 1)


@final
class Rows:
    """Rows (N, D) that come in pieces; one piece gives the very numbers of numpy, several differ in the last digits.

    Args:
        number: N.
        pieces: yields the places (n,) of some rows and their values (n, D), as often as it is called.
        scale: (D,) what all values are divided by.
    """

    def __init__(self, number: int, pieces: Pieces, scale: np.ndarray | None = None) -> None:
        self._number, self._pieces, self._scale = number, pieces, scale

    @classmethod
    def of(cls, values: "np.ndarray | Rows") -> "Rows":
        """Return rows (N, D) in memory as such."""
        return (
            values if isinstance(values, Rows) else cls(len(values), lambda: iter([(np.arange(len(values)), values)]))
        )

    def __len__(self) -> int:
        return self._number

    def scaled(self, scale: np.ndarray) -> "Rows":
        """Return the rows over (D,) ``scale``."""
        return Rows(self._number, self._pieces, scale)

    def largest(self) -> np.ndarray:
        """Return the (D,) largest values, whatever their sign."""
        return np.max([np.abs(values).max(axis=0) for _, values in self._pieces() if len(values)], axis=0)

    def not_finite(self) -> np.ndarray:
        """Return (D,) how many values of each column are not finite."""
        return np.sum([(~np.isfinite(values)).sum(axis=0) for _, values in self._pieces()], axis=0)

    def moments(self, batches: Sequence[np.ndarray]) -> list[Moments]:
        """Return the moments of the rows at each batch of places; a place may be there more than once."""
        found: list[Moments | None] = [None] * len(batches)
        for position, _, rows in self._of_batches(batches):
            of_piece, before = Moments.of(rows), found[position]
            found[position] = of_piece if before is None else before.joined(of_piece)
        return [moments for moments in found if moments is not None]

    def take(self, batches: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the rows at each batch of places."""
        taken: list[np.ndarray | None] = [None] * len(batches)
        for position, places, rows in self._of_batches(batches):
            target = taken[position]
            if target is None:
                target = taken[position] = np.empty((len(batches[position]), rows.shape[1]))
            target[places] = rows
        return [rows for rows in taken if rows is not None]

    def _of_batches(self, batches: Sequence[np.ndarray]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield of each piece and batch the number of the batch, and which of its rows are in the piece."""
        place = np.full(self._number, -1, np.int32)
        for numbers, values in self._pieces():
            place[numbers] = np.arange(len(numbers))
            for position, batch in enumerate(batches):
                there = np.flatnonzero(place[batch] >= 0)
                if len(there):
                    rows = values[place[batch[there]]]
                    yield position, there, rows if self._scale is None else rows / self._scale
            place[numbers] = -1


def over_largest(samples: Sequence[Rows]) -> list[Rows]:
    """Return samples over the largest value, whatever its sign, of each column in the first of them, the truth."""
    scale = samples[0].largest()
    # Energy flow polynomials of cycles are zero where no jet has enough particles.
    scale[scale == 0] = 1.0
    return [rows.scaled(scale) for rows in samples]
