"""Standardisation: what turns physical columns into the network's input and back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, final

import numpy as np

from cloudchamber.errors import InputError

__all__ = ["Standardisation", "refuse_outside"]

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
    def fit(cls, rows: np.ndarray, names: Sequence[str], scales: Mapping[str, str] | None = None) -> Self:
        """Fit to (M, F) rows of real particles (or clouds) of the training part.

        Args:
            rows: what to fit to.
            names: the columns.
            scales: scale of the columns that are not linear.

        Raises:
            InputError: there are no rows, a column has values outside its scale, or a column is constant.
        """
        if not len(rows):
            raise InputError("nothing to fit the standardisation to")
        chosen = tuple((scales or {}).get(name, "linear") for name in names)
        values = _scaled(np.asarray(rows, np.float64), chosen, names)
        deviation = values.std(axis=0)
        # Rounding of the mean gives equal values a deviation that is tiny and not zero.
        spread = np.ptp(values, axis=0)
        for name, width in zip(names, np.minimum(deviation, spread), strict=True):
            if not width > 0:
                raise InputError(f"column '{name}' is constant in the training part and cannot be standardised")
        return cls(tuple(names), chosen, tuple(values.mean(axis=0).tolist()), tuple(deviation.tolist()))

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


def refuse_outside(values: np.ndarray, name: str, scale: str) -> None:
    """Refuse (M,) values of a column that its scale does not have: negative ones, and zeros in a logarithm.

    Raises:
        InputError: with their number.
    """
    if scale not in _OUTSIDE:
        return
    outside, what = _OUTSIDE[scale]
    bad = int(np.count_nonzero(outside(values)))
    if bad:
        raise InputError(f"column '{name}': {bad} of {len(values)} values are {what}, outside of the {scale} scale")


def _scaled(rows: np.ndarray, scales: Sequence[str], names: Sequence[str]) -> np.ndarray:
    columns = []
    for column, (name, scale) in enumerate(zip(names, scales, strict=True)):
        refuse_outside(rows[:, column], name, scale)
        columns.append(_SCALES[scale][0](rows[:, column]))
    return np.stack(columns, axis=1)
