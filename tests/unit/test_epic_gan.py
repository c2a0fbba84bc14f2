"""Generator and discriminator of EPiC-GAN: their mathematics, and the equations of the paper written out per cloud."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, linear

from cloudchamber.networks.epic_gan import EpicDiscriminator, EpicGenerator
from cloudchamber.networks.linear import for_inference
from cloudchamber.networks.packing import Packing
from cloudchamber.settings.networks import EpicGanSettings

FEATURES = 3
COUNTS = torch.tensor([3, 1, 9, 4, 1, 6])
TIME = torch.ones(1, 1)
SMALL = EpicGanSettings(layers=2, hidden=16, latent=4)


@pytest.fixture(params=[0, 2], ids=["no-conditions", "two-conditions"])
def conditions(request: pytest.FixtureRequest) -> Tensor:
    return torch.randn(len(COUNTS), request.param, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def inputs(conditions: Tensor) -> Tensor:
    """Conditions and, behind them, the noise of the clouds."""
    noise = torch.randn(len(COUNTS), SMALL.latent, generator=torch.Generator().manual_seed(4))
    return torch.cat([conditions, noise], dim=1)


@pytest.fixture
def particles() -> Tensor:
    return torch.randn(int(COUNTS.sum()), FEATURES, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def generator(conditions: Tensor) -> EpicGenerator:
    torch.manual_seed(7)
    return EpicGenerator(FEATURES, conditions.shape[1], SMALL)


@pytest.fixture
def discriminator(conditions: Tensor) -> EpicDiscriminator:
    torch.manual_seed(8)
    return EpicDiscriminator(FEATURES, conditions.shape[1], layers=2, hidden=16, latent=4, sum_scale=SMALL.sum_scale)


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_parameters_are_those_of_the_published_networks() -> None:
    # Printed by the training notebook of arXiv 2301.08128.
    assert _parameters(EpicGenerator(FEATURES, 0, EpicGanSettings())) == 424_850
    assert _parameters(EpicDiscriminator(FEATURES, 0, layers=3, hidden=128, latent=10, sum_scale=1.0)) == 313_170


def _shuffled() -> Tensor:
    random = torch.Generator().manual_seed(2)
    starts = COUNTS.cumsum(0) - COUNTS
    parts = [start + torch.randperm(int(n), generator=random) for start, n in zip(starts, COUNTS, strict=True)]
    order = torch.cat(parts)
    assert not torch.equal(order, torch.arange(len(order)))
    return order


def test_a_permutation_of_the_noise_permutes_the_particles(
    generator: EpicGenerator, particles: Tensor, inputs: Tensor
) -> None:
    order, packing = _shuffled(), Packing(COUNTS)
    straight = generator(particles, TIME, inputs, packing)
    assert straight.shape == particles.shape
    torch.testing.assert_close(
        generator(particles[order], TIME, inputs, packing), straight[order], rtol=1e-5, atol=1e-6
    )


def test_a_permutation_of_particles_leaves_the_score(
    discriminator: EpicDiscriminator, particles: Tensor, conditions: Tensor
) -> None:
    packing = Packing(COUNTS)
    scores = discriminator(particles, conditions, packing)
    assert scores.shape == (len(COUNTS), 1)
    torch.testing.assert_close(discriminator(particles[_shuffled()], conditions, packing), scores, rtol=1e-5, atol=1e-6)


def test_clouds_do_not_see_each_other(
    generator: EpicGenerator, discriminator: EpicDiscriminator, particles: Tensor, inputs: Tensor, conditions: Tensor
) -> None:
    generated = generator(particles, TIME, inputs, Packing(COUNTS)).split(COUNTS.tolist())
    scores = discriminator(particles, conditions, Packing(COUNTS))
    for number, alone in enumerate(particles.split(COUNTS.tolist())):
        one = slice(number, number + 1)
        packing = Packing(COUNTS[one])
        torch.testing.assert_close(
            generator(alone, TIME, inputs[one], packing), generated[number], rtol=1e-5, atol=1e-6
        )
        torch.testing.assert_close(discriminator(alone, conditions[one], packing), scores[one], rtol=1e-5, atol=1e-6)


def test_particles_conditions_and_noise_of_a_cloud_matter(
    generator: EpicGenerator, discriminator: EpicDiscriminator, particles: Tensor, inputs: Tensor, conditions: Tensor
) -> None:
    packing = Packing(COUNTS)
    generated = generator(particles, TIME, inputs, packing)
    for column in range(inputs.shape[1]):
        changed = inputs.clone()
        changed[:, column] += 1
        assert not torch.allclose(generator(particles, TIME, changed, packing), generated, atol=1e-4)
    moved = particles.clone()
    moved[0] += 1
    assert (generator(moved, TIME, inputs, packing) - generated)[1:3].abs().gt(1e-7).any()
    scores = discriminator(particles, conditions, packing)
    assert (discriminator(moved, conditions, packing) - scores)[0].abs() > 1e-5
    for column in range(conditions.shape[1]):
        changed = conditions.clone()
        changed[:, column] += 1
        assert not torch.allclose(discriminator(particles, changed, packing), scores, atol=1e-4)


def test_gradients_reach_every_parameter(
    generator: EpicGenerator, discriminator: EpicDiscriminator, particles: Tensor, inputs: Tensor, conditions: Tensor
) -> None:
    packing = Packing(COUNTS)
    generator(particles, TIME, inputs, packing).square().sum().backward()
    discriminator(particles, conditions, packing).square().sum().backward()
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


class _Plain:
    """The layers by name, applied to one cloud at a time without splitting a weight."""

    def __init__(self, network: nn.Module, condition: Tensor) -> None:
        self.weights = dict(network.named_parameters())
        self.condition = condition

    def dense(self, name: str, *parts: Tensor) -> Tensor:
        direction, gain, bias = (self.weights[f"{name}.{part}"] for part in ("direction", "gain", "bias"))
        weight = gain * direction / direction.square().sum(dim=1, keepdim=True).sqrt()
        return linear(torch.cat(parts, dim=-1), weight, bias)

    def of_particles(self, name: str, particles: Tensor, *clouds: Tensor) -> Tensor:
        rows = [part.expand(len(particles), -1) for part in (self.condition, *clouds)]
        return self.dense(f"{name}.linear", particles, *rows)

    def pooled(self, particles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.condition, particles.mean(dim=0), SMALL.sum_scale * particles.sum(dim=0)

    def layer(self, name: str, particles: Tensor, latent: Tensor) -> tuple[Tensor, Tensor]:
        hidden = leaky_relu(self.dense(f"{name}.update.first", *self.pooled(particles), latent))
        latent = leaky_relu(self.dense(f"{name}.update.second", self.condition, hidden) + latent)
        hidden = leaky_relu(self.of_particles(f"{name}.first", particles, latent))
        return leaky_relu(self.of_particles(f"{name}.second", hidden) + particles), latent


def test_the_generator_is_that_of_the_paper(generator: EpicGenerator, particles: Tensor, inputs: Tensor) -> None:
    generated = generator(particles, TIME, inputs, Packing(COUNTS)).split(COUNTS.tolist())
    for number, noise in enumerate(particles.split(COUNTS.tolist())):
        condition, of_cloud = inputs[number, : -SMALL.latent], inputs[number, -SMALL.latent :]
        plain = _Plain(generator, condition)
        first = leaky_relu(plain.of_particles("first", noise))
        hidden = leaky_relu(plain.dense("global_first", condition, of_cloud))
        first_latent = leaky_relu(plain.dense("global_second", condition, hidden))
        hidden, latent = first, first_latent
        for layer in ("layers.0", "layers.1"):
            hidden, latent = plain.layer(layer, hidden, latent)
            hidden, latent = hidden + first, latent + first_latent
        torch.testing.assert_close(generated[number], plain.of_particles("last", hidden), rtol=1e-4, atol=1e-5)


def test_the_discriminator_is_that_of_the_paper(
    discriminator: EpicDiscriminator, particles: Tensor, conditions: Tensor
) -> None:
    scores = discriminator(particles, conditions, Packing(COUNTS))
    for number, cloud in enumerate(particles.split(COUNTS.tolist())):
        condition = conditions[number]
        plain = _Plain(discriminator, condition)
        hidden = leaky_relu(plain.of_particles("first", cloud))
        hidden = leaky_relu(plain.of_particles("second", hidden) + hidden)
        latent = leaky_relu(plain.dense("start.first", *plain.pooled(hidden)))
        latent = leaky_relu(plain.dense("start.second", condition, latent))
        for layer in ("layers.0", "layers.1"):
            hidden, latent = plain.layer(layer, hidden, latent)
        score = leaky_relu(plain.dense("score_first", *plain.pooled(hidden), latent))
        score = leaky_relu(plain.dense("score_second", condition, score) + score)
        score = plain.dense("score_last", condition, score)
        torch.testing.assert_close(scores[number], score, rtol=1e-4, atol=1e-5)


def test_the_copy_for_inference_is_the_same_function(
    generator: EpicGenerator, particles: Tensor, inputs: Tensor
) -> None:
    expected = generator(particles, TIME, inputs, Packing(COUNTS)).detach()
    torch.testing.assert_close(for_inference(generator)(particles, TIME, inputs, Packing(COUNTS)), expected)
    rounded = for_inference(generator, torch.bfloat16)
    low = rounded(particles.bfloat16(), TIME, inputs.bfloat16(), Packing(COUNTS))
    assert low.dtype == torch.bfloat16
    assert float((low.float() - expected).norm() / expected.norm()) < 0.05
