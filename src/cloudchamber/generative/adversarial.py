"""Adversarial training of a generator against a discriminator (EPiC-GAN, arXiv 2301.08128).

Both learn with the least-squares losses of arXiv 1611.04076, target 1 for real jets and 0 for generated ones. They are
updated at the same time, from one backward pass on one batch of noise, as the training loop has one network and one
optimiser; the published training alternates, a step of the discriminator and then, with new noise, one of the
generator. The clipping of the gradient acts on both together.
"""

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from cloudchamber import seeds
from cloudchamber.generative.jet_task import JetTask
from cloudchamber.generative.objectives import Adversarial
from cloudchamber.generative.sampling import Sampler
from cloudchamber.networks.epic_gan import EpicDiscriminator
from cloudchamber.networks.packing import PackedClouds, Packing
from cloudchamber.settings.generators import SamplerSettings
from cloudchamber.settings.networks import EpicGanSettings
from cloudchamber.settings.objectives import AdversarialSettings

__all__ = ["AdversarialPair", "AdversarialTask", "build_discriminator", "generator_weights"]

_SAMPLER = SamplerSettings(solver="one_step", evaluations=1)
_GENERATOR = "generator."


@final
class AdversarialPair(nn.Module):
    """A generator and its discriminator as one network, whose losses each teach their own part alone.

    Args:
        generator: maps (noise, time, conditions with the noise of the cloud, packing) to particles.
        discriminator: maps (particles, conditions, packing) to scores.
    """

    def __init__(self, generator: nn.Module, discriminator: nn.Module) -> None:
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator

    def forward(self, real: Tensor, noise: Tensor, conditions: Tensor, cloud_noise: Tensor, packing: Packing) -> Tensor:
        """Return the (2,) losses of generator and discriminator, means over clouds.

        A discriminator that cannot tell gives 1/8 and 1/4.

        Args:
            real, noise: (M, F).
            conditions: (B, C) of real and generated clouds alike.
            cloud_noise: (B, L).
            packing: which particle belongs to which cloud, real or generated.
        """
        inputs = torch.cat([conditions, cloud_noise], dim=1)
        fake = self.generator(noise, noise.new_ones(1, 1), inputs, packing).to(real.dtype)
        # One pass over both halves costs less than two on small batches.
        both = torch.cat([real, fake.detach()])
        scores = self.discriminator(both, conditions.repeat(2, 1), Packing(packing.counts.repeat(2))).float()
        of_real, of_fake = scores.chunk(2)
        of_discriminator = ((of_real - 1).square().mean() + of_fake.square().mean()) / 2
        fixed = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        judged: Tensor = functional_call(self.discriminator, fixed, (fake, conditions, packing)).float()
        return torch.stack([(judged - 1).square().mean() / 2, of_discriminator])


def build_discriminator(
    features: int, conditions: int, settings: EpicGanSettings, objective: AdversarialSettings
) -> EpicDiscriminator:
    """Return the untrained discriminator of a generator: of its own depth and width, pooling as the generator does."""
    return EpicDiscriminator(
        features,
        conditions,
        objective.discriminator_layers,
        objective.discriminator_hidden,
        settings.latent,
        settings.sum_scale,
    )


def generator_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of the generator alone, by their names in it, from those of an :class:`AdversarialPair`."""
    return {name.removeprefix(_GENERATOR): value for name, value in weights.items() if name.startswith(_GENERATOR)}


@final
class AdversarialTask(JetTask):
    """Adversarial training; arguments as of :class:`JetTask`, and ``cloud_noise``: width of the noise of each cloud."""

    def __init__(
        self,
        network: AdversarialPair,
        cloud_noise: int,
        train: PackedClouds,
        validation: PackedClouds,
        to_physical: Callable[[np.ndarray], np.ndarray],
        seed: int,
    ) -> None:
        super().__init__(network, train, validation, to_physical, seed)
        self._cloud_noise = cloud_noise

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        """Return the sum of the two losses."""
        values, packing, conditions = self._train.take(rows)
        noise, cloud_noise = self._noise(values, packing, generator)
        particles, part = packing.part(share)
        # Means over clouds, of which all shares have as many: the mean over processes is that of the batch.
        return network(values[particles], noise[particles], conditions[share], cloud_noise[share], part).sum()

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the losses and the Wasserstein-1 distances of jet mass and jet pT (relative to the jet).

        The losses say how well each network does against the other; the distances say how good the jets are.
        """
        assert isinstance(network, AdversarialPair), "the loop validates what it trains"
        device = self._validation.values.device
        generator = torch.Generator(device=device).manual_seed(seeds.integer_seed(self._seed, "validation"))
        rows = torch.arange(len(self._validation), device=device)
        losses = torch.zeros(2, dtype=torch.float64)
        for some in rows.split(512):
            values, packing, conditions = self._validation.take(some)
            noise, cloud_noise = self._noise(values, packing, generator)
            losses += len(some) * network(values, noise, conditions, cloud_noise, packing).cpu()
        of_generator, of_discriminator = (losses / len(rows)).tolist()
        features = self._validation.values.shape[1]
        sampler = Sampler(network.generator, Adversarial(), _SAMPLER, features, self._cloud_noise)
        return {
            "validation_loss": of_generator + of_discriminator,
            "generator_loss": of_generator,
            "discriminator_loss": of_discriminator,
            **self._check.distances(sampler),
        }

    def _noise(self, values: Tensor, packing: Packing, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        noise = torch.randn(values.shape, generator=generator, device=values.device)
        shape = len(packing.counts), self._cloud_noise
        return noise, torch.randn(shape, generator=generator, device=values.device)
