"""Equations of state: causal, monotone, consistent, and what the closed form says by other ways."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from cloudchamber.studies.neutron_stars.equation_of_state import (
    ENTHALPY_0,
    core,
    crust,
    derivatives,
    enthalpy_density,
    speed_of_sound_squared,
)
from cloudchamber.studies.neutron_stars.quantities import CENTRE, LOWER, UPPER

ENTHALPY = np.geomspace(ENTHALPY_0, 0.95, 193)
CORNERS = np.array([CENTRE, LOWER, UPPER, (LOWER[0], UPPER[1]), (UPPER[0], LOWER[1])])
LAMBDA_1, LAMBDA_2 = CORNERS[:, :1], CORNERS[:, 1:]


def test_sound_is_slower_than_light_and_matter_is_stable() -> None:
    assert (speed_of_sound_squared(ENTHALPY, LAMBDA_1, LAMBDA_2) < 1).all()
    matter = core(ENTHALPY, LAMBDA_1, LAMBDA_2)
    assert (np.diff(matter.density, axis=1) > 0).all()
    assert (np.diff(matter.pressure, axis=1) > 0).all()
    assert (matter.pressure > 0).all()


def test_the_speed_of_sound_is_the_slope_of_pressure_against_density() -> None:
    fine = np.geomspace(ENTHALPY_0, 0.95, 4001)
    matter = core(fine, LAMBDA_1, LAMBDA_2)
    slope = np.diff(matter.pressure, axis=1) / np.diff(matter.density, axis=1)
    middle = speed_of_sound_squared((fine[1:] + fine[:-1]) / 2, LAMBDA_1, LAMBDA_2)
    np.testing.assert_allclose(slope, middle, rtol=1e-5)


def test_the_closed_form_solves_its_differential_equation() -> None:
    for lambda_1, lambda_2 in CORNERS:

        def slope(h: float, y: np.ndarray, parameters: tuple[float, float] = (lambda_1, lambda_2)) -> np.ndarray:
            return y * (2 + np.exp(parameters[0]) * (h / ENTHALPY_0) ** parameters[1])

        begin = enthalpy_density(np.array([ENTHALPY_0]), lambda_1, lambda_2)
        solved = solve_ivp(slope, (ENTHALPY_0, 0.95), begin, "DOP853", [0.1, 0.5, 0.95], rtol=1e-12, atol=1e-30)
        np.testing.assert_allclose(
            solved.y[0], enthalpy_density(np.array([0.1, 0.5, 0.95]), lambda_1, lambda_2), rtol=1e-9
        )


def test_pressure_is_the_integral() -> None:
    matter = core(ENTHALPY, LAMBDA_1, LAMBDA_2)
    for row, (lambda_1, lambda_2) in enumerate(CORNERS):
        rise, _ = quad(
            lambda h, a=lambda_1, b=lambda_2: float(enthalpy_density(np.array(h), a, b)),
            ENTHALPY_0,
            0.95,
            epsrel=1e-12,
            limit=200,
        )
        assert matter.pressure[row, -1] - matter.pressure[row, 0] == pytest.approx(rise, rel=1e-9)


def test_the_crust_joins_the_core_and_obeys_thermodynamics() -> None:
    joint = crust(np.array([ENTHALPY_0]))
    matter = core(ENTHALPY, LAMBDA_1, LAMBDA_2)
    np.testing.assert_allclose(matter.pressure[:, 0], joint.pressure[0], rtol=1e-14)
    np.testing.assert_allclose(matter.density[:, 0], joint.density[0], rtol=1e-12)
    h = np.linspace(0.2, 1.0, 50) * ENTHALPY_0
    shift = 1e-5 * ENTHALPY_0
    slope = (crust(h + shift).pressure - crust(h - shift).pressure) / (2 * shift)
    np.testing.assert_allclose(slope, crust(h).density + crust(h).pressure, rtol=1e-7)
    assert crust(np.zeros(1)).pressure[0] == 0


def test_derivatives_are_those_of_differences() -> None:
    centre, shift = np.array([ENTHALPY_0, 0.3 - 1e-3, 0.3, 0.3 + 1e-3]), 1e-3
    matter = core(np.concatenate([np.geomspace(ENTHALPY_0, 0.29, 100), centre[1:]]), LAMBDA_1, LAMBDA_2)
    before, here, after = ((matter.density[:, place], matter.pressure[:, place]) for place in (-3, -2, -1))
    at = type(matter)(here[0][:, None], here[1][:, None])
    first, second = derivatives(np.array([0.3]), at, LAMBDA_1, LAMBDA_2)
    for place, name in enumerate(("density", "pressure")):
        slope = (after[place] - before[place]) / (2 * shift)
        curvature = (after[place] - 2 * here[place] + before[place]) / shift**2
        np.testing.assert_allclose(getattr(first, name)[:, 0], slope, rtol=2e-4)
        np.testing.assert_allclose(getattr(second, name)[:, 0], curvature, rtol=2e-3)
