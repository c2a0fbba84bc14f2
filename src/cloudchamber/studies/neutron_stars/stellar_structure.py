"""The equations of Tolman, Oppenheimer and Volkoff in enthalpy, for many equations of state and many stars at once.

Unknowns are u = r^2 and w = m / r^3, which are regular at the centre (Lindblom, Astrophysical Journal 398, 1992, page
569, has equations in enthalpy). Enthalpy falls from that of the centre to zero at the surface, so that no root has to
be found. All stars share the points of enthalpy: each begins at one of them, and all go on together, so that the matter
of an equation of state is computed once and not for each star.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.studies.neutron_stars.equation_of_state import (
    ENTHALPY_0,
    SOLAR_MASS,
    Matter,
    core,
    crust,
    derivatives,
)

__all__ = ["Stars", "solve_stars"]

# Central enthalpies between which masses go from below 1.2 solar masses to beyond the maximum, all over the box.
_LOWEST, _HIGHEST = 0.07, 0.95


@final
@dataclass(frozen=True)
class Stars:
    """Stars of many equations of state.

    Attributes:
        enthalpy: (S,) central enthalpies, rising.
        mass: (E, S) [solar masses].
        radius: (E, S) [km].
    """

    enthalpy: np.ndarray
    mass: np.ndarray
    radius: np.ndarray


def solve_stars(lambda_1: np.ndarray, lambda_2: np.ndarray, steps: int = 96) -> Stars:
    """Return stars of each equation of state, from below 1.2 solar masses to beyond the maximum mass.

    The classical Runge-Kutta method of fourth order, after a series about the centre of the same order.

    Args:
        lambda_1, lambda_2: (E,) parameters.
        steps: of the enthalpy between the crust and the highest central one, evenly spaced in its logarithm; there are
            about two thirds as many stars.
    """
    lambda_1, lambda_2 = lambda_1[:, None], lambda_2[:, None]
    nodes = np.geomspace(ENTHALPY_0, _HIGHEST, steps + 1)
    halves = _with_middles(nodes)
    matter = core(halves, lambda_1, lambda_2)
    first = int(np.searchsorted(nodes, _LOWEST))
    starts = np.arange(first, steps + 1)
    u, w = _near_centre(nodes[starts], nodes[starts] - nodes[starts - 1], matter, 2 * starts, lambda_1, lambda_2)
    for node in range(steps, 0, -1):
        # Stars of this central enthalpy are at the next node already; lighter ones have not begun.
        inside = slice(max(node + 1 - first, 0), None)
        step = nodes[node - 1] - nodes[node]
        densities, pressures = (values[:, 2 * node - 2 : 2 * node + 1, None] for values in _of(matter))
        u[:, inside], w[:, inside] = _runge_kutta(u[:, inside], w[:, inside], step, densities, pressures)
    # The density goes like a power of h that is no whole number: finer steps near the surface keep the order.
    outer = ENTHALPY_0 * np.linspace(0, 1, max(steps // 6, 2) + 1) ** 2
    densities, pressures = (values[None, :, None] for values in _of(crust(_with_middles(outer))))
    for node in range(len(outer) - 1, 0, -1):
        part = slice(2 * node - 2, 2 * node + 1)
        u, w = _runge_kutta(u, w, outer[node - 1] - outer[node], densities[:, part], pressures[:, part])
    return Stars(nodes[starts], w * u**1.5 / SOLAR_MASS, np.sqrt(u))


def _of(matter: Matter) -> tuple[np.ndarray, np.ndarray]:
    return matter.density, matter.pressure


def _with_middles(nodes: np.ndarray) -> np.ndarray:
    """Return (K,) nodes with the middles between them: (2 K - 1,)."""
    both = np.repeat(nodes, 2)[:-1]
    both[1::2] += np.diff(nodes) / 2
    return both


def _slopes(u: np.ndarray, w: np.ndarray, density: np.ndarray, pressure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return du / dh and dw / dh."""
    common = (1 - 2 * u * w) / (w + 4 * np.pi * pressure)
    return -2 * common, (3 * w - 4 * np.pi * density) * common / u


def _runge_kutta(
    u: np.ndarray, w: np.ndarray, step: float, density: np.ndarray, pressure: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return u and w after a step; the second axis of the matter is: after the step, in its middle, before it."""
    a = _slopes(u, w, density[:, 2], pressure[:, 2])
    b = _slopes(u + step / 2 * a[0], w + step / 2 * a[1], density[:, 1], pressure[:, 1])
    c = _slopes(u + step / 2 * b[0], w + step / 2 * b[1], density[:, 1], pressure[:, 1])
    d = _slopes(u + step * c[0], w + step * c[1], density[:, 0], pressure[:, 0])
    of_u, of_w = (step / 6 * (k1 + 2 * k2 + 2 * k3 + k4) for k1, k2, k3, k4 in zip(a, b, c, d, strict=True))
    return u + of_u, w + of_w


def _near_centre(
    enthalpy: np.ndarray,
    fall: np.ndarray,
    matter: Matter,
    places: np.ndarray,
    lambda_1: np.ndarray,
    lambda_2: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (E, S) u and w where the enthalpy has fallen by ``fall`` from that of the centre.

    Series in x, the fall of the enthalpy: u to x^3 and w to x^2. The density is first expanded in u, since the mass is
    its integral over u, and then both are in x.

    Args:
        enthalpy, fall: (S,) of the centre, and how far it falls.
        matter: (E, H); the centres are at ``places`` of its last axis.
        places: (S,).
        lambda_1, lambda_2: (E, 1) parameters.
    """
    centre = Matter(matter.density[:, places], matter.pressure[:, places])
    first, second = derivatives(enthalpy, centre, lambda_1, lambda_2)
    w0 = 4 * np.pi * centre.density / 3
    # Of the denominator w + 4 pi p and the numerator 1 - 2 u w of du / dx.
    d0 = w0 + 4 * np.pi * centre.pressure
    w1 = -4 * np.pi * first.density / 5
    d1 = (w1 - 4 * np.pi * first.pressure) / d0
    u1 = 2 / d0
    n1 = -2 * u1 * w0
    u2 = u1 * (n1 - d1) / 2
    # density = centre + e1 u + e2 u^2.
    e1 = -first.density / u1
    e2 = first.density * u2 / u1**3 + second.density / (2 * u1**2)
    w2 = 4 * np.pi * (e1 * u2 / 5 + e2 * u1**2 / 7)
    d2 = (w2 + 2 * np.pi * second.pressure) / d0
    n2 = -2 * (u1 * w1 + u2 * w0)
    u3 = u1 * (n2 - n1 * d1 + d1**2 - d2) / 3
    return fall * (u1 + fall * (u2 + fall * u3)), w0 + fall * (w1 + fall * w2)
