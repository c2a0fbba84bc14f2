"""ParticleNet against a direct implementation, its published size, and the symmetries of clouds."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.networks.particlenet import ParticleNet
from cloudchamber.networks.prediction import predict_log_probabilities
from cloudchamber.settings.networks import ParticleNetSettings

SMALL = ParticleNetSettings(neighbours=4, blocks=((8, 8), (12, 10)), fusion=16, dense=12, dropout=0.3)
INPUTS, CLASSES = 5, 3
Batch = tuple[Tensor, Tensor, Tensor]


def make_batch(multiplicities: list[int], width: int, seed: int = 1) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    shape = (len(multiplicities), width)
    mask = torch.arange(width) < torch.tensor(multiplicities)[:, None]
    coordinates = torch.randn(*shape, 2, generator=generator, dtype=torch.float64)
    features = torch.randn(*shape, INPUTS, generator=generator, dtype=torch.float64)
    return coordinates * mask[..., None], features * mask[..., None], mask


@pytest.fixture
def batch() -> Batch:
    """Clouds with many, exactly k + 1, fewer, two and one particle."""
    return make_batch([12, 9, 5, 4, 2, 1], 12)


@pytest.fixture
def network() -> ParticleNet:
    torch.manual_seed(3)
    network = ParticleNet(SMALL, INPUTS, CLASSES).double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean, 0.0, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.normal_(module.weight, 1.0, 0.2)
            nn.init.normal_(module.bias, 0.0, 0.2)
    return network.eval()


def n_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_published_sizes_are_reproduced():
    """weaver-core 0.5.3, class ParticleNet with 7 features, 5 classes, input normalisation and fusion layer."""
    full = ParticleNetSettings(
        neighbours=16, blocks=((64, 64, 64), (128, 128, 128), (256, 256, 256)), fusion=384, dense=256
    )
    lite = ParticleNetSettings(neighbours=7, blocks=((32, 32, 32), (64, 64, 64)), fusion=128, dense=128)
    assert n_parameters(ParticleNet(full, 7, 5)) == 572_499
    assert n_parameters(ParticleNet(lite, 7, 5)) == 47_539


def norm(module: nn.BatchNorm1d, x: Tensor) -> Tensor:
    return (x - module.running_mean) / torch.sqrt(module.running_var + module.eps) * module.weight + module.bias


def direct_logits(network: ParticleNet, coordinates: Tensor, features: Tensor, k: int) -> Tensor:
    """The network of one cloud without padding, particle by particle and edge by edge."""
    x = norm(network.input_norm, features)
    points, outputs = coordinates, []
    for block in network.blocks:
        rows = []
        for i in range(len(x)):
            distances = ((points - points[i]) ** 2).sum(dim=1)
            distances[i] = torch.inf
            messages = []
            for j in distances.argsort()[: min(k, len(x) - 1)]:
                message = torch.cat([x[i], x[j] - x[i]])
                for linear, batch_norm in zip([block.first, *block.linears], block.norms, strict=True):
                    message = torch.relu(norm(batch_norm, linear.weight @ message))
                messages.append(message)
            mean = torch.stack(messages).mean(dim=0) if messages else torch.zeros(block.norms[-1].num_features)
            linear, batch_norm = block.shortcut
            rows.append(torch.relu(norm(batch_norm, linear.weight @ x[i]) + mean))
        x = points = torch.stack(rows)
        outputs.append(x)
    linear, batch_norm, _ = network.fusion
    fused = torch.relu(norm(batch_norm, torch.cat(outputs, dim=1) @ linear.weight.T))
    return network.head(fused.mean(dim=0))


@torch.no_grad()
def test_a_direct_implementation_finds_the_same_logits(network, batch):
    logits = network(*batch)
    for row, (coordinates, features, mask) in enumerate(zip(*batch, strict=True)):
        expected = direct_logits(network, coordinates[mask], features[mask], SMALL.neighbours)
        torch.testing.assert_close(logits[row], expected, rtol=1e-10, atol=1e-12)


@torch.no_grad()
def test_the_order_of_particles_does_not_matter(network, batch):
    order = torch.randperm(12, generator=torch.Generator().manual_seed(5))
    shuffled = [values[:, order] for values in batch]
    torch.testing.assert_close(network(*shuffled), network(*batch), rtol=1e-10, atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize("value", [7.0, torch.inf, torch.nan])
def test_padding_has_no_influence(network, batch, value):
    coordinates, features, mask = batch
    filled = [
        functional.pad(values.masked_fill(~mask[..., None], value), (0, 0, 0, 3), value=value)
        for values in (coordinates, features)
    ]
    padded_mask = functional.pad(mask, (0, 3))
    torch.testing.assert_close(network(*filled, padded_mask), network(*batch), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(network(*filled, padded_mask)[:3], network(*[v[:3] for v in batch]))


def test_padding_has_no_influence_on_batch_statistics(network, batch):
    wide = [functional.pad(values, (0, 0, 0, 9)) for values in batch[:2]] + [functional.pad(batch[2], (0, 9))]
    states = []
    for inputs in (batch, wide):
        trained = ParticleNet(SMALL, INPUTS, CLASSES).double()
        trained.load_state_dict(network.state_dict())
        trained.train()(*inputs)
        states.append(trained.state_dict())
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=1e-12, atol=1e-12, msg=name)


def test_batch_statistics_are_those_of_real_particles(batch):
    network = ParticleNet(SMALL, INPUTS, CLASSES).double().train()
    network(*batch)
    _, features, mask = batch
    torch.testing.assert_close(network.input_norm.running_mean, 0.1 * features[mask].mean(dim=0))


def test_the_gradient_reaches_every_parameter(network, batch):
    network.train()
    target = torch.tensor([0, 1, 2, 0, 1, 2])
    functional.cross_entropy(network(*batch), target).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert (parameter.grad != 0).any(), name


@torch.no_grad()
def test_a_cloud_without_particles_has_finite_logits(network, batch):
    coordinates, features, mask = (values.clone() for values in batch)
    mask[2] = False
    logits = network(coordinates, features, mask)
    assert logits.isfinite().all()
    torch.testing.assert_close(logits[[0, 1, 3]], network(*batch)[[0, 1, 3]])


def test_mixed_precision_is_close(network, batch):
    single = network.float()
    inputs = batch[0].float(), batch[1].float(), batch[2]
    with torch.no_grad():
        expected = single(*inputs)
        with torch.autocast("cpu", torch.bfloat16):
            logits = single(*inputs)
    assert (logits.float() - expected).abs().max() < 0.05 * expected.abs().max()
    single.train()
    with torch.autocast("cpu", torch.bfloat16):
        functional.cross_entropy(single(*inputs), torch.tensor([0, 1, 2, 0, 1, 2])).backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in single.parameters())


def test_predictions_are_log_probabilities_that_do_not_depend_on_the_chunks(network):
    inputs = make_batch([12, 3, 7, 9, 10, 12, 5], 12, seed=9)
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    predicted = predict_log_probabilities(network, *inputs)
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert predicted.shape == (7, CLASSES)
    torch.testing.assert_close(predicted.exp().sum(dim=1), torch.ones(7, dtype=torch.float64))
    for chunk in (1, 3):
        torch.testing.assert_close(predict_log_probabilities(network, *inputs, chunk=chunk), predicted)
    with torch.no_grad():
        expected = functional.log_softmax(network.eval()(*inputs), dim=1)
    torch.testing.assert_close(predicted, expected)


def test_it_learns_a_difference_that_only_neighbours_show():
    """Pairs of particles share one feature in one class; single particles look the same in both."""
    generator = np.random.default_rng(4)
    n, pairs = 1200, 6
    target = np.arange(n) % 2
    sites = generator.uniform(-1, 1, (n, pairs, 1, 2)) + generator.normal(0.0, 0.01, (n, pairs, 2, 2))
    values = generator.normal(size=(n, pairs, 2, 1))
    values[target == 1, :, 1] = values[target == 1, :, 0]
    coordinates, features = (
        torch.tensor(array.reshape(n, 2 * pairs, -1), dtype=torch.float32) for array in (sites, values)
    )
    mask = torch.ones(n, 2 * pairs, dtype=torch.bool)
    labels = torch.tensor(target)
    torch.manual_seed(0)
    network = ParticleNet(ParticleNetSettings(neighbours=1, blocks=((16, 16),), fusion=16, dense=16), 1, 2)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for step in range(60):
        rows = torch.arange(step * 100, (step + 1) * 100) % 1000
        optimiser.zero_grad()
        functional.cross_entropy(network(coordinates[rows], features[rows], mask[rows]), labels[rows]).backward()
        optimiser.step()
    predicted = predict_log_probabilities(network, coordinates[1000:], features[1000:], mask[1000:])
    assert (predicted.argmax(dim=1) == labels[1000:]).float().mean() > 0.95
