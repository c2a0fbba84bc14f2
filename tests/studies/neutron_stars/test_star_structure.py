"""Stars against published radii, against another solver, and the measured order of the integrator."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from cloudchamber.studies.neutron_stars.curves import Curves, places, solve_curves
from cloudchamber.studies.neutron_stars.equation_of_state import ENTHALPY_0, SOLAR_MASS, core, crust
from cloudchamber.studies.neutron_stars.quantities import CENTRE, COMBINATION, LOWER, MASSIVE, UPPER
from cloudchamber.studies.neutron_stars.solve import cell_centres
from cloudchamber.studies.neutron_stars.stellar_structure import solve_stars

# Of a public data set, at the centre of the box: solar masses and km.
PUBLISHED = np.array(
    [
        (1.2047833, 12.25506),
        (1.2206364, 12.253798),
        (1.2365605, 12.252601),
        (1.2525521, 12.251458),
        (1.2686073, 12.250355),
        (1.2847223, 12.249282),
        (1.3008932, 12.248225),
        (1.317116, 12.247172),
        (1.3333865, 12.246113),
        (1.3497006, 12.245034),
    ]
)
# Parameters and the radius at 1.5 solar masses, from a surrogate of the same data set.
SURROGATE = ((4.8, -2.0, 15.334), (4.9, -1.9, 13.190), (5.1, -2.0, 11.365), (5.15, -1.95, 10.065))


def radius_at(curves: Curves, mass: np.ndarray) -> np.ndarray:
    """Return the radii of all curves at one mass, or of the first curve at several."""
    return np.array([np.interp(mass, m[::-1], r[::-1]) for m, r in zip(curves.mass, curves.radius, strict=True)])


def test_published_radii_of_the_centre_to_a_two_thousandth() -> None:
    found = radius_at(solve_curves(np.array([CENTRE]), 200), PUBLISHED[:, 0])[0]
    assert np.abs(found / PUBLISHED[:, 1] - 1).max() < 5e-4


def test_surrogate_radii_to_a_five_hundredth() -> None:
    points = np.array(SURROGATE)
    found = radius_at(solve_curves(points[:, :2], 200), np.array(1.5))
    assert np.abs(found / points[:, 2] - 1).max() < 2e-3


def test_what_is_published_of_the_box() -> None:
    cells = solve_curves(cell_centres((24, 24)), 16, 48)
    assert cells.maximum_mass.min() == pytest.approx(1.36, abs=0.05)
    assert cells.maximum_mass.max() == pytest.approx(3.5, abs=0.05)
    assert (cells.maximum_mass > MASSIVE).mean() == pytest.approx(0.72, abs=0.02)
    centre = solve_curves(np.array([CENTRE]), 16)
    assert centre.maximum_mass[0] == pytest.approx(2.367, abs=0.003)
    assert centre.radius_14[0] == pytest.approx(12.240, abs=0.005)


def test_radii_depend_on_one_combination_of_the_parameters() -> None:
    step = 1e-3
    around = np.array(CENTRE) + step * np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    plus_1, minus_1, plus_2, minus_2 = solve_curves(around, 64).radius_14
    slopes = (plus_1 - minus_1) / (2 * step), (plus_2 - minus_2) / (2 * step)
    assert slopes == pytest.approx((-13.92, -9.62), rel=0.01)
    assert slopes[1] / slopes[0] == pytest.approx(COMBINATION, abs=0.01)


def test_the_integrator_is_of_fourth_order() -> None:
    """Errors of the same stars fall sixteenfold where the steps are halved."""
    parameters = np.array([CENTRE, LOWER, UPPER]).T
    fine = solve_stars(*parameters, steps=1536)
    steps = (48, 96, 192)
    errors = []
    for number in steps:
        stars = solve_stars(*parameters, steps=number)
        same = np.searchsorted(fine.enthalpy, stars.enthalpy * (1 - 1e-9))
        np.testing.assert_allclose(fine.enthalpy[same], stars.enthalpy, rtol=1e-12)
        errors.append(np.abs(stars.mass / fine.mass[:, same] - 1)[:, stars.enthalpy > 0.1].max())
    order = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert order == pytest.approx(4.0, abs=0.2)
    assert errors[1] < 2e-6


def star_by_scipy(enthalpy: float, lambda_1: float, lambda_2: float) -> tuple[float, float]:
    """Return mass and radius of a star by the equations in radius and mass themselves, at tight tolerance."""
    parameters = np.array([[lambda_1]]), np.array([[lambda_2]])

    def matter(h: float) -> tuple[float, float]:
        if h < ENTHALPY_0:
            outside = crust(np.array([max(h, 0.0)]))
            return float(outside.density[0]), float(outside.pressure[0])
        inside = core(np.linspace(ENTHALPY_0, h, 40), *parameters)
        return float(inside.density[0, -1]), float(inside.pressure[0, -1])

    def slopes(h: float, state: np.ndarray) -> tuple[float, float]:
        radius, mass = state
        density, pressure = matter(h)
        of_radius = -radius * (radius - 2 * mass) / (mass + 4 * np.pi * radius**3 * pressure)
        return of_radius, 4 * np.pi * radius**2 * density * of_radius

    density, pressure = matter(enthalpy)
    fall = 1e-6 * enthalpy
    radius = np.sqrt(3 * fall / (2 * np.pi * (density + 3 * pressure)))
    begin = radius, 4 / 3 * np.pi * density * radius**3
    middle = solve_ivp(slopes, (enthalpy - fall, ENTHALPY_0), begin, "RK45", rtol=1e-8, atol=1e-12)
    solved = solve_ivp(slopes, (ENTHALPY_0, 0.0), middle.y[:, -1], "RK45", rtol=1e-8, atol=1e-12)
    return float(solved.y[1, -1]) / SOLAR_MASS, float(solved.y[0, -1])


@pytest.mark.parametrize(("parameters", "place"), [(CENTRE, 0), (CENTRE, -12), ((4.8, -2.0), 20), ((5.2, -1.9), 30)])
def test_another_solver_gives_the_same_star(parameters: tuple[float, float], place: int) -> None:
    stars = solve_stars(*np.array([parameters]).T)
    mass, radius = star_by_scipy(float(stars.enthalpy[place]), *parameters)
    assert float(stars.mass[0, place]) == pytest.approx(mass, rel=2e-5)
    assert float(stars.radius[0, place]) == pytest.approx(radius, rel=2e-5)


def test_curves_end_at_the_maximum_mass_and_at_the_smallest_one() -> None:
    curves = solve_curves(cell_centres((4, 4)), 48)
    np.testing.assert_allclose(curves.mass[:, 0], curves.maximum_mass)
    np.testing.assert_allclose(curves.mass[:, -1], 1.2)
    assert (np.diff(curves.mass, axis=1) < 0).all()
    finer = solve_curves(cell_centres((4, 4)), 471, steps=192)
    np.testing.assert_allclose(curves.radius, finer.radius[:, ::10], atol=2e-3)
    assert places(48)[-1] == 1.0


def test_where_the_maximum_is_light_radii_are_those_at_the_maximum() -> None:
    curves = solve_curves(np.array([UPPER - 1e-6]), 48)
    assert curves.maximum_mass[0] < 1.4
    assert curves.radius_14[0] == pytest.approx(curves.radius[0, 0], abs=1e-2)
    assert curves.radius_14[0] < curves.radius_13[0]


def test_parameters_far_outside_of_the_box_are_refused() -> None:
    with pytest.raises(ValueError, match="do not reach"):
        solve_curves(np.array([(5.4, -1.8)]), 48)
