"""Scores and velocities of each network: permutations, translations, turns, channels without noise."""

from typing import Any

import numpy as np
import pytest
import torch
from scores_of_tests import GLOBAL, LOCAL, MLP, TURNING, model, ones, states_of
from systems_of_tests import BOX, PAIR, SPRINGS, TRAP, TRAPPED_DISKS, system
from torch import Tensor

from cloudchamber.errors import SettingsError
from cloudchamber.settings.base import parse
from cloudchamber.studies.active_matter.divergence import jacobian_diagonal
from cloudchamber.studies.active_matter.neighbours import nearest
from cloudchamber.studies.active_matter.score_model import ScoreModel
from cloudchamber.studies.active_matter.score_settings import ScoreSettings
from cloudchamber.studies.active_matter.systems.system import ActiveSystem
from cloudchamber.studies.active_matter.velocities import velocity_of


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


@pytest.mark.parametrize(
    ("network", "values", "message"),
    [(MLP, SPRINGS, "systems of one particle"), (GLOBAL, BOX, "neighbours")],
)
def test_networks_that_do_not_fit_are_one_line_errors(
    network: dict[str, Any], values: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        model(network, system(values))
