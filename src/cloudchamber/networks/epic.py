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

from cloudchamber.networks.fused import activate_shifted, activate_sum
from cloudchamber.networks.linear import WeightNormLinear
from cloudchamber.networks.packing import Packing
from cloudchamber.networks.time_embedding import TimeEmbedding, cloud_context
from cloudchamber.settings.networks import EpicSettings

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
        of_particles, of_clouds = self._parts(particles, clouds)
        return of_particles if of_clouds is None else of_particles.add_(packing.spread(of_clouds))

    def activated(self, particles: Tensor, clouds: Tensor, packing: Packing) -> Tensor:
        """Return the leaky ReLU of what :meth:`forward` returns."""
        of_particles, of_clouds = self._parts(particles, clouds)
        if of_clouds is None:
            return leaky_relu(of_particles, inplace=True)
        return activate_shifted(of_particles, of_clouds, packing)

    def _parts(self, particles: Tensor, clouds: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return (M, out) of the particles and (B, out) of their clouds, None where one row served all as a bias."""
        weight = self.linear.weight
        of_clouds = linear(clouds, weight[:, self.particle_width :], self.linear.bias)
        if len(of_clouds) == 1:
            return linear(particles, weight[:, : self.particle_width], of_clouds[0]), None
        return linear(particles, weight[:, : self.particle_width]), of_clouds


@final
class GlobalUpdate(nn.Module):
    """Updates the global vector of each cloud from the sum of its particles."""

    def __init__(self, settings: EpicSettings, latent_in: int, context: int) -> None:
        super().__init__()
        self.sum_scale = settings.sum_scale
        self.first = WeightNormLinear(context + 2 * settings.hidden + latent_in, settings.hidden)
        self.second = WeightNormLinear(context + settings.hidden, settings.latent)

    def forward(self, total: Tensor, latent: Tensor | None, context: Tensor, packing: Packing) -> Tensor:
        """Map (B, hidden) sums of particles, the (B, latent) global vector or None and the context to (B, latent)."""
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

    def forward(
        self, particles: Tensor, total: Tensor, latent: Tensor, context: Tensor, packing: Packing
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the new (M, hidden) particles, their (B, hidden) sums and the (B, latent) global vectors."""
        latent = self.update(total, latent, context, packing)
        with_latent = torch.cat([context.expand(len(latent), -1), latent], dim=1)
        hidden = self.first.activated(particles, with_latent, packing)
        return *activate_sum(self.second(hidden, context, packing), particles, packing), latent


@final
class Epic(nn.Module):
    """EPiC network for fields on particle clouds, such as a velocity or a noise estimate.

    With 6 layers, hidden width 128, latent width 10 and 32 time features it has the 561,330 parameters of the
    published EPiC-FM (566,852 with two conditions).

    Args:
        features: F, coordinates of a particle.
        conditions: C, conditions of a cloud.
        settings: sizes.
        intervals: whether times come with intervals, as in a flow map.

    Example:
        >>> network = Epic(features=3, conditions=0, settings=EpicSettings())
        >>> sum(weights.numel() for weights in network.parameters())
        561330
        >>> packing = Packing(torch.tensor([30, 12]))
        >>> network(torch.randn(42, 3), torch.rand(2, 1), torch.empty(2, 0), packing).shape
        torch.Size([42, 3])
    """

    def __init__(self, features: int, conditions: int, settings: EpicSettings, intervals: bool = False) -> None:
        super().__init__()
        context = settings.time_features + conditions
        self.time = TimeEmbedding(settings.time_features, intervals)
        self.first = HoistedLinear(features, context, settings.hidden)
        self.second = HoistedLinear(settings.hidden, context, settings.hidden)
        self.start = GlobalUpdate(settings, 0, context)
        self.layers = nn.ModuleList(EpicLayer(settings, context) for _ in range(settings.layers))
        self.last = HoistedLinear(settings.hidden, context, features)

    def forward(self, particles: Tensor, time: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        """Return the (M, F) field.

        Args:
            particles: (M, F) packed particles.
            time: (B, 1) in [0, 1], or (1, 1) where all clouds share one time; with the interval behind it where the
                network takes intervals.
            conditions: (B, C) standardised conditions, C may be 0.
            packing: which particle belongs to which cloud; every cloud has at least one.
        """
        context = cloud_context(self.time(time), conditions, particles.dtype)
        first = self.first.activated(particles, context, packing)
        hidden, total = activate_sum(self.second(first, context, packing), first, packing)
        latent = self.start(total, None, context, packing)
        for layer in self.layers:
            hidden, total, latent = layer(hidden, total, latent, context, packing)
        return self.last(hidden, context, packing)
