"""What the study infers: the two parameters of an equation of state, and what they decide.

The box of the parameters is that of a published data set: uniform within 5 % of the centre.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = [
    "CENTRE",
    "COMBINATION",
    "LOWER",
    "MASSIVE",
    "PARAMETERS",
    "PREDICTED",
    "QUANTITIES",
    "SMALLEST_MASS",
    "UPPER",
    "Quantity",
    "all_quantities",
    "from_box",
    "to_box",
]

CENTRE = (5.004855178, -1.950356165)
LOWER = np.array([4.7546, -2.0479])
UPPER = np.array([5.2551, -1.8529])
# Stars are at least that heavy; pulsars of the second mass are known, so that no equation of state may have less.
SMALLEST_MASS, MASSIVE = 1.2, 2.0
# Radii depend on both parameters nearly in this combination alone: the ratio of their derivatives at 1.4 solar masses.
COMBINATION = 0.69


@final
@dataclass(frozen=True)
class Quantity:
    """How a quantity is shown: its name in tables, its symbol on axes, its unit ("" for a number without one)."""

    name: str
    symbol: str
    unit: str = ""

    @property
    def axis_label(self) -> str:
        return f"{self.symbol} [{self.unit}]" if self.unit else self.symbol


QUANTITIES: Mapping[str, Quantity] = {
    "lambda_1": Quantity("λ1", r"$\lambda_1$"),
    "lambda_2": Quantity("λ2", r"$\lambda_2$"),
    "combination": Quantity(f"λ1 + {COMBINATION} λ2", rf"$\lambda_1 + {COMBINATION}\,\lambda_2$"),
    "radius_1.3": Quantity("R(1.3)", r"$R(1.3\,M_\odot)$", "km"),
    "radius_1.4": Quantity("R(1.4)", r"$R(1.4\,M_\odot)$", "km"),
    "maximum_mass": Quantity("maximum mass", r"$M_{\max}$", r"$M_\odot$"),
}
PARAMETERS = ("lambda_1", "lambda_2")
# What a network with point estimates gives; the combination follows from the first two.
PREDICTED = ("lambda_1", "lambda_2", "radius_1.3", "radius_1.4", "maximum_mass")


def all_quantities(predicted: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return all quantities from those of :data:`PREDICTED`, in the order of :data:`QUANTITIES`.

    Averages of the parameters give the average of their combination too, since that is linear.
    """
    combination = predicted["lambda_1"] + COMBINATION * predicted["lambda_2"]
    return {name: combination if name == "combination" else predicted[name] for name in QUANTITIES}


def to_box(parameters: np.ndarray) -> np.ndarray:
    """Return (..., 2) parameters as fractions of the box, from 0 to 1."""
    return (parameters - LOWER) / (UPPER - LOWER)


def from_box(fractions: np.ndarray) -> np.ndarray:
    """Return the (..., 2) parameters at fractions of the box."""
    return LOWER + fractions * (UPPER - LOWER)
