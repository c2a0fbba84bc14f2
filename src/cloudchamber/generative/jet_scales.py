"""The Gaussianisations of the features of the jet level, fitted to the training part."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cloudchamber.generative.gaussianisation import Continuous, Discrete
from cloudchamber.generative.jet_features import CONTINUOUS
from cloudchamber.jets.kinematics import SUM_DECIMALS

__all__ = ["JetScales"]

_SUM = "jet_pt_rel"
_PLAIN = tuple(name for name in CONTINUOUS if name != _SUM)
# A map of fewer jets would refuse too many draws, which lie beyond all of them.
_FEWEST = 50


@final
@dataclass(frozen=True)
class JetScales:
    """The maps of all features between what they are and standard normal values.

    Jets of the largest multiplicity are those that padding has cut, and only they lack momentum. That edge is not left
    to the flow: the sum of the particles has one map for these jets and one for the others.

    Attributes:
        plain: of pT, pseudorapidity and mass.
        sum_of_others, sum_of_largest: of the sum of jets below and of the largest multiplicity; of all jets, where one
            of the two has fewer than fifty.
        multiplicity: that of the multiplicity.
    """

    plain: tuple[Continuous, ...]
    sum_of_others: Continuous
    sum_of_largest: Continuous
    multiplicity: Discrete

    @classmethod
    def fit(cls, columns: Mapping[str, np.ndarray]) -> Self:
        """Fit to the (N,) columns of ``CONTINUOUS`` and "multiplicity" of the training part.

        Raises:
            InputError: a column other than the sum is constant.
        """
        multiplicity = Discrete.fit(columns["multiplicity"])
        sums, largest = columns[_SUM], columns["multiplicity"] == multiplicity.numbers[-1]
        others, of_largest = (
            Continuous.fit(sums[rows] if np.count_nonzero(rows) >= _FEWEST else sums, _SUM, SUM_DECIMALS)
            for rows in (~largest, largest)
        )
        plain = tuple(Continuous.fit(columns[name], name) for name in _PLAIN)
        return cls(plain, others, of_largest, multiplicity)

    def forward(self, columns: Mapping[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
        """Return the (N, 4) float32 normal values of the (N,) columns of ``CONTINUOUS``.

        Args:
            columns: of these features, and "multiplicity".
            rng: of the place of a value that many jets share.
        """
        normal = [scale.forward(columns[name], rng) for name, scale in zip(_PLAIN, self.plain, strict=True)]
        scales = (self.sum_of_others, self.sum_of_largest)
        sums = [scale.forward(scale.spread(columns[_SUM], rng), rng) for scale in scales]
        return np.stack([*normal, np.where(self._is_largest(columns["multiplicity"]), sums[1], sums[0])], axis=1)

    def inverse(self, normal: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return the features of (N, 5) normal values, the last of the multiplicity, and which jets are possible.

        Returns:
            The (N,) columns of ``CONTINUOUS`` and "multiplicity", float64 and int64, and (N,) whether all of a jet lies
            within the training range; what is beyond is not a number.
        """
        multiplicity = self.multiplicity.inverse(np.nan_to_num(normal[:, -1]))
        plain = zip(_PLAIN, self.plain, normal.T, strict=False)
        columns = {name: scale.inverse(values) for name, scale, values in plain}
        sums = [scale.inverse(normal[:, len(_PLAIN)]) for scale in (self.sum_of_others, self.sum_of_largest)]
        columns[_SUM] = np.where(self._is_largest(multiplicity), sums[1], sums[0])
        inside = np.isfinite(np.stack([*columns.values(), normal[:, -1]])).all(axis=0)
        return {**columns, "multiplicity": multiplicity}, inside

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return {
            **{name: scale.to_json() for name, scale in zip(_PLAIN, self.plain, strict=True)},
            _SUM: {"others": self.sum_of_others.to_json(), "largest": self.sum_of_largest.to_json()},
            "multiplicity": self.multiplicity.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the scales that :meth:`to_json` described."""
        plain = tuple(Continuous.from_json(value[name]) for name in _PLAIN)
        others, largest = (Continuous.from_json(value[_SUM][group]) for group in ("others", "largest"))
        return cls(plain, others, largest, Discrete.from_json(value["multiplicity"]))

    def _is_largest(self, multiplicity: np.ndarray) -> np.ndarray:
        return multiplicity == self.multiplicity.numbers[-1]
