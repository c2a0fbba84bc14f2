"""The EPiC network written out plainly: padded clouds, concatenated inputs, masks.

The same function as :class:`cloudchamber.networks.epic.Epic`, from the same ``state_dict``, but in the way of the
published implementations (arXiv 2301.08128, 2310.00049): each linear layer gets [particle, cloud] concatenated for each
slot, real or not. It is what the packed network is tested and timed against.
"""

import math
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, linear

from cloudchamber.settings.networks import EpicSettings

__all__ = ["PaddedEpic"]


@final
class _WeightNorm(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.empty(out, width))
        self.gain = nn.Parameter(torch.empty(out, 1))
        self.bias = nn.Parameter(torch.empty(out))
        self._folded: Tensor | None = None

    def fold(self) -> None:
        self._folded = self._weight().detach()

    def _weight(self) -> Tensor:
        return self.gain * self.direction / self.direction.square().sum(dim=1, keepdim=True).sqrt()

    def forward(self, *inputs: Tensor) -> Tensor:
        weight = self._weight() if self._folded is None else self._folded
        return linear(torch.cat(inputs, dim=-1), weight, self.bias)


@final
class _Local(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.linear = _WeightNorm(width, out)

    def forward(self, particles: Tensor, *of_cloud: Tensor) -> Tensor:
        spread = [values.unsqueeze(1).expand(-1, particles.shape[1], -1) for values in of_cloud]
        return self.linear(particles, *spread)


@final
class _Update(nn.Module):
    def __init__(self, settings: EpicSettings, latent_in: int, context: int) -> None:
        super().__init__()
        self.sum_scale = settings.sum_scale
        self.first = _WeightNorm(context + 2 * settings.hidden + latent_in, settings.hidden)
        self.second = _WeightNorm(context + settings.hidden, settings.latent)

    def forward(self, particles: Tensor, mask: Tensor, context: Tensor, latent: Tensor | None) -> Tensor:
        total = (particles * mask).sum(dim=1)
        mean = total / mask.sum(dim=1)
        latents = [] if latent is None else [latent]
        hidden = leaky_relu(self.first(context, mean, total * self.sum_scale, *latents))
        update = self.second(context, hidden)
        return leaky_relu(update if latent is None else update + latent)


@final
class _Layer(nn.Module):
    def __init__(self, settings: EpicSettings, context: int) -> None:
        super().__init__()
        hidden = settings.hidden
        self.update = _Update(settings, settings.latent, context)
        self.first = _Local(hidden + context + settings.latent, hidden)
        self.second = _Local(hidden + context, hidden)

    def forward(self, particles: Tensor, latent: Tensor, mask: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        latent = self.update(particles, mask, context, latent)
        hidden = leaky_relu(self.first(particles, context, latent))
        return leaky_relu(self.second(hidden, context) + particles), latent


@final
class PaddedEpic(nn.Module):
    """EPiC on padded clouds; its parameters are meaningless until a ``state_dict`` of the packed network is loaded.

    Args:
        features: F, coordinates of a particle.
        conditions: C, conditions of a cloud.
        settings: sizes.
    """

    def __init__(self, features: int, conditions: int, settings: EpicSettings) -> None:
        super().__init__()
        context, hidden = settings.time_features + conditions, settings.hidden
        self.time_features = settings.time_features
        self.first = _Local(features + context, hidden)
        self.second = _Local(hidden + context, hidden)
        self.start = _Update(settings, 0, context)
        self.layers = nn.ModuleList(_Layer(settings, context) for _ in range(settings.layers))
        self.last = _Local(hidden + context, features)

    def fold(self) -> None:
        """Fix the effective weights, so that they are not computed again with each use."""
        for module in self.modules():
            if isinstance(module, _WeightNorm):
                module.fold()

    def forward(self, points: Tensor, mask: Tensor, time: Tensor, conditions: Tensor) -> Tensor:
        """Return the (B, P, F) field, zero in padded slots.

        Args:
            points: (B, P, F) padded particles.
            mask: (B, P) bool.
            time: (B, 1) in [0, 1].
            conditions: (B, C).
        """
        half = self.time_features // 2
        # From half a turn to 16 turns over the unit interval, 32-fold, in geometric steps.
        turns = torch.tensor([0.5 * 32 ** (step / max(half - 1, 1)) for step in range(half)], device=time.device)
        phase = 2 * math.pi * time * turns
        context = torch.cat([phase.cos(), phase.sin(), conditions], dim=1).to(points.dtype)
        real = mask.unsqueeze(2).to(points.dtype)
        particles = leaky_relu(self.first(points, context))
        particles = leaky_relu(self.second(particles, context) + particles)
        latent = self.start(particles, real, context, None)
        for layer in self.layers:
            particles, latent = layer(particles, latent, real, context)
        return self.last(particles, context) * real
