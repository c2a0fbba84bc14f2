"""Standardisation: what turns physical columns into the network's input and back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, final

import numpy as np

from cloudchamber.errors import InputError

__all__ = ["Standardisation", "StandardisationFit", "count_outside", "refuse_outside"]

_Map = Callable[[np.ndarray], np.ndarray]
# Each scale with its inverse. A root keeps generated values positive, since its inverse is a square.
_SCALES: Mapping[str, tuple[_Map, _Map]] = {
    "linear": (np.array, np.array),
    "log": (np.log, np.exp),
    "sqrt": (np.sqrt, np.square),
}
# What no value of a scale may be.
_OUTSIDE: Mapping[str, tuple[_Map, str]] = {
    "log": (lambda values: ~(values > 0), "not positive"),
    "sqrt": (lambda values: ~(values >= 0), "negative"),
}


@final
class StandardisationFit:
    """Mean and deviation of scaled columns, of rows that come in pieces (Chan et al. 1983).

    One piece gives the very numbers of numpy; with several they differ in the last digits.

    Args:
        names: the columns.
        scales: scale of the columns that are not linear.
    """

    def __init__(self, names: Sequence[str], scales: Mapping[str, str] | None = None) -> None:
        self.names = tuple(names)
        self.scales = tuple((scales or {}).get(name, "linear") for name in names)
        self._rows = 0
        self._mean = self._deviation = np.zeros(len(self.names))
        self._lowest, self._highest = np.full((2, len(self.names)), [[np.inf], [-np.inf]])

    def add(self, rows: np.ndarray) -> None:
        """Add (M, F) rows.

        Raises:
            InputError: a column has values outside its scale.
        """
        if not len(rows):
            return
        values = _scaled(np.asarray(rows, np.float64), self.scales, self.names)
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        self._lowest = np.minimum(self._lowest, values.min(axis=0))
        self._highest = np.maximum(self._highest, values.max(axis=0))
        if not self._rows:
            self._rows, self._mean, self._deviation = len(rows), mean, deviation
            return
        share = len(rows) / (self._rows + len(rows))
        apart = mean - self._mean
        within = (1 - share) * self._deviation**2 + share * deviation**2
        self._deviation = np.sqrt(within + share * (1 - share) * apart**2)
        self._mean = self._mean + share * apart
        self._rows += len(rows)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and deviation of each column.

        Raises:
            InputError: there were no rows, or a column is constant.
        """
        if not self._rows:
            raise InputError("nothing to fit the standardisation to")
        # Rounding of the mean gives equal values a deviation that is tiny and not zero.
        spread = self._highest - self._lowest
        for name, width in zip(self.names, np.minimum(self._deviation, spread), strict=True):
            if not width > 0:
                raise InputError(f"column '{name}' is constant in the training part and cannot be standardised")
        return self._mean, self._deviation


@final
@dataclass(frozen=True)
class Standardisation:
    """Per-column map x -> (g(x) - mean) / deviation, with g the identity, the logarithm or the square root.

    Attributes:
        names: the columns, in order.
        scales: "linear", "log" or "sqrt" for each column.
        mean, deviation: of g(x) on the rows it was fitted on.

    Example:
        >>> rows = np.array([[1.0, 2.0], [3.0, 8.0]])
        >>> fitted = Standardisation.fit(rows, ("eta", "pt"), {"pt": "log"})
        >>> fitted.forward(rows)
        array([[-1., -1.],
               [ 1.,  1.]], dtype=float32)
        >>> fitted.inverse(np.zeros((1, 2)))
        array([[2., 4.]], dtype=float32)
    """

    names: tuple[str, ...]
    scales: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def of(cls, fitted: StandardisationFit) -> Self:
        """Return what was fitted to rows that came in pieces.

        Raises:
            InputError: see :meth:`StandardisationFit.result`.
        """
        mean, deviation = fitted.result()
        return cls(fitted.names, fitted.scales, tuple(mean.tolist()), tuple(deviation.tolist()))

    @classmethod
    def fit(cls, rows: np.ndarray, names: Sequence[str], scales: Mapping[str, str] | None = None) -> Self:
        """Fit to (M, F) rows of real particles (or clouds) of the training part.

        Args:
            rows: what to fit to.
            names: the columns.
            scales: scale of the columns that are not linear.

        Raises:
            InputError: there are no rows, a column has values outside its scale, or a column is constant.
        """
        fitted = StandardisationFit(names, scales)
        fitted.add(rows)
        return cls.of(fitted)

    def forward(self, rows: np.ndarray) -> np.ndarray:
        """Return the standardised float32 values of (M, F) rows.

        Raises:
            InputError: a column has values outside its scale.
        """
        values = _scaled(np.asarray(rows, np.float64), self.scales, self.names)
        return ((values - self.mean) / self.deviation).astype(np.float32)

    def inverse(self, values: np.ndarray) -> np.ndarray:
        """Return the physical float32 values of (M, F) standardised rows."""
        rows = np.asarray(values, np.float64) * self.deviation + self.mean
        columns = [_SCALES[scale][1](rows[:, column]) for column, scale in enumerate(self.scales)]
        return np.stack(columns, axis=1).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the standardisation that :meth:`to_json` described."""
        return cls(**{key: tuple(items) for key, items in value.items()})


def count_outside(values: np.ndarray, scale: str) -> int:
    """Return how many of (M,) values a scale does not have: negative ones, and zeros in a logarithm."""
    return int(np.count_nonzero(_OUTSIDE[scale][0](values))) if scale in _OUTSIDE else 0


def refuse_outside(bad: int, values: int, name: str, scale: str) -> None:
    """Refuse a column of which ``bad`` of the ``values`` are such that its scale does not have them.

    Raises:
        InputError: there are any.
    """
    if bad:
        what = _OUTSIDE[scale][1]
        raise InputError(f"column '{name}': {bad} of {values} values are {what}, outside of the {scale} scale")


def _scaled(rows: np.ndarray, scales: Sequence[str], names: Sequence[str]) -> np.ndarray:
    columns = []
    for column, (name, scale) in enumerate(zip(names, scales, strict=True)):
        refuse_outside(count_outside(rows[:, column], scale), len(rows), name, scale)
        columns.append(_SCALES[scale][0](rows[:, column]))
    return np.stack(columns, axis=1)
