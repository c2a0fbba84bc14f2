"""Networks, losses and what is computed from scores: symmetries, exact minima, crossed squares."""

from typing import Any

import numpy as np
import pytest
import torch
from systems_of_tests import BOX, PAIR, SPRINGS, TRAP, TRAPPED_DISKS, system
from torch import Tensor

from cloudchamber.errors import SettingsError
from cloudchamber.settings.base import parse
from cloudchamber.studies.active_matter.blocks import block_mean, jackknife
from cloudchamber.studies.active_matter.crossing import crossed_square, left_out, plug_in_square
from cloudchamber.studies.active_matter.denoising import linear_production, smoothed_production
from cloudchamber.studies.active_matter.divergence import jacobian_diagonal
from cloudchamber.studies.active_matter.losses import ScoreLoss
from cloudchamber.studies.active_matter.neighbours import nearest
from cloudchamber.studies.active_matter.score_checks import score_checks
from cloudchamber.studies.active_matter.score_model import ScoreModel
from cloudchamber.studies.active_matter.score_settings import LossSettings, ScoreSettings
from cloudchamber.studies.active_matter.systems.system import ActiveSystem, System
from cloudchamber.studies.active_matter.velocities import velocity_of

MLP: dict[str, Any] = {"kind": "mlp", "hidden": [8]}
GLOBAL: dict[str, Any] = {"kind": "transformer", "layers": 2, "heads": 2, "width": 8, "feed_forward": 8}
LOCAL: dict[str, Any] = {**GLOBAL, "neighbours": 5}
TURNING: dict[str, Any] = {**LOCAL, "kind": "equivariant"}


def model(network: dict[str, Any], one: System, drives: tuple[float, ...] = (1.0,), **changes: Any) -> ScoreModel:
    settings = parse(ScoreSettings, {"network": network, "training": {"steps": 1}, **changes})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        made = ScoreModel(settings, one, [1.0] * one.channels, drives)
        # The last layer begins with zeros.
        for parameter in made.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.3)
    return made.double()


def states_of(one: System, number: int, seed: int = 1) -> Tensor:
    return torch.from_numpy(one.initial(np.random.default_rng(seed), number))


def ones(states: Tensor) -> Tensor:
    return torch.ones(len(states), 1, 1, dtype=states.dtype)


