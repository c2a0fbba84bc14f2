"""A number as every metric gives it: with its uncertainty, its floor and the sizes of the samples."""

import math
from dataclasses import dataclass
from typing import final

__all__ = ["Measurement"]


@final
@dataclass(frozen=True)
class Measurement:
    """A metric of generated clouds against true ones.

    Attributes:
        value: the metric.
        uncertainty: its standard deviation over resamplings, or what docs/metrics.md says of it.
        floor: the same metric of independent truth in place of the generated clouds; NaN where none was given.
        floor_uncertainty: of the floor.
        n_reference, n_generated: how many clouds were compared.

    Example:
        >>> print(Measurement(0.131, 0.01, 0.004, 0.001, 5000, 4000))
        0.131 +- 0.01 (floor 0.004 +- 0.001), 5000 true and 4000 generated
    """

    value: float
    uncertainty: float
    floor: float
    floor_uncertainty: float
    n_reference: int
    n_generated: int

    def __str__(self) -> str:
        floor = "" if math.isnan(self.floor) else f" (floor {_with_error(self.floor, self.floor_uncertainty)})"
        sizes = f"{self.n_reference} true and {self.n_generated} generated"
        return f"{_with_error(self.value, self.uncertainty)}{floor}, {sizes}"


def _with_error(value: float, uncertainty: float) -> str:
    return f"{value:.4g} +- {uncertainty:.2g}"
