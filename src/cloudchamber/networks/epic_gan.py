"""EPiC-GAN: generator and discriminator made of EPiC layers (arXiv 2301.08128, section 3).

The layout is the published one, of 424,850 and 313,170 parameters at 6 and 3 layers, hidden width 128, global width 10
and no conditions. Conditions, where there are any, enter each linear layer, as in :mod:`cloudchamber.networks.epic`.
Unlike the published networks, sums over particles are scaled before they enter a product (arXiv 2310.00049).
"""

from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from cloudchamber.networks.epic import EpicLayer, GlobalUpdate, HoistedLinear
from cloudchamber.networks.fused import activate_sum
from cloudchamber.networks.linear import WeightNormLinear
from cloudchamber.networks.packing import Packing
from cloudchamber.settings.networks import EpicGanSettings, EpicSettings

__all__ = ["EpicDiscriminator", "EpicGenerator"]


def _context(conditions: Tensor, particles: Tensor) -> Tensor:
    # One row of width 0 stands for all clouds, so that layers add their bias and spread nothing.
    return conditions.to(particles.dtype) if conditions.shape[1] else particles.new_zeros(1, 0)


@final
class EpicGenerator(nn.Module):
    """Maps noise of particles and of the cloud to a cloud in one evaluation.

    After each layer the encoded noise is added again, to the particles and to the global vector.

    Args:
        features: F, coordinates of a particle and width of its noise.
        conditions: C, conditions of a cloud, without its noise.
        settings: sizes.
    """

    def __init__(self, features: int, conditions: int, settings: EpicGanSettings) -> None:
        super().__init__()
        hidden, self.latent = settings.hidden, settings.latent
        sizes = EpicSettings(hidden=hidden, latent=settings.latent, sum_scale=settings.sum_scale)
        self.first = HoistedLinear(features, conditions, hidden)
        self.global_first = WeightNormLinear(conditions + settings.latent, hidden)
        self.global_second = WeightNormLinear(conditions + hidden, settings.latent)
        self.layers = nn.ModuleList(EpicLayer(sizes, conditions) for _ in range(settings.layers))
        self.last = HoistedLinear(hidden, conditions, features)

    def forward(self, particles: Tensor, time: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        """Return (M, F) generated particles.

        Args:
            particles: (M, F) noise.
            time: not looked at; with it, networks of all objectives are called alike.
            conditions: (B, C + latent) standardised conditions and, behind them, the noise of the cloud.
            packing: which particle belongs to which cloud; every cloud has at least one.
        """
        context = _context(conditions[:, : -self.latent], particles)
        shared = context.expand(len(conditions), -1)
        encoded = self.first.activated(particles, context, packing)
        of_clouds = leaky_relu(self.global_first(conditions.to(particles.dtype)))
        encoded_latent = leaky_relu(self.global_second(torch.cat([shared, of_clouds], dim=1)))
        encoded_total = packing.sum(encoded)
        hidden, total, latent = encoded, encoded_total, encoded_latent
        for layer in self.layers:
            hidden, total, latent = layer(hidden, total, latent, context, packing)
            hidden, total, latent = hidden + encoded, total + encoded_total, latent + encoded_latent
        return self.last(hidden, context, packing)


@final
class EpicDiscriminator(nn.Module):
    """Scores clouds, high where they look real.

    Args:
        features: F, coordinates of a particle.
        conditions: C, conditions of a cloud.
        layers: EPiC layers.
        hidden: width of particles and of the products.
        latent: width of the global vector.
        sum_scale: factor on the sum over particles before the global products.
    """

    def __init__(self, features: int, conditions: int, layers: int, hidden: int, latent: int, sum_scale: float) -> None:
        super().__init__()
        sizes = EpicSettings(hidden=hidden, latent=latent, sum_scale=sum_scale)
        self.sum_scale = sum_scale
        self.first = HoistedLinear(features, conditions, hidden)
        self.second = HoistedLinear(hidden, conditions, hidden)
        self.start = GlobalUpdate(sizes, 0, conditions)
        self.layers = nn.ModuleList(EpicLayer(sizes, conditions) for _ in range(layers))
        self.score_first = WeightNormLinear(conditions + 2 * hidden + latent, hidden)
        self.score_second = WeightNormLinear(conditions + hidden, hidden)
        self.score_last = WeightNormLinear(conditions + hidden, 1)

    def forward(self, particles: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        """Return the (B, 1) scores.

        Args:
            particles: (M, F) packed particles.
            conditions: (B, C) standardised conditions, C may be 0.
            packing: which particle belongs to which cloud; every cloud has at least one.
        """
        context = _context(conditions, particles)
        first = self.first.activated(particles, context, packing)
        hidden, total = activate_sum(self.second(first, context, packing), first, packing)
        latent = self.start(total, None, context, packing)
        for layer in self.layers:
            hidden, total, latent = layer(hidden, total, latent, context, packing)
        shared = context.expand(len(total), -1)
        pooled = torch.cat([shared, total / packing.counts[:, None], total * self.sum_scale, latent], dim=1)
        score = leaky_relu(self.score_first(pooled))
        score = leaky_relu(self.score_second(torch.cat([shared, score], dim=1)) + score)
        return self.score_last(torch.cat([shared, score], dim=1))