@pytest.mark.parametrize(
    ("network", "values"),
    [
        (GLOBAL, SPRINGS),
        (GLOBAL, TRAPPED_DISKS),
        (LOCAL, TRAPPED_DISKS),
        (LOCAL, BOX),
        (TURNING, SPRINGS),
        (TURNING, TRAPPED_DISKS),
        (TURNING, BOX),
    ],
)
def test_permuted_particles_have_permuted_scores(network: dict[str, Any], values: dict[str, Any]) -> None:
    one = system(values)
    score, states = model(network, one), states_of(one, 2)
    order = torch.randperm(one.particles, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(score(states[:, order], ones(states)), score(states, ones(states))[:, order], atol=1e-12)


@pytest.mark.parametrize("network", [LOCAL, TURNING])
def test_a_score_in_the_box_does_not_change_when_everything_moves(network: dict[str, Any]) -> None:
    one = system(BOX)
    score, states = model(network, one), states_of(one, 1)
    moved = states.clone()
    moved[..., :2] += torch.tensor([17.3, -5.1])
    moved = torch.from_numpy(one.in_box(moved.numpy()))
    assert torch.allclose(score(moved, ones(states)), score(states, ones(states)), atol=1e-10)
    # In a trap it does.
    trapped = system(TRAPPED_DISKS)
    there, at = model(network, trapped), states_of(trapped, 1)
    away = at.clone()
    away[..., :2] += 3.0
    assert not torch.allclose(there(away, ones(at)), there(at, ones(at)), atol=1e-3)


@pytest.mark.parametrize("mirrored", [False, True])
def test_equivariant_scores_turn_with_the_particles(mirrored: bool) -> None:
    one = system(TRAPPED_DISKS)
    score, states = model({**TURNING, "neighbours": None}, one, (0.5, 1.0)), states_of(one, 2)
    turn = torch.tensor([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    if mirrored:
        turn = turn @ torch.diag(torch.tensor([1.0, -1.0], dtype=turn.dtype))
    turned = (states.unflatten(2, (2, 2)) @ turn.T).flatten(2)
    expected = (score(states, ones(states)).unflatten(2, (2, 2)) @ turn.T).flatten(2)
    assert torch.allclose(score(turned, ones(states)), expected, atol=1e-9)
    assert not torch.allclose(score(states, ones(states)), expected, atol=1e-3)


@pytest.mark.parametrize("values", [SPRINGS, TRAPPED_DISKS, BOX])
def test_motion_is_the_velocity_and_derivatives_of_forces_along_it(values: dict[str, Any]) -> None:
    one = system(values)
    assert isinstance(one, ActiveSystem)
    states = states_of(one, 2)
    positions = states[..., : one.dimensions].numpy()
    with torch.no_grad():
        velocity, *changes = (tensor.numpy() for tensor in one.motion(states, 0.5 * ones(states), 2))
    np.testing.assert_allclose(velocity, one.drift(states.numpy(), 0.5)[..., : one.dimensions], atol=1e-9)
    for along, change in zip([velocity, changes[0]], changes, strict=True):
        step = 1e-5 / np.abs(along).max()
        ends = [one.force(positions + sign * step * along) for sign in (1, -1)]
        assert np.abs(change).max() > 0.1
        np.testing.assert_allclose(change, (ends[0] - ends[1]) / (2 * step), atol=1e-4 * np.abs(change).max())


def test_forces_on_tensors_count_all_pairs_however_dense() -> None:
    one = system(TRAPPED_DISKS, particles=50)
    assert isinstance(one, ActiveSystem)
    positions = 0.5 * states_of(one, 2)[..., 2:]
    assert (torch.cdist(positions, positions) < 3).all()
    np.testing.assert_allclose(one.force(positions).numpy(), one.force(positions.numpy()), atol=1e-9)


def test_an_equivariant_network_scales_its_vectors_by_training_states() -> None:
    one = system(BOX)
    score, states = model({**TURNING, "size": 10.0}, one), states_of(one, 3)
    before = score(states, ones(states))
    score.fit(states, ones(states))
    lengths = states[..., 2:].norm(dim=-1)
    assert float(score.network.scales[1]) == pytest.approx(float(lengths.median()), rel=1e-6)
    assert float(score.network.scales[0]) == 1.0
    assert not torch.allclose(score(states, ones(states)), before, atol=1e-3)


def test_an_antisymmetric_network_is_odd_and_periodic() -> None:
    one = system(PAIR)
    score, states = model({**MLP, "harmonics": 3, "antisymmetric": True}, one), states_of(one, 9)
    values = score(states, ones(states))
    assert torch.allclose(score(-states, ones(states)), -values, atol=1e-12)
    turned = states.clone()
    turned[..., 0] += 16.0
    assert torch.allclose(score(turned, ones(states)), values, atol=1e-10)


def test_particles_that_are_chosen_have_the_scores_of_all() -> None:
    one = system(BOX)
    score, states = model(LOCAL, one), states_of(one, 2)
    chosen = torch.tensor([7, 0, 55])
    assert torch.allclose(score(states, ones(states), chosen), score(states, ones(states))[:, chosen], atol=1e-12)


@pytest.mark.parametrize("length", [None, 10.0])
def test_nearest_neighbours_are_those_of_a_sorted_list(length: float | None) -> None:
    positions = 10 * torch.rand(1, 40, 2, generator=torch.Generator().manual_seed(1)) - 5
    found = nearest(positions, positions[:, :6], 5, length)
    assert torch.equal(found[0, :, 0], torch.arange(6))
    for particle in range(6):
        apart = (positions[0] - positions[0, particle]).numpy()
        if length is not None:
            apart = (apart + 5) % 10 - 5
        assert set(found[0, particle].tolist()) == set(np.argsort(np.square(apart).sum(axis=1))[:5].tolist())


def test_the_velocity_is_zero_at_first_where_the_drift_is_added() -> None:
    one = system(TRAP)
    settings = parse(ScoreSettings, {"network": MLP, "training": {"steps": 1}})
    fresh = ScoreModel(settings, one, [1.0, 1.0], (1.0,))
    states = states_of(one, 5)
    assert not np.any(velocity_of(fresh, states.numpy(), 1.0))
    score = fresh.score(states.float(), ones(states.float()))
    assert torch.allclose(score, one.drift(states.float(), 1.0) / fresh.diffusions)


@pytest.mark.parametrize("shift", [True, False])
def test_velocity_is_drift_less_diffusion_times_score(shift: bool) -> None:
    one = system(SPRINGS)
    score, states = model(GLOBAL, one, shift=shift), states_of(one, 3)
    drive = ones(states)
    expected = one.drift(states, drive) - score.diffusions * score.score(states, drive)
    assert torch.allclose(score.velocity(states, drive), expected, atol=1e-12)


def test_channels_without_noise_have_neither_score_nor_velocity() -> None:
    one = system(BOX)
    score, states = model(LOCAL, one), states_of(one, 1)
    assert not score.score(states, ones(states))[..., :2].any()
    assert not score.velocity(states, ones(states))[..., :2].any()
    assert score.velocity(states, ones(states))[..., 2:].any()


def test_the_diagonal_of_a_jacobian() -> None:
    one = system(SPRINGS)
    score, states = model(GLOBAL, one), states_of(one, 2)

    def function(at: Tensor) -> Tensor:
        return score(at, ones(at))

    _, exact = jacobian_diagonal(function, states, None)
    whole = torch.autograd.functional.jacobian(function, states[:1]).reshape(16, 16)
    assert torch.allclose(exact[0].reshape(-1), torch.diagonal(whole), atol=1e-12)
    _, guessed = jacobian_diagonal(function, states, 400, torch.Generator().manual_seed(1))
    assert torch.allclose(guessed, exact, atol=0.25)


class _Linear(torch.nn.Module):
    """n = z M^T, beside the attributes of a score."""

    def __init__(self, matrix: Tensor, one: System) -> None:
        super().__init__()
        self.matrix, self.system, self.shift = torch.nn.Parameter(matrix), one, True
        self.diffusions = torch.tensor(one.diffusions)

    def forward(self, state: Tensor, drive: Tensor, chosen: Tensor | None = None) -> Tensor:
        return state @ self.matrix.T

    def base(self, state: Tensor, drive: Tensor) -> Tensor:
        return self.system.drift(state, drive)

    def velocity(self, state: Tensor, drive: Tensor) -> Tensor:
        return -self.diffusions * self(state, drive)

    def score(self, state: Tensor, drive: Tensor) -> Tensor:
        return self(state, drive) + self.base(state, drive) / self.diffusions


@pytest.mark.parametrize(
    ("loss", "tolerance"),
    [
        ({"kind": "divergence"}, 1e-3),
        ({"kind": "transition", "step": 0.02}, 0.06),
        ({"kind": "additive", "sigma": 0.02}, 0.06),
    ],
)
def test_losses_are_least_at_the_exact_score_where_they_are_minus_the_production(
    loss: dict[str, Any], tolerance: float
) -> None:
    """On whitened points, whose covariance is the exact one, the minimum has no error of sampling but that of the
    noise."""
    one = system(TRAP)
    covariance = np.array([[0.866667, 0.666667], [0.666667, 1.0]])
    points = np.random.default_rng(3).standard_normal((20_000, 2))
    points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T))).T @ np.linalg.cholesky(covariance).T
    states = torch.from_numpy(points - points.mean(axis=0))[:, None]
    drift = -one.drift(np.eye(2)[:, None], 1.0).reshape(2, 2).T
    best = torch.from_numpy((-np.linalg.inv(covariance) + drift / one.diffusions[:, None]).copy())
    noise = torch.from_numpy(np.random.default_rng(4).standard_normal(states.shape))

    def value(matrix: Tensor) -> Tensor:
        score = _Linear(matrix, one)
        found: Tensor = ScoreLoss(parse(LossSettings, loss), score)(score, states, ones(states), None, noise).mean()  # type: ignore[arg-type]
        return found

    assert value(best).item() == pytest.approx(-5 / 3, abs=tolerance)
    score = _Linear(best, one)
    ScoreLoss(parse(LossSettings, loss), score)(score, states, ones(states), None, noise).mean().backward()  # type: ignore[arg-type]
    assert score.matrix.grad is not None
    assert score.matrix.grad.abs().max() < 2 * tolerance
    # A wrong score lies above by E[delta D delta].
    wrong = best + torch.tensor([[0.3, -0.1], [0.2, 0.4]])
    excess = np.trace((wrong - best).numpy() @ covariance @ (wrong - best).numpy().T @ np.diag(one.diffusions))
    assert (value(wrong) - value(best)).item() == pytest.approx(excess, abs=tolerance)


