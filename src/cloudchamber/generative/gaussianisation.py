"""Marginal Gaussianisation: each feature of jets on its own to a standard normal one, and back.

Selections give jet features hard edges and padding gives the multiplicity a spike at its largest value, which smooth
maps learn badly. The map z = Phi^-1(F(x)), with F the cumulative distribution of the training part and Phi that of a
standard normal variable, is a fixed first layer of the flow that has all of this right, as in Gaussianisation flows
(arXiv 2003.01941); the flow is left with how the features depend on each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, final

import numpy as np
import torch
from torch import Tensor

from cloudchamber.errors import InputError

__all__ = ["Continuous", "Discrete"]

# A fraction of a standard deviation apart: finer than the shape of the features, coarser than their statistical noise.
_KNOTS = 41
# Keeps the normal variable finite; far below the share of a single jet.
_SMALLEST = 1e-12


@final
@dataclass(frozen=True)
class Continuous:
    """Map of a continuous feature, linear between knots of its cumulative distribution.

    Many jets may share one value, as all jets of one particle have no mass. Such an atom is a step of the distribution:
    the value becomes a random place of its step, and all places of a step become the value again. Of a feature that is
    rounded, a step is as wide as what rounding makes equal: values are spread over it before they are mapped, and
    rounded when they come back.

    Attributes:
        values: (K,) not decreasing, from the lowest to the highest training value; a step without width stands there
            twice.
        probabilities: (K,) of a value below, from 1 / 2n to 1 - 1 / 2n for n training values.
        decimals: to which the feature is rounded, or None.
    """

    values: tuple[float, ...]
    probabilities: tuple[float, ...]
    decimals: int | None = None

    @classmethod
    def fit(cls, values: np.ndarray, name: str, decimals: int | None = None) -> Self:
        """Fit to (N,) values of the training part; the knots are equally far from each other in z, and at atoms.

        Raises:
            InputError: there are fewer than two values, or fewer than two different ones of a feature that is not
                rounded.
        """
        if len(values) < 2 or (decimals is None and not np.ptp(values) > 0):
            raise InputError(f"column '{name}' is constant in the training part")
        reach = float(torch.special.ndtri(torch.tensor(1 - 0.5 / len(values), dtype=torch.float64)))
        probabilities = torch.special.ndtr(torch.linspace(-reach, reach, _KNOTS, dtype=torch.float64)).numpy()
        # The quantiles of Hazen have the lowest of n values at probability 1 / 2n.
        knots, first = np.unique(
            np.quantile(np.asarray(values, np.float64), probabilities, method="hazen"), return_index=True
        )
        probabilities = probabilities[first]
        cell = 0.0 if decimals is None else 10.0**-decimals
        knots, probabilities = _with_atoms(knots, probabilities, np.asarray(values, np.float64), cell)
        return cls(tuple(knots.tolist()), tuple(probabilities.tolist()), decimals)

    def spread(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return (N,) values at random places of what rounding made equal; those of other features as they are."""
        if self.decimals is None:
            return values
        return values + 10.0**-self.decimals * (rng.random(len(values)) - 0.5)

    def forward(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the (N,) float32 normal values of (N,) values; those beyond the training range count as its ends.

        Args:
            values: of the feature.
            rng: of the place of a value within its step.
        """
        probabilities = np.interp(values, self.values, self.probabilities)
        for step in np.flatnonzero(np.diff(self.values) == 0):
            rows = values == self.values[step]
            low, high = self.probabilities[step], self.probabilities[step + 1]
            probabilities[rows] = rng.uniform(low, high, np.count_nonzero(rows))
        return torch.special.ndtri(torch.from_numpy(probabilities)).numpy().astype(np.float32)

    def inverse(self, normal: np.ndarray) -> np.ndarray:
        """Return the (N,) float64 values of (N,) normal ones, not a number beyond the training range."""
        probabilities = torch.special.ndtr(torch.from_numpy(np.asarray(normal, np.float64))).numpy()
        values = np.interp(probabilities, self.probabilities, self.values, left=np.nan, right=np.nan)
        return values if self.decimals is None else np.round(values, self.decimals)

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the map that :meth:`to_json` described."""
        return cls(tuple(value["values"]), tuple(value["probabilities"]), value["decimals"])


def _with_atoms(
    knots: np.ndarray, probabilities: np.ndarray, values: np.ndarray, cell: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the knots with one at each end of each value that many have, which takes the place of those within.

    A value is as wide as its ``cell``. The values next to an atom are knots too, so that what lies between is as
    improbable as it is in ``values``.
    """
    found, counts = np.unique(values, return_counts=True)
    up_to = np.cumsum(counts)
    atoms = np.flatnonzero(counts >= max(2, len(values) / _KNOTS))
    beside = np.setdiff1d([atoms - 1, atoms + 1], [-1, *atoms, len(found)])
    below, above = found[atoms] - cell / 2, found[atoms] + cell / 2
    kept = ~np.isin(knots, found[beside])
    for low, high in zip(below, above, strict=True):
        kept &= (knots < low) | (knots > high)
    knots = np.concatenate([knots[kept], found[beside], below, above])
    at_beside = up_to[beside] - counts[beside] / 2
    shares = np.concatenate([at_beside, up_to[atoms] - counts[atoms], up_to[atoms]]) / len(values)
    # As for the other knots, nothing is below the lowest or above the highest value with certainty.
    shares = np.clip(shares, 0.5 / len(values), 1 - 0.5 / len(values))
    probabilities = np.concatenate([probabilities[kept], shares])
    order = np.lexsort((probabilities, knots))
    return knots[order], np.maximum.accumulate(probabilities[order])


@final
@dataclass(frozen=True)
class Discrete:
    """Map of a feature of whole numbers, each of which has its share of the unit interval.

    Dequantisation is uniform: a number becomes a random place in its share, so that the inverse of any of these places
    is the number itself. Numbers that no training jet has are never drawn.

    Attributes:
        numbers: (K,) increasing, those of the training part.
        ends: (K,) upper end of the share of each; the last is 1.
    """

    numbers: tuple[int, ...]
    ends: tuple[float, ...]

    @classmethod
    def fit(cls, numbers: np.ndarray) -> Self:
        """Fit to (N,) numbers of the training part."""
        found, counts = np.unique(numbers, return_counts=True)
        ends = np.cumsum(counts) / len(numbers)
        return cls(tuple(found.tolist()), tuple(ends.tolist()))

    def shares(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the (N,) lower ends and widths of the shares of (N,) numbers; a strange number has the width zero."""
        position = np.searchsorted(self.numbers, numbers)
        bounds = np.array([0.0, *self.ends])
        known = np.isin(numbers, self.numbers)
        return bounds[position], bounds[position + known] - bounds[position]

    @staticmethod
    def forward(lower: Tensor, width: Tensor, uniform: Tensor) -> Tensor:
        """Return the (N,) float32 normal values at the places ``uniform`` in [0, 1) of the shares, float64 all."""
        return torch.special.ndtri((lower + uniform * width).clamp(_SMALLEST, 1 - _SMALLEST)).float()

    def inverse(self, normal: np.ndarray) -> np.ndarray:
        """Return the (N,) int64 numbers of (N,) normal values."""
        places = torch.special.ndtr(torch.from_numpy(np.asarray(normal, np.float64))).numpy()
        return np.array(self.numbers)[np.minimum(np.searchsorted(self.ends, places, side="right"), len(self.ends) - 1)]

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Sequence[Any]]) -> Self:
        """Return the map that :meth:`to_json` described."""
        return cls(tuple(value["numbers"]), tuple(value["ends"]))
