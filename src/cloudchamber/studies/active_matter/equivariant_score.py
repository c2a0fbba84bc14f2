"""A transformer of the score that turns with the particles: numbers that do not turn weigh vectors that do.

Each particle looks at its nearest neighbours, itself first. What it sees of one are lengths of vectors and the cosines
between them: the way to the neighbour, its activity, its velocity u by the equation of motion, and what the force does
along u, a = (u . grad) F, and once more along a. The score is a sum of these vectors, each times what the transformer
says. A turned or mirrored state has the turned or mirrored score to rounding.

Where disks are jammed and nothing else moves them (eps = 0), positions follow the activities, so that u is small and
fluctuates like an Ornstein-Uhlenbeck process with the Hessian H = -dF/dx: the score of the activities is then
(a - gamma u) / (gamma v0), of Gaussian fluctuations. Networks that see positions and activities alone would have to
find u as a small difference of large forces.
"""

from itertools import combinations
from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.errors import SettingsError
from cloudchamber.studies.active_matter.neighbours import nearest
from cloudchamber.studies.active_matter.score_networks import TransformerBlock, zero_at_first
from cloudchamber.studies.active_matter.score_settings import EquivariantSettings
from cloudchamber.studies.active_matter.systems.arrays import wrapped
from cloudchamber.studies.active_matter.systems.system import ActiveSystem, System

__all__ = ["EquivariantTransformer"]

# Below this share of its scale a vector has no direction.
_SMALL = 1e-4
# States by which the vectors are scaled.
_SCALED_BY = 64


@final
class EquivariantTransformer(nn.Module):
    """A transformer on each particle's nearest neighbours, equivariant under rotations, reflections and permutations.

    Args:
        settings: sizes.
        system: of active particles.
        conditions: 1 if the drive is an input, else 0.

    Raises:
        SettingsError: the particles have no activity.
    """

    def __init__(self, settings: EquivariantSettings, system: System, conditions: int) -> None:
        super().__init__()
        if not isinstance(system, ActiveSystem):
            raise SettingsError("network.kind: an equivariant network is for systems that activities propel")
        self.neighbours, self.size, self.system = settings.neighbours, settings.size, system
        # The way to the neighbour, activity, velocity, its two derivatives and, where there is a centre, the position.
        vectors = 5 + (not system.uniform)
        self.scales: Tensor
        self.register_buffer("scales", torch.ones(vectors))
        invariants = vectors * (vectors + 3) // 2 + 1 + conditions
        self.first = nn.Sequential(
            nn.Linear(invariants, settings.width), nn.SiLU(), nn.Linear(settings.width, settings.width)
        )
        self.blocks = nn.ModuleList(TransformerBlock(settings) for _ in range(settings.layers))
        # For positions and for activities: each vector with a length that grows slowly, and one that shrinks again.
        self.last = zero_at_first(nn.Linear(settings.width, 2 * 2 * vectors))

    @torch.no_grad()
    def fit(self, states: Tensor, drives: Tensor) -> None:
        """Set the scales of the vectors to their median lengths in states (M, N, C) at drives (M, 1, 1)."""
        every = -(-len(states) // _SCALED_BY)
        for number, vectors in enumerate(self._of_particles(states[::every], drives[::every]), start=1):
            lengths = vectors.norm(dim=-1)
            typical = lengths.median()
            # Of a gas half of the particles touch no other.
            self.scales[number] = typical if typical > _SMALL * lengths.max() else lengths.square().mean().sqrt()
        self.scales.masked_fill_(self.scales == 0, 1.0)

    def forward(self, seen: Tensor, state: Tensor, drive: Tensor, conditions: Tensor, chosen: Tensor | None) -> Tensor:
        tokens = self._vectors(state, drive, chosen) / self.scales[:, None]
        lengths = (tokens.square().sum(dim=-1, keepdim=True) + _SMALL**2).sqrt()
        directions = tokens / lengths
        hidden = self.first(self._invariants(lengths, directions, conditions)).flatten(0, 1)
        for block in self.blocks:
            hidden = block(hidden)
        basis = torch.cat([directions * torch.asinh(lengths), tokens / (1 + lengths.square())], dim=3)
        weights = self.last(hidden).unflatten(2, (2, -1)).unflatten(0, tokens.shape[:2])
        return self.size * torch.einsum("bpngv,bpnvd->bpgd", weights, basis).flatten(2)

    def _of_particles(self, state: Tensor, drive: Tensor) -> list[Tensor]:
        """Return the (B, N, d) vectors of each particle."""
        d = self.system.dimensions
        vectors = [state[..., d:], *self.system.motion(state, drive, 2)]
        return vectors if self.system.uniform else [*vectors, state[..., :d]]

    def _vectors(self, state: Tensor, drive: Tensor, chosen: Tensor | None) -> Tensor:
        """Return (B, P, n, V, d) vectors of the neighbours of each particle."""
        positions = state[..., : self.system.dimensions]
        own = positions if chosen is None else positions[:, chosen]
        number = positions.shape[1] if self.neighbours is None else min(self.neighbours, positions.shape[1])
        rows = nearest(positions, own, number, self.system.length)
        snapshot = torch.arange(len(state), device=state.device)[:, None, None]
        apart = positions[snapshot, rows] - own[:, :, None]
        if self.system.length is not None:
            apart = wrapped(apart, self.system.length)
        return torch.stack([apart, *(item[snapshot, rows] for item in self._of_particles(state, drive))], dim=3)

    def _invariants(self, lengths: Tensor, directions: Tensor, conditions: Tensor) -> Tensor:
        itself = torch.zeros_like(lengths[..., 0, :])
        itself[:, :, 0] = 1.0
        cosines = directions @ directions.transpose(3, 4)
        first, second = zip(*combinations(range(directions.shape[3]), 2), strict=True)
        of_own = (directions * directions[:, :, :1]).sum(dim=-1)
        drives = conditions[:, :1, None].expand(*itself.shape[:3], conditions.shape[2])
        return torch.cat([lengths.squeeze(-1).log(), cosines[..., first, second], of_own, itself, drives], dim=3)