def test_the_residual_vanishes_for_the_exact_score_alone() -> None:
    one = system(TRAP)
    covariance = np.array([[0.8666666666666667, 2 / 3], [2 / 3, 1.0]])
    drift = -one.drift(np.eye(2)[:, None], 1.0).reshape(2, 2).T
    best = torch.from_numpy((-np.linalg.inv(covariance) + drift / one.diffusions[:, None]).copy())
    states = states_of(one, 50)
    settings = parse(LossSettings, {"kind": "divergence", "residual": 1.0})
    for matrix, expected in ((best, 0.0), (best + 0.2, None)):
        score = _Linear(matrix, one)
        residual = ScoreLoss(settings, score)._residual(states, ones(states))  # type: ignore[arg-type]
        if expected is None:
            # Written out: div v + v . s of linear functions.
            velocity, full = score.velocity(states, ones(states)), score.score(states, ones(states))
            divergence = -(torch.tensor(one.diffusions) * torch.diagonal(matrix)).sum()
            written = (divergence + (velocity * full).sum(dim=(1, 2))).square()
            assert torch.allclose(residual, written)
            assert residual.mean() > 1e-3
        else:
            assert residual.abs().max() < 1e-20


def test_antithetic_noise_has_a_small_variance_at_a_small_step() -> None:
    one = system(TRAP)
    score, states = model(MLP, one), states_of(one, 4000)
    noise = torch.from_numpy(np.random.default_rng(4).standard_normal(states.shape))
    spreads = {}
    for antithetic in (True, False):
        settings = parse(LossSettings, {"kind": "additive", "sigma": 0.001, "antithetic": antithetic})
        spreads[antithetic] = ScoreLoss(settings, score)(score, states, ones(states), None, noise).std().item()
    assert spreads[False] > 30 * spreads[True]


