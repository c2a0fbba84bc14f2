"""Networks of the score: dense for one particle, transformers for many.

Each maps states (B, N, C), as they are and in units of their standard deviations, and drives (B, 1, 1), as they are and
as a condition (B, N, 0 or 1), to (B, P, C) for the P particles that are asked for.
"""

from itertools import pairwise
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from cloudchamber.networks.attention import attend
from cloudchamber.studies.active_matter.neighbours import nearest
from cloudchamber.studies.active_matter.score_settings import MlpSettings, TransformerSettings, TransformerSizes
from cloudchamber.studies.active_matter.systems.arrays import wrapped
from cloudchamber.studies.active_matter.systems.system import System

__all__ = ["DenseScore", "GlobalTransformer", "LocalTransformer", "TransformerBlock", "zero_at_first"]


def _mlp(widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths[:-1]):
        layers += [nn.Linear(inputs, outputs), nn.SiLU()]
    return nn.Sequential(*layers, zero_at_first(nn.Linear(widths[-2], widths[-1])))


def zero_at_first(layer: nn.Linear) -> nn.Linear:
    """Let a last layer begin with nothing, so that the velocity is zero at first where the drift is added."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


@final
class DenseScore(nn.Module):
    """A dense network on the coordinates of one particle; a periodic coordinate is seen in its first Fourier modes.

    Args:
        settings: widths, modes, symmetry.
        system: of one particle.
        conditions: 1 if the drive is an input, else 0.
    """

    waves: Tensor

    def __init__(self, settings: MlpSettings, system: System, conditions: int) -> None:
        super().__init__()
        self.dimensions, self.periodic = system.dimensions, system.length is not None
        self.antisymmetric = settings.antisymmetric
        inputs = system.channels + conditions
        if system.length is not None:
            waves = 2 * np.pi / system.length * np.arange(1, settings.harmonics + 1)
            self.register_buffer("waves", torch.tensor(waves, dtype=torch.float32), persistent=False)
            inputs += system.dimensions * (2 * settings.harmonics - 1)
        self.layers = _mlp([inputs, *settings.hidden, system.channels])

    def forward(self, seen: Tensor, state: Tensor, drive: Tensor, conditions: Tensor, chosen: Tensor | None) -> Tensor:
        inputs = self._inputs(seen, state, conditions)
        if not self.antisymmetric:
            return self.layers(inputs)
        values, reflected = self.layers(torch.stack([inputs, self._inputs(-seen, -state, conditions)]))
        return 0.5 * (values - reflected)

    def _inputs(self, seen: Tensor, state: Tensor, conditions: Tensor) -> Tensor:
        if not self.periodic:
            return torch.cat([seen, conditions], dim=2)
        d = self.dimensions
        phases = (state[..., :d, None] * self.waves).flatten(2)
        return torch.cat([phases.sin(), phases.cos(), seen[..., d:], conditions], dim=2)


@final
class TransformerBlock(nn.Module):
    """Attention and feed-forward part, each added to its input; without layer norms they can pass on means as they
    are."""

    def __init__(self, settings: TransformerSizes) -> None:
        super().__init__()
        width = settings.width
        self.heads = settings.heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.first = nn.Linear(width, settings.feed_forward)
        self.second = nn.Linear(settings.feed_forward, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) if settings.norm else nn.Identity() for _ in range(2))

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (b, n, width) tokens to (b, n, width)."""
        attended = attend(self.queries_keys_values(self.norms[0](tokens)), self.heads)
        tokens = tokens + self.out(attended).view_as(tokens)
        return tokens + self.second(nn.functional.silu(self.first(self.norms[1](tokens))))


@final
class GlobalTransformer(nn.Module):
    """A transformer in which each particle looks at all; equivariant under permutations of them.

    Args:
        settings: sizes.
        system: not periodic.
        conditions: 1 if the drive is an input, else 0.
    """

    def __init__(self, settings: TransformerSettings, system: System, conditions: int) -> None:
        super().__init__()
        self.first = nn.Linear(system.channels + conditions, settings.width)
        self.blocks = nn.ModuleList(TransformerBlock(settings) for _ in range(settings.layers))
        self.last = zero_at_first(nn.Linear(settings.width, system.channels))

    def forward(self, seen: Tensor, state: Tensor, drive: Tensor, conditions: Tensor, chosen: Tensor | None) -> Tensor:
        tokens = self.first(torch.cat([seen, conditions], dim=2))
        for block in self.blocks:
            tokens = block(tokens)
        return self.last(tokens if chosen is None else tokens[:, chosen])


@final
class LocalTransformer(nn.Module):
    """A transformer for each particle on its nearest neighbours, itself first; what it says of itself is the output.

    Tokens hold the way from the particle to the neighbour in the periodic box, and the neighbour's activity. Where
    moving all particles together changes something, the particle's own token holds its position too.

    Args:
        settings: sizes and number of neighbours.
        system: geometry.
        conditions: 1 if the drive is an input, else 0.
    """

    def __init__(self, settings: TransformerSettings, system: System, conditions: int) -> None:
        super().__init__()
        assert settings.neighbours is not None
        self.neighbours, self.dimensions, self.length = settings.neighbours, system.dimensions, system.length
        self.uniform = system.uniform
        inputs = system.channels + 1 + conditions + (0 if system.uniform else system.dimensions)
        self.first = nn.Linear(inputs, settings.width)
        self.blocks = nn.ModuleList(TransformerBlock(settings) for _ in range(settings.layers))
        self.last = zero_at_first(nn.Linear(settings.width, system.channels))

    def forward(self, seen: Tensor, state: Tensor, drive: Tensor, conditions: Tensor, chosen: Tensor | None) -> Tensor:
        tokens = self.first(self._tokens(seen, state, conditions, chosen)).flatten(0, 1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.last(tokens[:, 0]).unflatten(0, (len(state), -1))

    def _tokens(self, seen: Tensor, state: Tensor, conditions: Tensor, chosen: Tensor | None) -> Tensor:
        d = self.dimensions
        positions = state[..., :d]
        own = positions if chosen is None else positions[:, chosen]
        rows = nearest(positions, own, min(self.neighbours, positions.shape[1]), self.length)
        snapshot = torch.arange(len(state), device=state.device)[:, None, None]
        apart = positions[snapshot, rows] - own[:, :, None]
        if self.length is not None:
            apart = wrapped(apart, self.length)
        itself = torch.zeros_like(apart[..., :1])
        itself[:, :, 0] = 1.0
        of_chosen = seen if chosen is None else seen[:, chosen]
        parts = [apart, seen[snapshot, rows][..., d:], itself]
        parts.append(conditions[:, :1, None].expand(*apart.shape[:3], conditions.shape[2]))
        if not self.uniform:
            parts.append(of_chosen[:, :, None, :d] * itself)
        return torch.cat(parts, dim=3)
