"""The compiled loops over edges, and the folded form for inference, do what torch does."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.plain_particlenet import PlainParticleNet
from cloudchamber.networks.folded_particlenet import FoldedParticleNet, with_folded_norms
from cloudchamber.networks.graph_rows import PackedGraphRows
from cloudchamber.networks.neighbours import nearest_neighbours
from cloudchamber.networks.particlenet import ParticleNet
from cloudchamber.settings.networks import ParticleNetSettings

INPUTS, CLASSES = 5, 3
BLOCKS = {
    "shortcuts": ((8, 8, 8), (12, 10)),
    "identity": ((INPUTS, INPUTS), (INPUTS, INPUTS)),
    "one layer": ((8,), (8,)),
}
Batch = tuple[Tensor, Tensor, Tensor]


def _network(blocks: str, dtype: torch.dtype = torch.float32, fusion: int = 16) -> ParticleNet:
    torch.manual_seed(3)
    settings = ParticleNetSettings(neighbours=4, blocks=BLOCKS[blocks], fusion=fusion, dense=12, dropout=0.0)
    network = ParticleNet(settings, INPUTS, CLASSES)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean, 0.0, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.normal_(module.weight, 1.0, 0.2)
            nn.init.normal_(module.bias, 0.0, 0.2)
    return network.to(dtype)


def _batch(dtype: torch.dtype = torch.float32, offset: float = 0.0) -> Batch:
    """Return 40 clouds, the first with no particle, one, two, and as many as there are slots, not in front."""
    generator = torch.Generator().manual_seed(5)
    counts = torch.cat([torch.tensor([0, 1, 2, 12]), torch.randint(1, 13, (36,), generator=generator)])
    order = torch.rand(40, 12, generator=generator).argsort(dim=1)
    mask = (torch.arange(12) < counts[:, None]).gather(1, order)
    coordinates = torch.randn(40, 12, 2, generator=generator, dtype=torch.float64)
    features = torch.randn(40, 12, INPUTS, generator=generator, dtype=torch.float64) + offset
    return coordinates.to(dtype), features.to(dtype), mask


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_a_training_step_is_that_of_double_precision(blocks: str, offset: float) -> None:
    """The reference has no compiled loop in it; messages far from zero lose no digits of their variance."""
    own, exact = _network(blocks), _network(blocks, torch.float64)
    plain = PlainParticleNet(exact)
    target = torch.arange(40) % CLASSES
    inputs = _batch(offset=offset)
    exact_inputs = (inputs[0].double(), inputs[1].double(), inputs[2])
    cross_entropy(own(*inputs), target).backward()
    cross_entropy(plain(*exact_inputs), target).backward()
    for (name, found), expected in zip(own.named_parameters(), exact.parameters(), strict=True):
        assert found.grad is not None
        torch.testing.assert_close(
            found.grad.double(), expected.grad, rtol=1e-3, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
        )
    for (name, found), expected in zip(own.named_buffers(), exact.buffers(), strict=True):
        torch.testing.assert_close(
            found.to(expected.dtype), expected, rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize("fusion", [0, 16])
@pytest.mark.parametrize(("dtype", "error"), [(torch.float64, 1e-10), (torch.float32, 2e-6)])
@torch.inference_mode()
def test_the_folded_form_has_the_same_logits(blocks: str, fusion: int, dtype: torch.dtype, error: float) -> None:
    network = _network(blocks, dtype, fusion).eval()
    exact = PlainParticleNet(_network(blocks, torch.float64, fusion).eval())
    inputs = _batch(dtype)
    expected = exact(inputs[0].double(), inputs[1].double(), inputs[2])
    found = with_folded_norms(network)(*inputs)
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=error)
    torch.testing.assert_close(network(*inputs).double(), expected, rtol=0, atol=error)


@torch.inference_mode()
def test_the_folded_form_shares_nothing_with_the_network_and_is_found_inside_others() -> None:
    network = _network("shortcuts")
    before = deepcopy(network.state_dict())
    around = nn.ModuleDict({"inner": network, "other": nn.Linear(2, 2)})
    folded = with_folded_norms(around)
    assert isinstance(folded["inner"], FoldedParticleNet)
    assert isinstance(around["inner"], ParticleNet)
    assert network.training
    inputs = _batch()
    logits = folded["inner"](*inputs)
    for parameter in network.parameters():
        parameter.zero_()
    torch.testing.assert_close(folded["inner"](*inputs), logits, rtol=0, atol=0)
    assert all(torch.equal(before[name], value) for name, value in deepcopy(before).items())
    assert not any(parameter.requires_grad for parameter in folded.parameters())


@torch.inference_mode()
def test_the_folded_form_in_bfloat16_is_close() -> None:
    network = _network("shortcuts").eval()
    coordinates, features, mask = _batch()
    folded = with_folded_norms(network).to(torch.bfloat16)
    found = folded(coordinates, features.bfloat16(), mask)
    expected = network(coordinates, features, mask)
    # Neighbours of the second block are found in rounded coordinates, so that a few of them are others.
    assert (found.float() - expected).abs().mean() < 0.05 * expected.abs().mean()


@torch.inference_mode()
def test_values_that_are_not_numbers_stay_visible() -> None:
    network = _network("shortcuts").eval()
    coordinates, features, mask = _batch()
    first = mask[3].nonzero()[0, 0]
    features[3, first, 1] = torch.nan
    logits = with_folded_norms(network)(coordinates, features, mask)
    assert logits[3].isnan().any()
    assert logits[4:].isfinite().all()
    assert network.train()(coordinates, features, mask).isnan().any()


@pytest.mark.parametrize("k", [1, 4, 11, 30])
@pytest.mark.parametrize("dimensions", [2, 20])
def test_neighbours_are_the_nearest_others(k: int, dimensions: int) -> None:
    generator = torch.Generator().manual_seed(7)
    mask = _batch()[2]
    points = torch.randn(*mask.shape, dimensions, generator=generator) * mask.unsqueeze(2)
    rows = PackedGraphRows.of(mask)
    edges = nearest_neighbours(points, rows, k)
    packed, clouds = rows.pack(points), rows.slots // mask.shape[1]
    found = [set(part.tolist()) for part in edges.neighbour.split(edges.degree.squeeze(1).tolist())]
    for row, neighbours in enumerate(found):
        others = [other for other in range(len(packed)) if other != row and clouds[other] == clouds[row]]
        distances = (packed[others] - packed[row]).square().sum(dim=1)
        expected = {others[place] for place in distances.argsort()[:k].tolist()}
        assert neighbours == expected
    centres = torch.arange(len(packed)).repeat_interleave(edges.degree.squeeze(1))
    assert torch.equal(edges.centre, centres)


def test_a_point_that_overflows_is_no_neighbour() -> None:
    points = torch.tensor([[[0.0], [1.0], [1e30], [torch.nan]]])
    edges = nearest_neighbours(points, PackedGraphRows.of(torch.ones(1, 4, dtype=torch.bool)), 3)
    assert edges.neighbour.tolist()[:2] == [1, 0]
    assert 2 not in edges.neighbour[:2]
