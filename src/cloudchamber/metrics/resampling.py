"""Values with the jets they belong to, and the bootstrap over jets behind every uncertainty."""

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np

__all__ = ["Estimate", "Sample", "bootstrap_weights"]


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
    """

    values: np.ndarray
    jets: np.ndarray
    n_jets: int

    @classmethod
    def of_jets(cls, values: np.ndarray) -> "Sample":
        """Return the sample of a feature of jets, (N,) with one value per jet."""
        return cls(np.asarray(values, np.float64), np.arange(len(values)), len(values))

    @classmethod
    def of_particles(cls, values: np.ndarray, mask: np.ndarray) -> "Sample":
        """Return the sample of a feature of particles, (N, P) with ``mask`` true where there is a particle."""
        return cls(values[mask].astype(np.float64), np.nonzero(mask)[0], len(values))


def bootstrap_weights(n_jets: int, bootstraps: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each jet occurs in each resampling of ``n_jets`` jets with replacement.

    Jets are resampled with all their particles, since the particles of one jet are not independent: resampling
    particles would call the uncertainty of particle features too small.

    Returns:
        (bootstraps, n_jets) uint16; each row sums to ``n_jets``.
    """
    weights = np.empty((bootstraps, n_jets), np.uint16)
    for row in weights:
        row[:] = np.bincount(rng.integers(n_jets, size=n_jets), minlength=n_jets)
    return weights
