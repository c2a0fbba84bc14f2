"""The mathematics that every network on clouds must satisfy, whatever its architecture."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmarks.padded_epic import PaddedEpic
from benchmarks.padded_transformer import PaddedTransformer
from cloudchamber.networks.epic import Epic
from cloudchamber.networks.linear import for_inference
from cloudchamber.networks.packing import Packing, padded
from cloudchamber.networks.transformer import Transformer
from cloudchamber.settings.networks import EpicSettings, TransformerSettings

FEATURES = 3
SMALL = EpicSettings(layers=2, hidden=16, latent=4, time_features=8)
PUBLISHED = EpicSettings()
ATTENTIVE = TransformerSettings(layers=2, heads=4, hidden=16, feed_forward=24, time_features=8)
MACARON = ATTENTIVE.model_copy(update={"block": "macaron"})


@final
@dataclass(frozen=True)
class Case:
    """A network, and the same function written another way: (points, mask, time, conditions) to a padded field."""

    name: str
    conditions: int
    parameters: int
    build: Callable[[], nn.Module]
    build_padded: Callable[[], nn.Module]


def _epic(name: str, settings: EpicSettings, conditions: int, parameters: int) -> Case:
    return Case(
        f"{name}-{conditions}-conditions",
        conditions,
        parameters,
        lambda: Epic(FEATURES, conditions, settings),
        lambda: PaddedEpic(FEATURES, conditions, settings),
    )


def _transformer(name: str, settings: TransformerSettings, conditions: int, parameters: int) -> Case:
    return Case(
        f"{name}-{conditions}-conditions",
        conditions,
        parameters,
        lambda: Transformer(FEATURES, conditions, settings),
        lambda: PaddedTransformer(FEATURES, conditions, settings),
    )


# The parameters of the published sizes are those of EPiC-FM (arXiv 2310.00049); those of the small sizes are the sum of
# out * (in + 2) over the weight-normalised layers, done by hand. A transformer of width H has, with c values of context
# and inner width f, L blocks of c H (context) + 4 H H + 3 H (attention) + 2 f H + f + 3 H (feed-forward), and for
# F features F H + H at the start, 2 H + F H + F at the end. Each Macaron block has 3 H more.
CASES = [
    _epic("epic-small", SMALL, 0, 4950),
    _epic("epic-small", SMALL, 2, 5268),
    _epic("epic-published", PUBLISHED, 0, 561_330),
    _epic("epic-published", PUBLISHED, 2, 566_852),
    _transformer("transformer", ATTENTIVE, 0, 4227),
    _transformer("transformer", ATTENTIVE, 2, 4291),
    _transformer("macaron", MACARON, 0, 4323),
    _transformer("macaron", MACARON, 2, 4387),
    _transformer("transformer-default", TransformerSettings(), 0, 545_923),
    _transformer("macaron-default", TransformerSettings(block="macaron"), 2, 548_483),
]


@final
@dataclass(frozen=True)
class Batch:
    """Packed clouds of 1 to 9 particles with a time and conditions each."""

    particles: Tensor
    time: Tensor
    conditions: Tensor
    counts: Tensor

    @property
    def packing(self) -> Packing:
        return Packing(self.counts)


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture
def network(case: Case) -> nn.Module:
    torch.manual_seed(7)
    return case.build()


def _batch(case: Case, sizes: tuple[int, ...]) -> Batch:
    generator = torch.Generator().manual_seed(11)
    counts = torch.tensor(sizes)
    return Batch(
        torch.randn(int(counts.sum()), FEATURES, generator=generator),
        torch.rand(len(counts), 1, generator=generator),
        torch.randn(len(counts), case.conditions, generator=generator),
        counts,
    )


@pytest.fixture
def batch(case: Case) -> Batch:
    return _batch(case, (3, 1, 9, 4, 1, 6))


@pytest.fixture(params=[(3, 1, 9, 4, 1, 6), (70, 2, 64, 90, 70, 65)], ids=["few-particles", "many-particles"])
def any_batch(case: Case, request: pytest.FixtureRequest) -> Batch:
    """Attention takes another way where a cloud has many particles."""
    return _batch(case, request.param)


def _evaluate(network: nn.Module, batch: Batch) -> Tensor:
    with torch.no_grad():
        return network(batch.particles, batch.time, batch.conditions, batch.packing)


def test_parameters(network: nn.Module, case: Case) -> None:
    assert sum(parameter.numel() for parameter in network.parameters()) == case.parameters


def test_the_output_is_a_field_of_finite_size(network: nn.Module, batch: Batch) -> None:
    field = _evaluate(network, batch)
    assert field.shape == batch.particles.shape
    assert 1e-3 < float(field.std()) < 10


def test_a_permutation_of_particles_permutes_the_output(network: nn.Module, batch: Batch) -> None:
    generator = torch.Generator().manual_seed(2)
    starts = batch.counts.cumsum(0) - batch.counts
    order = torch.cat(
        [start + torch.randperm(int(n), generator=generator) for start, n in zip(starts, batch.counts, strict=True)]
    )
    assert not torch.equal(order, torch.arange(len(order)))
    shuffled = Batch(batch.particles[order], batch.time, batch.conditions, batch.counts)
    torch.testing.assert_close(_evaluate(network, shuffled), _evaluate(network, batch)[order], rtol=1e-5, atol=1e-6)


def test_clouds_do_not_see_each_other(network: nn.Module, batch: Batch) -> None:
    together = _evaluate(network, batch).split(batch.counts.tolist())
    for number, particles in enumerate(batch.particles.split(batch.counts.tolist())):
        one = slice(number, number + 1)
        alone = _evaluate(network, Batch(particles, batch.time[one], batch.conditions[one], batch.counts[one]))
        torch.testing.assert_close(alone, together[number], rtol=1e-5, atol=1e-6)


def test_particles_of_one_cloud_see_each_other(network: nn.Module, batch: Batch) -> None:
    changed = batch.particles.clone()
    changed[0] += 1.0
    difference = _evaluate(network, Batch(changed, batch.time, batch.conditions, batch.counts)) - _evaluate(
        network, batch
    )
    assert (difference[1:3].abs() > 1e-7).any(), "the first cloud has three particles"
    assert not difference[3:].abs().gt(1e-6).any()


def test_time_and_each_condition_matter(network: nn.Module, batch: Batch) -> None:
    field = _evaluate(network, batch)
    later = Batch(batch.particles, batch.time * 0.9, batch.conditions, batch.counts)
    assert not torch.allclose(_evaluate(network, later), field, atol=1e-4)
    for column in range(batch.conditions.shape[1]):
        conditions = batch.conditions.clone()
        conditions[:, column] += 1
        other = Batch(batch.particles, batch.time, conditions, batch.counts)
        assert not torch.allclose(_evaluate(network, other), field, atol=1e-4)


def test_the_plain_padded_form_gives_the_same(network: nn.Module, case: Case, any_batch: Batch) -> None:
    reference = case.build_padded()
    reference.load_state_dict(network.state_dict())
    points, mask = padded(any_batch.particles.numpy(), any_batch.counts.numpy(), 95)
    # What lies in padded slots must not matter.
    filled = torch.from_numpy(points).masked_fill(~torch.from_numpy(mask).unsqueeze(2), 5.0)
    with torch.no_grad():
        expected = reference(filled, torch.from_numpy(mask), any_batch.time, any_batch.conditions)
    assert not expected[~torch.from_numpy(mask)].any()
    difference = _evaluate(network, any_batch) - expected[torch.from_numpy(mask)]
    assert float(difference.abs().max()) < 1e-5


def test_the_gradient_is_that_of_the_plain_form_and_reaches_every_parameter(
    network: nn.Module, case: Case, any_batch: Batch
) -> None:
    reference = case.build_padded()
    reference.load_state_dict(network.state_dict())
    points, mask = (
        torch.from_numpy(array) for array in padded(any_batch.particles.numpy(), any_batch.counts.numpy(), 90)
    )
    network(any_batch.particles, any_batch.time, any_batch.conditions, any_batch.packing).square().sum().backward()
    reference(points, mask, any_batch.time, any_batch.conditions).square().sum().backward()
    expected = dict(reference.named_parameters())
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
        size = float(expected[name].grad.abs().max())
        torch.testing.assert_close(parameter.grad, expected[name].grad, rtol=1e-3, atol=1e-4 * size, msg=name)


def test_weights_survive_a_file(network: nn.Module, case: Case, batch: Batch, tmp_path: Path) -> None:
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    torch.manual_seed(8)
    other = case.build()
    assert not torch.allclose(_evaluate(other, batch), _evaluate(network, batch))
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(_evaluate(other, batch), _evaluate(network, batch))


def test_a_time_shared_by_all_clouds_may_be_given_once(network: nn.Module, batch: Batch) -> None:
    shared = torch.tensor([[0.37]])
    once = Batch(batch.particles, shared, batch.conditions, batch.counts)
    each = Batch(batch.particles, shared.expand(len(batch.counts), 1), batch.conditions, batch.counts)
    torch.testing.assert_close(_evaluate(network, once), _evaluate(network, each), rtol=1e-5, atol=1e-6)


def test_the_copy_for_inference_is_the_same_function_and_leaves_the_network_trainable(
    network: nn.Module, batch: Batch
) -> None:
    before = _evaluate(network, batch)
    copy = for_inference(network)
    torch.testing.assert_close(_evaluate(copy, batch), before, rtol=1e-6, atol=1e-7)
    assert not any(parameter.requires_grad for parameter in copy.parameters())
    assert not copy.training
    assert network.training
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-2)
    network(batch.particles, batch.time, batch.conditions, batch.packing).square().sum().backward()
    optimizer.step()
    assert not torch.allclose(_evaluate(network, batch), before, atol=1e-4)
    torch.testing.assert_close(_evaluate(copy, batch), before, rtol=1e-6, atol=1e-7)


def test_bfloat16_costs_little_more_than_rounding_weights_and_inputs(network: nn.Module, batch: Batch) -> None:
    exact, rounded = for_inference(network), for_inference(network, torch.bfloat16)
    particles, conditions = batch.particles.bfloat16(), batch.conditions.bfloat16()
    fields: dict[str, list[Tensor]] = {"exact": [], "bfloat16": [], "rounded inputs": []}
    for time in (0.0, 0.31, 0.77, 1.0):
        now = torch.tensor([[time]])
        field = _evaluate(rounded, Batch(particles, now, conditions, batch.counts))
        assert field.dtype == torch.bfloat16
        fields["bfloat16"].append(field.float())
        fields["exact"].append(_evaluate(exact, Batch(batch.particles, now, batch.conditions, batch.counts)))
    rounded.float()
    for time in (0.0, 0.31, 0.77, 1.0):
        inputs = Batch(particles.float(), torch.tensor([[time]]), conditions.float(), batch.counts)
        fields["rounded inputs"].append(_evaluate(rounded, inputs))
    exact_field, of_bfloat16, of_inputs = (torch.cat(fields[name]) for name in fields)
    # Each layer rounds its output about as much as its weights were: 1.5 to 3 in all. With rounded time frequencies: 6.
    assert float((of_bfloat16 - exact_field).norm() / (of_inputs - exact_field).norm()) < 4


def test_all_clouds_of_equal_size_and_a_single_cloud_work(network: nn.Module, case: Case) -> None:
    for counts in (torch.tensor([2, 2, 2]), torch.tensor([5])):
        rows = int(counts.sum())
        batch = Batch(
            torch.randn(rows, FEATURES), torch.rand(len(counts), 1), torch.zeros(len(counts), case.conditions), counts
        )
        assert _evaluate(network, batch).isfinite().all()
