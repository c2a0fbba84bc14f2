"""Closed forms of the systems, against Lyapunov equations, quadratures and each other."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad, solve_ivp
from scipy.linalg import solve_continuous_lyapunov
from systems_of_tests import BOX, PAIR, SPRINGS, TRAP, TRAPPED_DISKS, system

from cloudchamber.errors import SettingsError
from cloudchamber.settings.base import parse
from cloudchamber.studies.active_matter.settings import ActiveMatterSettings
from cloudchamber.studies.active_matter.system_settings import DisksSettings, EnsembleSettings
from cloudchamber.studies.active_matter.systems.linear import discrete_covariance, entropy_production
from cloudchamber.studies.active_matter.systems.system import Exact, System

ROTATION: dict[str, Any] = {"kind": "rotation", "stiffness": 1.0, "diffusion": 0.5}
RING: dict[str, Any] = {"kind": "driven_ring", "barrier": 1.0, "diffusion": 0.3}
LINEAR = [(TRAP, 1.0), (ROTATION, 0.7), (SPRINGS, 1.0), ({**SPRINGS, "particles": 5, "coupling": 1.1}, 0.3)]


def known(one: System, drive: float) -> Exact:
    exact = one.exact(drive)
    assert exact is not None
    return exact


def matrix_of(one: System, drive: float) -> np.ndarray:
    """Return K of a linear system from its drift."""
    size = one.particles * one.channels
    basis = np.eye(size).reshape(size, one.particles, one.channels)
    return -one.drift(basis, drive).reshape(size, size).T


@pytest.mark.parametrize(
    ("values", "drive", "expected"),
    [(TRAP, 1.0, 1.666667), (ROTATION, 0.7, 0.98), (SPRINGS, 1.0, 5.171717), (RING, 1.0, 1.76883)],
)
def test_entropy_production_has_the_published_formula(values: dict[str, Any], drive: float, expected: float) -> None:
    """v0^2 gamma / (eps (A + gamma)), 2 Omega^2 / k, the sum over modes, J F L / T: evaluated by hand."""
    assert known(system(values), drive).entropy_production == pytest.approx(expected, rel=3e-6)


@pytest.mark.parametrize(("values", "drive"), LINEAR)
def test_linear_systems_agree_with_the_lyapunov_equation(values: dict[str, Any], drive: float) -> None:
    one = system(values)
    exact, matrix = known(one, drive), matrix_of(one, drive)
    diffusions = np.tile(one.diffusions, one.particles)
    covariance = solve_continuous_lyapunov(matrix, 2 * np.diag(diffusions))
    rates = entropy_production(matrix, diffusions, covariance)
    assert exact.entropy_production == pytest.approx(rates.sum(), rel=1e-10)
    # The other way to write it: tr(D^-1 K C K^T) - tr K.
    other = np.trace(np.diag(1 / diffusions) @ matrix @ covariance @ matrix.T) - np.trace(matrix)
    assert exact.entropy_production == pytest.approx(other, rel=1e-10)
    points = np.random.default_rng(1).standard_normal((7, one.particles, one.channels))
    score = -np.linalg.solve(covariance, points.reshape(7, -1).T).T.reshape(points.shape)
    assert exact.score(points) == pytest.approx(score, rel=1e-8)
    if one.rate is not None:
        slopes = np.diag(np.diag(diffusions) @ np.linalg.inv(covariance) - matrix)
        assert exact.position_divergence == pytest.approx(slopes[np.arange(len(slopes)) % 2 == 0].sum())


def test_a_box_below_twice_the_cutoff_is_refused() -> None:
    """In it a disk meets more than the nearest image of another one."""
    assert system(BOX, particles=6).length == pytest.approx(6.14, abs=0.01)
    with pytest.raises(SettingsError, match=r"the box of 5 disks has a side of 5\.6 radii, below twice the cutoff"):
        system(BOX, particles=5)


def test_springs_have_the_formula_of_any_number_of_particles() -> None:
    for number in (2, 16, 32):
        one = known(system(SPRINGS, particles=number), 1.0)
        by_modes = 0.4 / 0.25 * (1 / 0.9 + (number - 1) / (0.5 + 2.4 + 0.4))
        assert one.entropy_production == pytest.approx(by_modes, rel=1e-10)


def test_trap_splits_as_in_closed_form() -> None:
    exact = known(system(TRAP), 1.0)
    assert exact.share_of_positions == pytest.approx(1.140351, rel=1e-6)
    assert exact.position_divergence == pytest.approx(-0.526316, rel=1e-5)


@pytest.mark.parametrize(("barrier", "force", "temperature", "expected"), [(0, 1, 0.5, 2.0), (1, 0.5, 0.5, 0.17559)])
def test_driven_ring_agrees_with_a_quadrature(
    barrier: float, force: float, temperature: float, expected: float
) -> None:
    one = system(RING, barrier=barrier, diffusion=temperature)
    exact = known(one, force)
    assert exact.entropy_production == pytest.approx(expected, abs=7e-6)

    def potential(x: float) -> float:
        return barrier * np.cos(x) - force * x

    def density(x: float) -> float:
        inner, _ = quad(lambda y: np.exp((potential(y) - potential(x)) / temperature), x, x + 2 * np.pi)
        return float(inner)

    step = 1e-4
    for x in (-2.0, 0.3, 1.7):
        slope = (np.log(density(x + step)) - np.log(density(x - step))) / (2 * step)
        assert exact.score(np.array([[[x]]]))[0, 0, 0] == pytest.approx(slope, abs=2e-4)


@pytest.mark.parametrize(("barrier", "force", "temperature"), [(1.0, 1.5, 0.1), (1.0, 2.0, 0.01), (0.0, 2.0, 0.01)])
def test_driven_ring_slides_at_low_temperature(barrier: float, force: float, temperature: float) -> None:
    """Without noise the mean speed is sqrt(F^2 - u0^2); e^(V / T) spans more than digits, or the range, of numbers."""
    exact = known(system(RING, barrier=barrier, diffusion=temperature), force)
    without_noise = force * np.sqrt(force**2 - barrier**2) / temperature
    assert exact.entropy_production == pytest.approx(without_noise, rel=0.01)
    score = exact.score(np.linspace(-3, 3, 50)[:, None, None])
    # Of density one over the speed.
    speed = force + barrier * np.sin(np.linspace(-3, 3, 50))
    slope = -barrier * np.cos(np.linspace(-3, 3, 50)) / speed
    assert score[:, 0, 0] == pytest.approx(slope, abs=0.6)


@pytest.mark.parametrize("values", [{"diffusion": 0.01}, {"drive": 2.0}])
def test_nothing_exact_is_said_of_a_ring_of_two_that_no_grid_resolves(
    values: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    drive = values.pop("drive", 0.5)
    assert system(PAIR, **values).exact(drive) is None
    assert f"at the drive {drive:g} nothing exact is known" in capsys.readouterr().err


def test_a_longer_ring_of_two_takes_a_finer_grid() -> None:
    found = system(PAIR, half_length=30.0).solution(0.25)  # type: ignore[attr-defined]
    assert found.entropy_production == pytest.approx(0.55841, abs=1e-5)
    assert found.share_of_positions + found.share_of_activities == pytest.approx(0.55841, abs=1e-4)


def test_ring_of_two_agrees_with_the_reference_and_with_itself() -> None:
    found = system(PAIR).solution(0.25)  # type: ignore[attr-defined]
    assert found.entropy_production == pytest.approx(0.397, abs=5e-4)
    # E[v D^-1 v] and the moment are two ways to the same number.
    assert found.share_of_positions + found.share_of_activities == pytest.approx(found.entropy_production, abs=1e-4)
    assert found.position_divergence == pytest.approx(-found.share_of_activities, abs=1e-4)
    spacing = found.activities[1] - found.activities[0]
    assert found.density.sum() * spacing * 16 / len(found.positions) == pytest.approx(1.0, abs=1e-6)


def test_ring_of_two_is_boltzmann_in_equilibrium() -> None:
    one = system(PAIR)
    points = np.array([[[3.0, 0.5]], [[1.8, -1.0]], [[-1.9, 2.0]]])
    expected = np.stack([one.force(points[..., :1])[..., 0] / one.diffusion, -points[..., 1]], axis=-1)
    assert known(one, 0.0).score(points) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("values", [TRAP, ROTATION, SPRINGS, RING, PAIR, TRAPPED_DISKS, BOX])
def test_drift_is_the_same_for_arrays_and_tensors(values: dict[str, Any]) -> None:
    one = system(values)
    state = one.initial(np.random.default_rng(2), 3)
    tensors = torch.from_numpy(state)
    # Beyond the cut-off the two ways agree exactly, and so do they within.
    assert one.drift(tensors, 0.7).numpy() == pytest.approx(one.drift(state, 0.7), abs=1e-11)
    assert one.step_mean(tensors, 0.7, 0.1).numpy() == pytest.approx(one.step_mean(state, 0.7, 0.1), abs=1e-11)


@pytest.mark.parametrize("values", [TRAP, ROTATION, SPRINGS, RING, PAIR, TRAPPED_DISKS])
def test_nothing_drives_a_system_at_a_drive_of_zero(values: dict[str, Any]) -> None:
    one = system(values)
    state = one.initial(np.random.default_rng(3), 4)
    assert not np.any(one.propulsion(state, 0.0))
    exact = one.exact(0.0)
    assert exact is None or abs(exact.entropy_production) < 1e-9


def test_covariance_of_the_integrator_is_that_of_its_chain() -> None:
    """Doubling the number of steps gives what a long sum of steps gives."""
    propagator, deviations = np.array([[0.9, 0.1], [0.0, 0.95]]), np.array([0.3, 0.2])
    summed, power = np.zeros((2, 2)), np.eye(2)
    for _ in range(2000):
        summed += power @ np.diag(deviations**2) @ power.T
        power = propagator @ power
    assert discrete_covariance(propagator, deviations) == pytest.approx(summed, rel=1e-12)


def test_deterministic_flow_keeps_the_exact_density() -> None:
    """Moved along the probability flow, points of a Gaussian keep its covariance."""
    one = system(TRAP)
    exact, matrix = known(one, 1.0), matrix_of(one, 1.0)
    covariance = solve_continuous_lyapunov(matrix, 2 * np.diag(one.diffusions))
    basis = np.eye(2).reshape(2, 1, 2)
    flow = (one.drift(basis, 1.0) - one.diffusions * exact.score(basis)).reshape(2, 2).T
    moved = solve_ivp(
        lambda _, flat: (flow @ flat.reshape(2, 2) + flat.reshape(2, 2) @ flow.T).ravel(), (0, 5), covariance.ravel()
    )
    assert moved.y[:, -1].reshape(2, 2) == pytest.approx(covariance, rel=1e-3)


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        (DisksSettings, {**BOX, "stiffness": 0.1}, "either stiffness"),
        (DisksSettings, {**TRAPPED_DISKS, "stiffness": 0.0}, "either stiffness"),
        (
            EnsembleSettings,
            {"title": "t", "system": TRAP, "drives": [1.0], "trajectories": 2, "step": 0.1, "burn_in": 1, "spacing": 1,
             "snapshots": 2},
            "at least four blocks",
        ),
        (ActiveMatterSettings, {"ensembles": {}, "models": {}}, "ensembles"),
    ],
)  # fmt: skip
def test_settings_that_mean_nothing_are_refused(model: Any, values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse(model, values)
