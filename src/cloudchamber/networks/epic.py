"""EPiC: equivariant point cloud network (arXiv 2301.08128, section 3; in this form 2310.00049, section 3).

The network sees real particles only, packed into one matrix. Each linear layer acts on [particle, cloud] where the
cloud part (time, global vector, conditions) is the same for all particles of a cloud. Its weight is split,
W [x, c] + b = W_x x + (W_c c + b), so that the bracket is computed once per cloud.

Three quirks of the published implementation are left out: its time frequencies exp(k), k = 0..31, exceed what float32
resolves for half of the channels (bounded frequencies here); it ends in a LeakyReLU, which shrinks negative
velocities a hundredfold (a linear end here); and the padded slots are not computed at all.
"""

from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, linear

from cloudchamber.networks.linear import WeightNormLinear
from cloudchamber.networks.packing import Packing
from cloudchamber.networks.time_embedding import TimeEmbedding, cloud_context
from cloudchamber.settings import EpicSettings

__all__ = ["Epic"]


@final
class HoistedLinear(nn.Module):
    """A weight-normalised linear layer on [particle, cloud] whose cloud part is computed once per cloud."""

    def __init__(self, particle_width: int, cloud_width: int, out: int) -> None:
        super().__init__()
        self.particle_width = particle_width
        self.linear = WeightNormLinear(particle_width + cloud_width, out)

    def forward(self, particles: Tensor, clouds: Tensor, packing: Packing) -> Tensor:
        """Map (M, particle_width) rows and (B, cloud_width) or (1, cloud_width) clouds to (M, out)."""
        weight = self.linear.weight
        of_clouds = linear(clouds, weight[:, self.particle_width :], self.linear.bias)
        if len(of_clouds) == 1:
            return linear(particles, weight[:, : self.particle_width], of_clouds[0])
        return linear(particles, weight[:, : self.particle_width]).add_(packing.spread(of_clouds))


@final
class GlobalUpdate(nn.Module):
    """Pools the particles and updates the global vector of each cloud."""

    def __init__(self, settings: EpicSettings, latent_in: int, context: int) -> None:
        super().__init__()
        self.sum_scale = settings.sum_scale
        self.first = WeightNormLinear(context + 2 * settings.hidden + latent_in, settings.hidden)
        self.second = WeightNormLinear(context + settings.hidden, settings.latent)

    def forward(self, particles: Tensor, latent: Tensor | None, context: Tensor, packing: Packing) -> Tensor:
        """Map (M, hidden) particles, the (B, latent) global vector or None and the context to (B, latent)."""
        total = packing.sum(particles)
        mean = total / packing.counts[:, None]
        context = context.expand(len(total), -1)
        parts = [context, mean, total * self.sum_scale]
        hidden = leaky_relu(self.first(torch.cat(parts if latent is None else [*parts, latent], dim=1)))
        update = self.second(torch.cat([context, hidden], dim=1))
        return leaky_relu(update if latent is None else latent + update)


@final
class EpicLayer(nn.Module):
    """One EPiC layer: update of the global vector, then of each particle, both with residual connections."""

    def __init__(self, settings: EpicSettings, context: int) -> None:
        super().__init__()
        hidden = settings.hidden
        self.update = GlobalUpdate(settings, settings.latent, context)
        self.first = HoistedLinear(hidden, context + settings.latent, hidden)
        self.second = HoistedLinear(hidden, context, hidden)

    def forward(self, particles: Tensor, latent: Tensor, context: Tensor, packing: Packing) -> tuple[Tensor, Tensor]:
        """Return the new (M, hidden) particles and (B, latent) global vectors."""
        latent = self.update(particles, latent, context, packing)
        with_latent = torch.cat([context.expand(len(latent), -1), latent], dim=1)
        hidden = leaky_relu(self.first(particles, with_latent, packing), inplace=True)
        update = self.second(hidden, context, packing).add_(particles)
        return leaky_relu(update, inplace=True), latent


@final
class Epic(nn.Module):
    """EPiC network for fields on particle clouds, such as a velocity or a noise estimate.

    With 6 layers, hidden width 128, latent width 10 and 32 time features it has the 561,330 parameters of the
    published EPiC-FM (566,852 with two conditions).

    Args:
        features: F, coordinates of a particle.
        conditions: C, conditions of a cloud.
        settings: sizes.
    """

    def __init__(self, features: int, conditions: int, settings: EpicSettings) -> None:
        super().__init__()
        context = settings.time_features + conditions
        self.time = TimeEmbedding(settings.time_features)
        self.first = HoistedLinear(features, context, settings.hidden)
        self.second = HoistedLinear(settings.hidden, context, settings.hidden)
        self.start = GlobalUpdate(settings, 0, context)
        self.layers = nn.ModuleList(EpicLayer(settings, context) for _ in range(settings.layers))
        self.last = HoistedLinear(settings.hidden, context, features)

    def forward(self, particles: Tensor, time: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        """Return the (M, F) field.

        Args:
            particles: (M, F) packed particles.
            time: (B, 1) in [0, 1], or (1, 1) where all clouds share one time.
            conditions: (B, C) standardised conditions, C may be 0.
            packing: which particle belongs to which cloud; every cloud has at least one.
        """
        context = cloud_context(self.time(time), conditions, particles.dtype)
        hidden = leaky_relu(self.first(particles, context, packing), inplace=True)
        hidden = leaky_relu(self.second(hidden, context, packing).add_(hidden), inplace=True)
        latent = self.start(hidden, None, context, packing)
        for layer in self.layers:
            hidden, latent = layer(hidden, latent, context, packing)
        return self.last(hidden, context, packing)
