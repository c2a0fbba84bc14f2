"""Muon, against torch's own class, which computes in bfloat16, and against singular values."""

import copy

import pytest
import torch
from torch import Tensor, nn

from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.optimizers.choice import optimizers_of
from cloudchamber.training.optimizers.muon import Muon, is_matrix, orthogonalised

RATE, DECAY = 0.02, 0.3


def _network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(16, 24), nn.Tanh(), nn.Linear(24, 8))


def _matrices(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.ndim == 2]


def _loss(network: nn.Module, step: int) -> Tensor:
    inputs = torch.randn(64, 16, generator=torch.Generator().manual_seed(step))
    loss: Tensor = (network(inputs) - inputs[:, :8].square()).square().mean()
    return loss


def _optimise(network: nn.Module, optimizer: Muon, steps: range) -> None:
    for step in steps:
        network.zero_grad()
        _loss(network, step).backward()
        optimizer.step(1 / (1 + step % 3))


@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (16, 16), (3, 20, 30)])
def test_singular_vectors_stay_and_singular_values_are_about_one(shape: tuple[int, ...]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    values = left.mT @ orthogonalised(matrices) @ right.mT
    diagonal = values.diagonal(dim1=-2, dim2=-1)
    assert diagonal.min() > 0.4  # a square random matrix has singular values near zero, which five steps lift so far
    assert diagonal.max() < 1.25
    torch.testing.assert_close(values - diagonal.diag_embed(), torch.zeros_like(values), rtol=0, atol=1e-4)


def test_no_gradient_gives_no_step() -> None:
    torch.testing.assert_close(orthogonalised(torch.zeros(9, 9)), torch.zeros(9, 9))


def test_weights_are_those_of_torch() -> None:
    own, other = _network(), _network()
    _optimise(own, Muon(_matrices(own), RATE, DECAY), range(30))
    reference = torch.optim.Muon(_matrices(other), momentum=0.95, weight_decay=DECAY)
    for step in range(30):
        reference.param_groups[0]["lr"] = RATE / (1 + step % 3)
        other.zero_grad()
        _loss(other, step).backward()
        reference.step()
    for found, expected, start in zip(_matrices(own), _matrices(other), _matrices(_network()), strict=True):
        moved = (expected - start).norm()
        assert moved > 0.5
        assert (found - expected).norm() < 0.02 * moved


def test_a_saved_state_goes_on_to_the_bit() -> None:
    whole, first = _network(), _network()
    _optimise(whole, Muon(_matrices(whole), RATE, DECAY), range(20))
    optimizer = Muon(_matrices(first), RATE, DECAY)
    _optimise(first, optimizer, range(9))
    second = copy.deepcopy(first)
    resumed = Muon(_matrices(second), RATE, DECAY)
    resumed.load(copy.deepcopy(optimizer.state()))
    _optimise(second, resumed, range(9, 20))
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), second.parameters(), strict=True))


def test_what_has_no_gradient_stays() -> None:
    unused = nn.Parameter(torch.ones(9, 9))
    Muon([unused], RATE, DECAY).step(1.0)
    assert torch.equal(unused, torch.ones(9, 9))


def test_each_weight_has_one_optimiser() -> None:
    network = nn.Sequential(nn.Linear(3, 16), nn.Linear(16, 16), nn.Linear(16, 7))
    parameters = list(network.parameters())
    together = optimizers_of(parameters, TrainingSettings(steps=1, muon_learning_rate=0.02))
    assert [id(p) for p in together["muon"].parameters] == [id(network[1].weight)]
    moved = [id(p) for optimizer in together.values() for p in optimizer.parameters]
    assert sorted(moved) == sorted(map(id, parameters))
    assert list(optimizers_of(parameters, TrainingSettings(steps=1))) == ["adamw"]
    assert not is_matrix(torch.ones(8, 8, 8))
