"""Values with the jets they belong to, and the bootstrap over jets behind every uncertainty.

Weights of jets are scaled to add up to their effective number, (sum w)^2 / sum w^2: sums of them then fluctuate like
counts of as many jets.
"""

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.preparation.unweighting import effective_size

__all__ = ["Estimate", "Sample", "bootstrap_weights", "drawn_rows"]


class Estimate(NamedTuple):
    """A number and its standard deviation over resamplings."""

    value: float
    uncertainty: float


@final
@dataclass(frozen=True)
class Sample:
    """Values of one feature, each with the jet it belongs to.

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
        return cls(np.asarray(values, np.float64), np.arange(len(values)), len(values), _scaled(weights))

    @classmethod
    def of_particles(cls, values: np.ndarray, mask: np.ndarray, weights: np.ndarray | None = None) -> "Sample":
        """Return the sample of a feature of particles, (N, P) with ``mask`` true where there is a particle.

        Raises:
            InputError: weights (N,) of the jets are given that do not add up to more than zero.
        """
        return cls(values[mask].astype(np.float64), np.nonzero(mask)[0], len(values), _scaled(weights))

    @property
    def size(self) -> float:
        """The number of jets, or the effective number of weighted ones."""
        return self.n_jets if self.weights is None else float(self.weights.sum())

    @property
    def has_negative_weights(self) -> bool:
        return self.weights is not None and bool((self.weights < 0).any())

    @property
    def entry_weights(self) -> np.ndarray | None:
        """(M,) weight of each value; None where all weigh the same."""
        return None if self.weights is None else self.weights[self.jets]


def _scaled(weights: np.ndarray | None) -> np.ndarray | None:
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
        (bootstraps, n_jets) uint16; each row sums to ``n_jets`` where no events are given.
    """
    if events is not None:
        return bootstrap_weights(int(events.max()) + 1, bootstraps, rng)[:, events]
    weights = np.empty((bootstraps, n_jets), np.uint16)
    for row in weights:
        row[:] = np.bincount(rng.integers(n_jets, size=n_jets), minlength=n_jets)
    return weights


def drawn_rows(n_jets: int, size: int, rng: np.random.Generator, weights: np.ndarray | None = None) -> np.ndarray:
    """Return ``size`` rows of ``n_jets`` jets, drawn with replacement: alike, or in proportion to weights (n_jets,).

    Where jets are drawn by their weights, all that are drawn weigh the same. Weights must not be negative.
    """
    if weights is None:
        return rng.integers(n_jets, size=size)
    return rng.choice(n_jets, size, p=weights / weights.sum())
