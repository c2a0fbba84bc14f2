"""Values with the jets they belong to, and the bootstrap over jets behind every uncertainty.

Weights of jets are scaled to add up to their effective number, (sum w)^2 / sum w^2: sums of them then fluctuate like
counts of as many jets.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.preparation.unweighting import effective_size

__all__ = ["Estimate", "JetEntries", "Sample", "bootstrap_weights", "drawn_rows", "effective_weights"]


class Estimate(NamedTuple):
    """A number and its standard deviation over resamplings."""

    value: float
    uncertainty: float


class JetEntries(ABC):
    """Abstract: values of one feature, each with the jet it belongs to.

    Attributes:
        n_jets: number of jets; jets without a value count too.
        n_entries: number of values.
        weights: (n_jets,) float64 of the jets, adding up to their effective number; None where all weigh the same.
    """

    n_jets: int
    weights: np.ndarray | None

    @property
    @abstractmethod
    def n_entries(self) -> int: ...

    @abstractmethod
    def entries(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield values (m,) and the jet of each (m,) int64, all or a piece at a time, as often as it is called."""

    @property
    @abstractmethod
    def entries_of_jets(self) -> np.ndarray:
        """(n_jets,) int64, how many values each jet has."""

    @property
    def size(self) -> float:
        """The number of jets, or the effective number of weighted ones."""
        return self.n_jets if self.weights is None else float(self.weights.sum())

    @property
    def has_negative_weights(self) -> bool:
        return self.weights is not None and bool((self.weights < 0).any())


@final
@dataclass(frozen=True)
class Sample(JetEntries):
    """Values of one feature in memory, each with the jet it belongs to.

    Attributes:
        values: (M,) float64.
        jets: (M,) int64, which jet each value belongs to.
        n_jets: number of jets; jets without a value count too.
        weights: (n_jets,) float64 of the jets, adding up to their effective number; None where all weigh the same.
    """

    values: np.ndarray
    jets: np.ndarray
    n_jets: int
    weights: np.ndarray | None = None

    @classmethod
    def of_jets(cls, values: np.ndarray, weights: np.ndarray | None = None) -> "Sample":
        """Return the sample of a feature of jets, (N,) with one value per jet.

        Raises:
            InputError: weights (N,) of the jets are given that do not add up to more than zero.
        """
        return cls(np.asarray(values, np.float64), np.arange(len(values)), len(values), effective_weights(weights))

    @classmethod
    def of_particles(cls, values: np.ndarray, mask: np.ndarray, weights: np.ndarray | None = None) -> "Sample":
        """Return the sample of a feature of particles, (N, P) with ``mask`` true where there is a particle.

        Raises:
            InputError: weights (N,) of the jets are given that do not add up to more than zero.
        """
        return cls(values[mask].astype(np.float64), np.nonzero(mask)[0], len(values), effective_weights(weights))

    @property
    def n_entries(self) -> int:
        return len(self.values)

    def entries(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        yield self.values, self.jets

    @property
    def entries_of_jets(self) -> np.ndarray:
        return np.bincount(self.jets, minlength=self.n_jets)

    @property
    def entry_weights(self) -> np.ndarray | None:
        """(M,) weight of each value; None where all weigh the same."""
        return None if self.weights is None else self.weights[self.jets]


def effective_weights(weights: np.ndarray | None) -> np.ndarray | None:
    """Return weights (N,) of jets scaled to add up to their effective number; None for None.

    Raises:
        InputError: they do not add up to more than zero.
    """
    if weights is None:
        return None
    weights = np.asarray(weights, np.float64)
    total = weights.sum()
    if not total > 0:
        raise InputError(f"the event weights of {len(weights)} jets add up to {total:g}")
    return weights * (effective_size(weights) / total)


def bootstrap_weights(
    n_jets: int, bootstraps: int, rng: np.random.Generator, events: np.ndarray | None = None
) -> np.ndarray:
    """Return how often each jet occurs in each resampling of ``n_jets`` jets with replacement.

    Jets are resampled with all their particles, since the particles of one jet are not independent: resampling
    particles would call the uncertainty of particle features too small.

    Args:
        n_jets: number of jets.
        bootstraps: number of resamplings.
        rng: generator of the resamplings.
        events: (n_jets,) int64 from 0, the event of each jet, where events are to be resampled with all their jets:
            those of an event have a weight in common.

    Returns:
        (bootstraps, n_jets) uint16; each row sums to ``n_jets`` where no events are given. Those of a jet lie together.
    """
    if events is not None:
        return bootstrap_weights(int(events.max()) + 1, bootstraps, rng).T[events].T
    weights = np.empty((n_jets, bootstraps), np.uint16)
    for column in range(bootstraps):
        weights[:, column] = np.bincount(rng.integers(n_jets, size=n_jets), minlength=n_jets)
    return weights.T


def drawn_rows(n_jets: int, size: int, rng: np.random.Generator, weights: np.ndarray | None = None) -> np.ndarray:
    """Return ``size`` rows of ``n_jets`` jets, drawn with replacement: alike, or in proportion to weights (n_jets,).

    Where jets are drawn by their weights, all that are drawn weigh the same. Weights must not be negative.
    """
    if weights is None:
        return rng.integers(n_jets, size=size)
    return rng.choice(n_jets, size, p=weights / weights.sum())
