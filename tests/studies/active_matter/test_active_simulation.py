"""The simulator: covariances, measured weak order, restart, files."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from systems_of_tests import BOX, PAIR, SPRINGS, TRAP, ensemble, system

from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import DivergenceError, InputError, SettingsError
from cloudchamber.studies.active_matter import simulate as step
from cloudchamber.studies.active_matter.dynamics import Dynamics, Walkers
from cloudchamber.studies.active_matter.estimators import estimates
from cloudchamber.studies.active_matter.simulate import simulate
from cloudchamber.studies.active_matter.snapshots import Snapshots, read_snapshots
from cloudchamber.studies.active_matter.system_settings import EnsembleSettings
from cloudchamber.studies.active_matter.systems.linear import discrete_covariance, entropy_production
from cloudchamber.studies.active_matter.systems.stability import growth_of_step, production_of_step
from cloudchamber.studies.active_matter.systems.system import System
from cloudchamber.training.record import state_folder

ROTATION = {"kind": "rotation", "stiffness": 1.0, "diffusion": 0.5}


def simulated(folder: Path, settings: EnsembleSettings, seed: int = 1) -> Snapshots:
    simulate(settings, seed, folder / "state", folder / "out.h5")
    return read_snapshots(folder / "out.h5")


@pytest.mark.parametrize(("values", "drive"), [(TRAP, 1.0), (ROTATION, 0.7), (SPRINGS, 1.0)])
def test_covariances_are_the_exact_ones_within_errors(values: dict[str, object], drive: float, tmp_path: Path) -> None:
    step_size = 0.05
    settings = ensemble(
        values, drives=[drive], trajectories=1500, step=step_size, burn_in=15.0, snapshots=4, spacing=5.0
    )
    data = simulated(tmp_path, settings)
    flat = data.states.reshape(len(data.states), -1).astype(np.float64)
    one = data.system
    size = flat.shape[1]
    basis = np.eye(size).reshape(size, one.particles, one.channels)
    propagator = one.step_mean(basis, drive, step_size).reshape(size, size).T
    expected = discrete_covariance(propagator, np.tile(one.step_deviations(step_size), one.particles))
    products = flat[:, :, None] * flat[:, None, :]
    # Means over trajectories, which are independent.
    means = products.reshape(4, 1500, size, size).mean(axis=0)
    errors = means.std(axis=0, ddof=1) / np.sqrt(1500)
    pulls = (products.mean(axis=0) - expected) / errors
    assert np.abs(pulls).max() < 4.5
    assert np.square(pulls).mean() < 2.0


def test_what_is_shorter_than_the_relaxation_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = {"trajectories": 2, "snapshots": 8, "spacing": 2.0, "blocks": 4}
    simulated(tmp_path, ensemble(TRAP, **times))
    assert "WARNING" not in capsys.readouterr().err
    # The trap is soft: 1 / A is 20, and the persistence time 2.
    simulated(tmp_path, ensemble({**TRAP, "stiffness": 0.05}, **times))
    said = capsys.readouterr().err
    assert "burn_in: 5 is shorter than the slowest relaxation time, 20: the first snapshots" in said
    assert "blocks: 4 is shorter than the slowest relaxation time, 20: they are not independent" in said
    # Trajectories are independent, however short.
    simulated(tmp_path, ensemble(PAIR, **times | {"trajectories": 4, "blocks": 1}, burn_in=20.0))
    assert "WARNING" not in capsys.readouterr().err


def test_a_step_that_makes_another_entropy_production_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stiff = {**SPRINGS, "particles": 3, "stiffness": 0.8, "coupling": 1.7, "rate": 0.6, "diffusion": 0.15}
    times = {"trajectories": 1000, "snapshots": 6, "spacing": 3.0, "burn_in": 8.0}
    data = simulated(tmp_path, ensemble(stiff, **times, drives=[0.0, 0.9], step=0.5))
    said = capsys.readouterr().err
    found = {item.estimator: item.mean for item in estimates(data, 0.9)}["gaussian_score"]
    of_step = production_of_step(data.system, 0.9, 0.5)
    assert of_step is not None
    # The snapshots have what is said of the step, more than three times that of the system.
    assert abs(found.value - of_step) < 4 * found.uncertainty
    assert "step: with 0.5 and the drive 0.9 an exact score of the snapshots gives an entropy production of " in said
    assert f"{of_step:.4g}, the system has 4.405" in said
    # In equilibrium nothing is known to compare with.
    assert said.count("WARNING") == 1
    simulated(tmp_path, ensemble(stiff, **times | {"trajectories": 4}, drives=[0.0, 0.9], step=0.05))
    assert "WARNING" not in capsys.readouterr().err
    assert production_of_step(system(PAIR), 0.9, 0.5) is None
    assert production_of_step(system(stiff), 0.9, 5.0) is None


def stationary(one: System, size: float) -> tuple[float, float]:
    """Return what the integrator of the trap samples: E[v D^-1 v] with its own Gaussian score, and the moment
    identity."""
    basis = np.eye(2).reshape(2, 1, 2)
    covariance = discrete_covariance(one.step_mean(basis, 1.0, size).reshape(2, 2).T, one.step_deviations(size))
    matrix = -one.drift(basis, 1.0).reshape(2, 2).T
    production = float(entropy_production(matrix, one.diffusions, covariance).sum())
    return production, float((1 - covariance[0, 1]) / one.diffusion)


def test_the_weak_order_of_the_integrator_is_one() -> None:
    """Of the stationary entropy production of the chain, by the slope of its logarithmic error."""
    one = system(TRAP)
    exact = 1.0 * 0.5 / (0.2 * 1.5)
    steps = np.array([0.1, 0.05, 0.025, 0.0125])
    found = np.array([stationary(one, size) for size in steps])
    for values in found.T:
        slope = np.polyfit(np.log(steps), np.log(np.abs(values - exact)), 1)[0]
        assert slope == pytest.approx(1.0, abs=0.1)
        # Extrapolated with the first order, what is left is of the second.
        left = 2 * values[1:] - values[:-1] - exact
        assert np.polyfit(np.log(steps[1:]), np.log(np.abs(left)), 1)[0] == pytest.approx(2.0, abs=0.2)
    # The moment at a step of 0.1, from the reference.
    assert found[0, 1] == pytest.approx(1.6947, abs=2e-4)


def test_the_weak_order_is_measured_on_trajectories() -> None:
    """E[x^2] of the trap against the step, with the same noise at all steps: coarse steps add up fine ones."""
    one = system(TRAP)
    rng = np.random.default_rng(7)
    moments = []
    for size in (0.4, 0.2):
        dynamics = Dynamics(one, np.ones(20_000), size)
        start = Walkers(one.initial(rng, 20_000), np.zeros(20_000))
        moments.append(np.square(dynamics.advance(start, round(12 / size), rng).state[:, 0, 0]).mean())
    coarse, fine = moments
    exact = 0.2 + 1 / 1.5
    assert abs(coarse - exact) > 2.5 * abs(2 * fine - coarse - exact)
    assert 2 * fine - coarse == pytest.approx(exact, abs=0.05)


def test_estimators_agree_with_the_closed_form(tmp_path: Path) -> None:
    data = simulated(tmp_path, ensemble(TRAP, trajectories=3000, step=0.02, burn_in=10.0, snapshots=5))
    found = {item.estimator: item.mean for item in estimates(data, 1.0)}
    assert set(found) == {"moment_identity", "trajectory", "gaussian_score"}
    # The Stratonovich sum lies below by a term of first order in the step: 1.6419 at 0.02 in closed form.
    production, moment = stationary(data.system, 0.02)
    for name, expected in (("moment_identity", moment), ("gaussian_score", production), ("trajectory", 1.6419)):
        assert abs(found[name].value - expected) < 4 * found[name].of_blocks
        assert found[name].of_blocks < 0.05


def test_nothing_is_estimated_without_noise_of_positions(tmp_path: Path) -> None:
    data = simulated(tmp_path, ensemble(BOX, trajectories=1, blocks=4, drives=[0.025], snapshots=4, burn_in=1.0))
    assert estimates(data, 0.025) == []
    assert np.all(data.medium_entropy == 0)


def test_a_simulation_that_was_ended_goes_on_to_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ensemble(PAIR, drives=[0.0, 0.25], trajectories=6, snapshots=6)
    simulate(settings, 3, tmp_path / "whole", tmp_path / "whole.h5")
    # Saves after each interval, and ends in the middle.
    monkeypatch.setattr(step, "_EVERY", 0.0)
    advance, calls = Dynamics.advance, []

    def ended(self: Dynamics, *arguments: object) -> Walkers:
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return advance(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Dynamics, "advance", ended)
    with pytest.raises(KeyboardInterrupt):
        simulate(settings, 3, tmp_path / "state", tmp_path / "resumed.h5")
    assert not (tmp_path / "resumed.h5").exists()
    saved = sorted(tmp_path.glob("state/*/interval_*.npz"))
    assert len(saved) == 6
    # A state that is damaged is not taken up, nor are those behind it.
    saved[-1].write_bytes(saved[-1].read_bytes()[:-200])
    before = len(calls)
    simulate(settings, 3, tmp_path / "state", tmp_path / "resumed.h5")
    assert (tmp_path / "resumed.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()
    intervals = 3 + 6
    assert len(calls) - before == intervals - 5
    assert not list(tmp_path.glob("state/*"))


def test_seeds_and_settings_have_states_of_their_own(tmp_path: Path) -> None:
    folders = {state_folder(tmp_path, {"seed": seed, "settings": ensemble(TRAP).model_dump()}) for seed in (1, 2)}
    assert len(folders) == 2
    for seed in (1, 2):
        simulate(ensemble(TRAP, trajectories=4), seed, tmp_path / "state", tmp_path / f"{seed}.h5")
    first, second = (read_clouds(tmp_path / f"{seed}.h5").points for seed in (1, 2))
    assert not np.array_equal(first, second)


def test_snapshots_are_clouds_with_parameters_and_parts_of_whole_blocks(tmp_path: Path) -> None:
    data = simulated(tmp_path, ensemble(BOX, drives=[0.02, 0.025], trajectories=2, blocks=5, snapshots=10, burn_in=1.0))
    assert data.states.shape == (40, 300, 4)
    assert data.system.length is not None
    assert np.abs(data.states[..., :2]).max() <= data.system.length / 2
    clouds = read_clouds(tmp_path / "out.h5")
    assert clouds.meta["system"] == {**BOX, "sharpness": 7.5, "cutoff": 3.0, "stiffness": 0.0}
    assert clouds.meta["provenance"]["seed"] == 1
    assert [column.name for column in clouds.point_columns] == ["x", "y", "g_x", "g_y"]
    blocks = {name: set(data.blocks[rows]) for name, rows in data.parts.items()}
    assert not blocks["train"] & blocks["test"]
    assert not blocks["train"] & blocks["validation"]
    assert sum(map(len, data.parts.values())) == 40
    for name in data.parts:
        # The drive is that of the settings, though the file has single precision.
        assert set(data.drives[data.parts[name]]) == {0.02, 0.025}


def test_other_files_of_clouds_are_refused_in_one_line(tmp_path: Path) -> None:
    simulated(tmp_path, ensemble(TRAP, trajectories=4))
    clouds = read_clouds(tmp_path / "out.h5")
    from dataclasses import replace

    from cloudchamber.cloud_writer import write_clouds

    write_clouds(tmp_path / "other.h5", replace(clouds, meta={}))
    with pytest.raises(InputError, match="no snapshots of a system"):
        read_snapshots(tmp_path / "other.h5")
    write_clouds(tmp_path / "parts.h5", replace(clouds, indices={}))
    with pytest.raises(InputError, match="no part"):
        read_snapshots(tmp_path / "parts.h5")
    shutil.copy(tmp_path / "out.h5", tmp_path / "cut.h5")
    content = (tmp_path / "cut.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"cut\.h5"):
        read_snapshots(tmp_path / "cut.h5")


@pytest.mark.parametrize(
    ("values", "size", "growth"),
    [
        # 1 - stiffness * step, and of the rotation |1 - (k + i Omega) step|.
        ({**TRAP, "stiffness": 25.0}, 0.1, 1.5),
        ({"kind": "rotation", "stiffness": 0.1, "diffusion": 0.5}, 0.5, np.hypot(0.95, 0.5)),
        (TRAP, 0.1, None),
        (SPRINGS, 0.1, None),
        (BOX, 5.0, None),
    ],
)
def test_a_step_without_a_stationary_state_is_refused(
    values: dict[str, Any], size: float, growth: float | None, tmp_path: Path
) -> None:
    found = growth_of_step(system(values), 1.0, size)
    if growth is None:
        assert found is None or found < 1
        return
    assert found == pytest.approx(growth)
    settings = ensemble(values, drives=[1.0], trajectories=4, step=size, burn_in=1.0, spacing=1.0, snapshots=2)
    with pytest.raises(SettingsError, match=f"step: with {size:g} and the drive 1 the integrator grows"):
        simulate(settings, 1, tmp_path / "state", tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()


def test_a_simulation_that_is_not_finite_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As of forces that are not linear, of which nothing is known before.
    monkeypatch.setattr(step, "growth_of_step", lambda *_: None)
    settings = ensemble({**TRAP, "stiffness": 1e4}, trajectories=4, step=0.1, burn_in=10.0, spacing=10.0, snapshots=2)
    with np.errstate(all="ignore"), pytest.raises(DivergenceError, match=r"a smaller step than 0\.1"):
        simulate(settings, 1, tmp_path / "state", tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()


def test_states_beyond_single_precision_are_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 14 steps that grow a thousand times each: finite numbers that the file has as infinite ones.
    monkeypatch.setattr(step, "growth_of_step", lambda *_: None)
    settings = ensemble({**TRAP, "stiffness": 1e4}, trajectories=4, step=0.1, burn_in=0.7, spacing=0.7, snapshots=1)
    with pytest.raises(DivergenceError, match=r"a smaller step than 0\.1"):
        simulate(settings, 1, tmp_path / "state", tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"spacing": 0.149, "step": 0.1}, "spacing: must be a multiple of step"),
        ({"spacing": 0.01, "step": 0.1}, "spacing: must be a multiple of step"),
        ({"drives": [1.0, 1.00000001]}, "a drive of more than 6 digits is stored as another one"),
    ],
)
def test_times_and_drives_that_would_become_others_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        ensemble(TRAP, **change)
    assert ensemble(TRAP, spacing=0.3, step=0.1, drives=[1.23456, 1e-5]).drives == (1.23456, 1e-5)
