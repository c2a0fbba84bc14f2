"""Equations of state in the causal enthalpy-based spectral form of Lindblom (arXiv 1804.04072), two parameters.

Matter is described by its pseudo-enthalpy h, the integral of dp / (energy density + p). With c = G = 1,

    (1 - v^2) / v^2 = Y(h) = exp(lambda_1 + lambda_2 ln(h / h0)),

where v is the speed of sound, which is below one for all parameters. Then d ln(energy density + p) / dh = 2 + Y has a
closed form, and p is one quadrature. Below h0 stands a polytrope, p ~ h^(n + 1), that fulfils dp / dh = energy density
+ p as well.

h0 and the matter there are not published. They are those with which radii agree with published ones: ten of the centre
of the box to 0.01 %, four of other parameters to 0.15 %.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = [
    "ENTHALPY_0",
    "SOLAR_MASS",
    "Matter",
    "core",
    "crust",
    "derivatives",
    "enthalpy_density",
    "speed_of_sound_squared",
]

# G M / c^2 of the Sun [km].
SOLAR_MASS = 1.476625
# Of one g/cm^3, times G / c^2, in 1 / km^2.
_DENSITY = 7.42616e-19
_SPEED_OF_LIGHT = 2.99792458e10

ENTHALPY_0 = 0.01744
_DENSITY_0 = 5.0443e13 * _DENSITY
_PRESSURE_0 = 2.885e32 / _SPEED_OF_LIGHT**2 * _DENSITY
_SUM_0 = _DENSITY_0 + _PRESSURE_0
# n + 1 of the polytrope, so that dp / dh is the enthalpy density at h0 too.
_EXPONENT = _SUM_0 * ENTHALPY_0 / _PRESSURE_0
# Points of Gauss-Legendre quadrature between two enthalpies.
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(4)


@final
@dataclass(frozen=True)
class Matter:
    """Energy density and pressure [1 / km^2] at some enthalpies; arrays of equal shape."""

    density: np.ndarray
    pressure: np.ndarray


def enthalpy_density(enthalpy: np.ndarray, lambda_1: np.ndarray, lambda_2: np.ndarray) -> np.ndarray:
    """Return energy density + pressure [1 / km^2] at and above ``ENTHALPY_0``; arguments are broadcast."""
    ratio = enthalpy / ENTHALPY_0
    power = 1 + lambda_2
    stiffness = ENTHALPY_0 * np.exp(lambda_1) * (ratio**power - 1) / power
    return _SUM_0 * np.exp(2 * (enthalpy - ENTHALPY_0) + stiffness)


def _y(enthalpy: np.ndarray, lambda_1: np.ndarray, lambda_2: np.ndarray) -> np.ndarray:
    return np.exp(lambda_1) * (enthalpy / ENTHALPY_0) ** lambda_2


def speed_of_sound_squared(enthalpy: np.ndarray, lambda_1: np.ndarray, lambda_2: np.ndarray) -> np.ndarray:
    """Return v^2 in units of that of light; arguments are broadcast."""
    return 1 / (1 + _y(enthalpy, lambda_1, lambda_2))


def core(enthalpy: np.ndarray, lambda_1: np.ndarray, lambda_2: np.ndarray) -> Matter:
    """Return the matter above ``ENTHALPY_0`` of many equations of state.

    Args:
        enthalpy: (H,) rising, the first one is ``ENTHALPY_0``; intervals of a few per cent give p to about 1e-12.
        lambda_1, lambda_2: (E, 1) parameters.

    Returns:
        (E, H) each.
    """
    steps = np.diff(enthalpy)
    between = enthalpy[:-1, None] + steps[:, None] * (_POINTS + 1) / 2
    integrand = enthalpy_density(between.ravel(), lambda_1, lambda_2).reshape(len(lambda_1), *between.shape)
    rises = (integrand @ _WEIGHTS) * steps / 2
    pressure = _PRESSURE_0 + np.pad(np.cumsum(rises, axis=1), ((0, 0), (1, 0)))
    return Matter(enthalpy_density(enthalpy, lambda_1, lambda_2) - pressure, pressure)


def crust(enthalpy: np.ndarray) -> Matter:
    """Return the (H,) matter at (H,) enthalpies up to ``ENTHALPY_0``, the same for all parameters."""
    ratio = enthalpy / ENTHALPY_0
    pressure = _PRESSURE_0 * ratio**_EXPONENT
    return Matter(_SUM_0 * ratio ** (_EXPONENT - 1) - pressure, pressure)


def derivatives(
    enthalpy: np.ndarray, matter: Matter, lambda_1: np.ndarray, lambda_2: np.ndarray
) -> tuple[Matter, Matter]:
    """Return the first and second derivatives of density and pressure above ``ENTHALPY_0`` with respect to enthalpy.

    Args:
        enthalpy: (H,).
        matter: (E, H) at these enthalpies.
        lambda_1, lambda_2: (E, 1) parameters.
    """
    total, y = matter.density + matter.pressure, _y(enthalpy, lambda_1, lambda_2)
    first = Matter(total * (1 + y), total)
    second = Matter(total * ((2 + y) * (1 + y) + lambda_2 * y / enthalpy), total * (2 + y))
    return first, second
