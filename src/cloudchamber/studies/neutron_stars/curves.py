"""Curves of mass and radius: one for each equation of state, and what is read off them."""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.interpolate import CubicSpline

from cloudchamber.progress import progress
from cloudchamber.studies.neutron_stars.quantities import SMALLEST_MASS, all_quantities
from cloudchamber.studies.neutron_stars.stellar_structure import solve_stars

__all__ = ["Curves", "places", "solve_curves"]

# So many equations of state at once stay in the cache.
_CHUNK = 200
_FINE = 600


def places(points: int) -> np.ndarray:
    """Return the (P,) places of the points of a curve: s from 0 (maximum mass) to 1 (smallest mass).

    The mass at s is maximum - s^2 (maximum - smallest). The radius is smooth in s: against the mass itself the curve
    turns vertical at the maximum.
    """
    return np.linspace(0.0, 1.0, points)


@final
@dataclass(frozen=True)
class Curves:
    """Stable stars of E equations of state, from 1.2 solar masses to the maximum mass.

    Attributes:
        parameters: (E, 2) lambda_1 and lambda_2.
        maximum_mass: (E,) [solar masses].
        radius: (E, P) [km] at the :func:`places`, on straight lines between them.
        radius_13, radius_14: (E,) [km] at 1.3 and 1.4 solar masses; where the maximum is less, at the maximum.
    """

    parameters: np.ndarray
    maximum_mass: np.ndarray
    radius: np.ndarray
    radius_13: np.ndarray
    radius_14: np.ndarray

    @property
    def mass(self) -> np.ndarray:
        """(E, P) [solar masses] at the places."""
        s = places(self.radius.shape[1])
        return self.maximum_mass[:, None] - s**2 * (self.maximum_mass[:, None] - SMALLEST_MASS)

    @property
    def quantities(self) -> dict[str, np.ndarray]:
        """(E,) each of the quantities of the study."""
        return all_quantities(
            {
                "lambda_1": self.parameters[:, 0],
                "lambda_2": self.parameters[:, 1],
                "radius_1.3": self.radius_13,
                "radius_1.4": self.radius_14,
                "maximum_mass": self.maximum_mass,
            }
        )


def solve_curves(parameters: np.ndarray, points: int, steps: int = 96) -> Curves:
    """Return the curves of (E, 2) parameters.

    Args:
        parameters: lambda_1 and lambda_2.
        points: P.
        steps: of :func:`~cloudchamber.studies.neutron_stars.stellar_structure.solve_stars`.

    Raises:
        ValueError: stars of some parameters do not reach from 1.2 solar masses to a maximum.
    """
    parts = []
    with progress("mass-radius curves", len(parameters), "equations of state") as bar:
        for start in range(0, len(parameters), _CHUNK):
            some = parameters[start : start + _CHUNK]
            parts.append(_curves(some, points, steps))
            bar.update(len(some))
    return Curves(parameters, *(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _curves(parameters: np.ndarray, points: int, steps: int) -> tuple[np.ndarray, ...]:
    stars = solve_stars(parameters[:, 0], parameters[:, 1], steps)
    logarithm = np.log(stars.enthalpy)
    fine = np.linspace(logarithm[0], logarithm[-1], _FINE)
    masses, radii = (CubicSpline(logarithm, values, axis=1)(fine) for values in (stars.mass, stars.radius))
    tops = masses.argmax(axis=1)
    reached = (masses[:, 0] < SMALLEST_MASS) & (masses.max(axis=1) > SMALLEST_MASS) & (tops < _FINE - 1)
    if not reached.all():
        raise ValueError("stars of some parameters do not reach from 1.2 solar masses to a maximum")
    rows = np.arange(len(parameters))
    # The maximum of the parabola through the highest point and its neighbours.
    left, middle, right = (masses[rows, tops + shift] for shift in (-1, 0, 1))
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    maximum = middle - 0.25 * (left - right) * shift
    of_maximum = radii[rows, tops] + shift * (radii[rows, tops + 1] - radii[rows, tops - 1]) / 2
    s = places(points)
    made = np.empty((len(rows), points))
    at = np.empty((2, len(rows)))
    for row in rows:
        stable = slice(tops[row], None, -1)
        mass, radius = masses[row, stable], radii[row, stable]
        known = np.sqrt(np.maximum(maximum[row] - mass, 0.0) / (maximum[row] - SMALLEST_MASS))
        made[row] = np.interp(s, [0.0, *known], [of_maximum[row], *radius])
        at[:, row] = np.interp([1.3, 1.4], [*mass[::-1], maximum[row]], [*radius[::-1], of_maximum[row]])
    return maximum, made, at[0], at[1]
