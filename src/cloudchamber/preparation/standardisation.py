"""Standardisation: what turns physical columns into the network's input and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, final

import numpy as np

from cloudchamber.errors import InputError

__all__ = ["Standardisation"]


@final
@dataclass(frozen=True)
class Standardisation:
    """Per-column map x -> (g(x) - mean) / deviation, with g the logarithm or the identity.

    Attributes:
        names: the columns, in order.
        logarithmic: which columns pass through the natural logarithm first.
        mean, deviation: of g(x) on the rows it was fitted on.
    """

    names: tuple[str, ...]
    logarithmic: tuple[bool, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def fit(cls, rows: np.ndarray, names: Sequence[str], logarithmic: Sequence[str] = ()) -> Self:
        """Fit to (M, F) rows of real particles (or clouds) of the training part.

        Raises:
            InputError: there are no rows, a logarithmic column is not positive, or a column is constant.
        """
        if not len(rows):
            raise InputError("nothing to fit the standardisation to")
        flags = tuple(name in logarithmic for name in names)
        values = _logarithm(np.asarray(rows, np.float64), flags, names)
        deviation = values.std(axis=0)
        # Rounding of the mean gives equal values a deviation that is tiny and not zero.
        spread = np.ptp(values, axis=0)
        for name, width in zip(names, np.minimum(deviation, spread), strict=True):
            if not width > 0:
                raise InputError(f"column '{name}' is constant in the training part and cannot be standardised")
        return cls(tuple(names), flags, tuple(values.mean(axis=0).tolist()), tuple(deviation.tolist()))

    def forward(self, rows: np.ndarray) -> np.ndarray:
        """Return the standardised float32 values of (M, F) rows.

        Raises:
            InputError: a logarithmic column is not positive.
        """
        values = _logarithm(np.asarray(rows, np.float64), self.logarithmic, self.names)
        return ((values - self.mean) / self.deviation).astype(np.float32)

    def inverse(self, values: np.ndarray) -> np.ndarray:
        """Return the physical float32 values of (M, F) standardised rows."""
        rows = np.asarray(values, np.float64) * self.deviation + self.mean
        for column, flag in enumerate(self.logarithmic):
            if flag:
                rows[:, column] = np.exp(rows[:, column])
        return rows.astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the standardisation that :meth:`to_json` described."""
        return cls(**{key: tuple(items) for key, items in value.items()})


def _logarithm(rows: np.ndarray, flags: Sequence[bool], names: Sequence[str]) -> np.ndarray:
    values = rows.copy()
    for column, (name, flag) in enumerate(zip(names, flags, strict=True)):
        if flag:
            if not (rows[:, column] > 0).all():
                raise InputError(f"column '{name}' has values that are not positive and no logarithm")
            values[:, column] = np.log(rows[:, column])
    return values