@pytest.mark.parametrize(
    ("network", "values", "message"),
    [(MLP, SPRINGS, "systems of one particle"), (GLOBAL, BOX, "neighbours")],
)
def test_networks_that_do_not_fit_are_one_line_errors(
    network: dict[str, Any], values: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        model(network, system(values))


def test_crossed_squares_are_without_the_bias_of_independent_errors() -> None:
    rng = np.random.default_rng(6)
    true = rng.standard_normal((4000, 1, 2))
    diffusions = np.array([0.5, 2.0])
    velocities = true + 0.5 * rng.standard_normal((3, *true.shape))
    exact = plug_in_square(true, diffusions).sum(axis=(1, 2)).mean()
    plug_in = plug_in_square(velocities[0], diffusions).sum(axis=(1, 2)).mean()
    crossed = crossed_square(velocities, diffusions).sum(axis=(1, 2)).mean()
    assert plug_in - exact == pytest.approx(0.25 * (1 / 0.5 + 1 / 2.0), abs=0.1)
    assert crossed == pytest.approx(exact, abs=0.03)
    # By pairs, written out.
    pairs = [(velocities[a] * velocities[b] / diffusions) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert crossed_square(velocities, diffusions) == pytest.approx(np.mean(pairs, axis=0))
    without = left_out(velocities, diffusions, np.array([True, True]))
    assert without[2] == pytest.approx(pairs[0].sum(axis=(1, 2)).mean())
    assert jackknife(without) > 0
    assert np.isnan(left_out(velocities[:2], diffusions, np.array([True, True]))).all()


def test_squares_leave_out_channels_without_noise() -> None:
    square = crossed_square(np.ones((2, 3, 1, 2)), np.array([0.0, 0.5]))
    assert np.array_equal(square, np.broadcast_to([0.0, 2.0], (3, 1, 2)))


def test_errors_of_blocks_know_of_correlations() -> None:
    rng = np.random.default_rng(8)
    per_block = rng.standard_normal(400)
    values, blocks = np.repeat(per_block, 25), np.repeat(np.arange(400), 25)
    mean = block_mean(values, blocks)
    assert mean.value == pytest.approx(per_block.mean())
    assert mean.of_blocks == pytest.approx(per_block.std(ddof=1) / 20)
    assert np.isnan(block_mean(values[:25], blocks[:25]).of_blocks)
    assert mean.uncertainty == mean.of_blocks
    # A table has an empty field where there is no number.
    assert block_mean(values[:25], blocks[:25]).columns()["uncertainty"] == ""


def test_checks_vanish_for_an_exact_score_and_not_for_a_wrong_one() -> None:
    one = system(TRAP)
    exact = one.exact(1.0)
    assert exact is not None
    covariance = np.array([[0.8666666666666667, 2 / 3], [2 / 3, 1.0]])
    states = np.random.default_rng(9).multivariate_normal(np.zeros(2), covariance, 20_000)[:, None]
    slopes = np.broadcast_to([-1.0, -0.5], states.shape)
    found = {}
    for name, factor in (("exact", 1.0), ("wrong", 1.2)):
        score = factor * exact.score(states)
        velocity = one.drift(states, 1.0) - one.diffusions * score
        inverse = np.diag(np.linalg.inv(covariance))
        divergence = np.broadcast_to(slopes[0] + factor * one.diffusions * inverse, states.shape)
        checks = score_checks(states, score, velocity, divergence, slopes, one.diffusions, np.arange(20_000))
        found[name] = dict(checks)
    for name, value in found["exact"].items():
        assert abs(value.value) < max(4 * value.of_blocks, 1e-10), name
    assert found["wrong"]["stein_identity"].value > 0.1
    assert abs(found["wrong"]["stein_divergence"].value) > 0.1
    assert found["wrong"]["flow_residual"].value > 0.05


def test_smoothed_scores_have_the_closed_form_of_their_bias() -> None:
    """7.14 and 16.5 at 0.2 and 0.5 for springs, from the reference; nothing at no noise."""
    one = system(SPRINGS)
    exact = one.exact(1.0)
    assert exact is not None
    basis = np.eye(16).reshape(16, 8, 2)
    drift = -one.drift(basis, 1.0).reshape(16, 16).T
    inverse = -exact.score(basis).reshape(16, 16).T
    covariance, diffusions = np.linalg.inv(inverse), np.tile(one.diffusions, 8)
    for sigma, expected in ((1e-6, 5.171717), (0.2, 7.14), (0.5, 16.54)):
        assert smoothed_production(sigma, drift, diffusions, covariance) == pytest.approx(expected, rel=1e-3)
    assert linear_production(-inverse, drift, diffusions, covariance) == pytest.approx(5.171717, rel=1e-6)
