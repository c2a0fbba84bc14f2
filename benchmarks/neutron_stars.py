"""Neutron stars: all stars of many equations of state at once, against one star after the other through scipy."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.timing import Measurement, measure
from cloudchamber.studies.neutron_stars.equation_of_state import ENTHALPY_0, SOLAR_MASS, core, crust
from cloudchamber.studies.neutron_stars.solve import cell_centres
from cloudchamber.studies.neutron_stars.stellar_structure import solve_stars

__all__ = ["measurements"]

_EQUATIONS, _STEPS = (21, 21), 96
# Stars that scipy solves in a round; its rate is that of each.
_PEER_STARS = 40
_TOLERANCE = 1e-6


def _star(
    enthalpy: float, density: Callable[[float], float], pressure: Callable[[float], float]
) -> tuple[float, float]:
    """Return mass and radius of one star by an adaptive solver, in radius and mass."""

    def slopes(h: float, state: np.ndarray) -> tuple[float, float]:
        radius, mass = state
        of_radius = -radius * (radius - 2 * mass) / (mass + 4 * np.pi * radius**3 * pressure(h))
        return of_radius, 4 * np.pi * radius**2 * density(h) * of_radius

    fall = 1e-5 * enthalpy
    radius = np.sqrt(3 * fall / (2 * np.pi * (density(enthalpy) + 3 * pressure(enthalpy))))
    begin = radius, 4 / 3 * np.pi * density(enthalpy) * radius**3
    solved = solve_ivp(slopes, (enthalpy - fall, 0.0), begin, "RK45", rtol=_TOLERANCE, atol=1e-9)
    return float(solved.y[1, -1]) / SOLAR_MASS, float(solved.y[0, -1])


def _interpolated(lambda_1: float, lambda_2: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Return density and pressure of one equation of state from a table, which is not part of what is measured."""
    outside, inside = np.linspace(0.0, ENTHALPY_0, 400)[:-1], np.geomspace(ENTHALPY_0, 0.95, 4000)
    light, heavy = crust(outside), core(inside, np.array([[lambda_1]]), np.array([[lambda_2]]))
    table = np.concatenate([outside, inside])
    density = np.concatenate([light.density, heavy.density[0]])
    pressure = np.concatenate([light.pressure, heavy.pressure[0]])
    return lambda h: float(np.interp(h, table, density)), lambda h: float(np.interp(h, table, pressure))


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure stars per second on one core; times of the peer are scaled to as many stars as own solves."""
    parameters = cell_centres(_EQUATIONS)
    lambda_1, lambda_2 = parameters.T
    stars = solve_stars(lambda_1, lambda_2, _STEPS)
    number = stars.mass.size
    middle = len(parameters) // 2
    chosen = np.linspace(0, len(stars.enthalpy) - 1, _PEER_STARS).astype(int)
    matter = _interpolated(*parameters[middle])

    def peer() -> np.ndarray:
        return np.array([_star(float(stars.enthalpy[place]), *matter) for place in chosen])

    np.testing.assert_allclose(
        peer(), np.column_stack([stars.mass[middle, chosen], stars.radius[middle, chosen]]), rtol=1e-3
    )
    own_seconds, peer_seconds = measure(lambda: solve_stars(lambda_1, lambda_2, _STEPS), peer, rounds)
    scaled = tuple(seconds * number / _PEER_STARS for seconds in peer_seconds)
    at_once = f"{len(parameters)} equations of state x {len(stars.enthalpy)} stars at once"
    text = f"{at_once}, against scipy's solver, a star each"
    yield Measurement("neutron stars", text, own_seconds, scaled, number, "stars", 100.0)
