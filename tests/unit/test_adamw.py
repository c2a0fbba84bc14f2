"""AdamW, against torch's own class, which is not used for what its construction imports."""

import copy

import pytest
import torch
from torch import Tensor, nn

from cloudchamber.training.optimizers.adamw import AdamW

RATE, BETAS, DECAY = 0.01, (0.7, 0.95), 0.3


def _network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))


def _loss(network: nn.Module, step: int) -> Tensor:
    inputs = torch.randn(16, 4, generator=torch.Generator().manual_seed(step))
    loss: Tensor = (network(inputs) - inputs[:, :2].square()).square().mean()
    return loss


def _optimise(network: nn.Module, optimizer: AdamW, steps: range) -> None:
    for step in steps:
        network.zero_grad()
        _loss(network, step).backward()
        optimizer.step(1 + step % 3)


def test_weights_are_those_of_torch() -> None:
    own, other = _network(), _network()
    _optimise(own, AdamW(own.parameters(), RATE, BETAS, DECAY), range(50))
    reference = torch.optim.AdamW(other.parameters(), betas=BETAS, weight_decay=DECAY)
    for step in range(50):
        reference.param_groups[0]["lr"] = 0.01 * (1 + step % 3)
        reference.zero_grad()
        _loss(other, step).backward()
        reference.step()
    for found, expected in zip(own.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(next(own.parameters()), next(_network().parameters()), atol=0.01)


def test_a_saved_state_goes_on_to_the_bit() -> None:
    whole, first = _network(), _network()
    _optimise(whole, AdamW(whole.parameters(), RATE, BETAS, DECAY), range(20))
    optimizer = AdamW(first.parameters(), RATE, BETAS, DECAY)
    _optimise(first, optimizer, range(9))
    second = copy.deepcopy(first)
    resumed = AdamW(second.parameters(), RATE, BETAS, DECAY)
    resumed.load(copy.deepcopy(optimizer.state()))
    _optimise(second, resumed, range(9, 20))
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), second.parameters(), strict=True))


def test_what_has_no_gradient_stays() -> None:
    network = _network()
    frozen, unused = network[0].weight, nn.Parameter(torch.ones(3))
    frozen.requires_grad_(False)
    before = frozen.clone()
    optimizer = AdamW([*network.parameters(), unused], RATE, BETAS, DECAY)
    _optimise(network, optimizer, range(3))
    assert torch.equal(frozen, before)
    assert torch.equal(unused, torch.ones(3))
    assert not torch.equal(network[2].weight, _network()[2].weight)


def test_a_state_of_other_parameters_is_refused() -> None:
    state = AdamW(_network().parameters(), RATE, BETAS, DECAY).state()
    with pytest.raises(ValueError, match="argument"):
        AdamW([nn.Parameter(torch.ones(5, 4))], RATE, BETAS, DECAY).load(state)
