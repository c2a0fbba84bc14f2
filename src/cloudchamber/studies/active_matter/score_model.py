"""A score: a network with the system that it is of."""

from collections.abc import Sequence
from pathlib import Path
from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.errors import SettingsError
from cloudchamber.studies.active_matter.equivariant_score import EquivariantTransformer
from cloudchamber.studies.active_matter.score_networks import DenseScore, GlobalTransformer, LocalTransformer
from cloudchamber.studies.active_matter.score_settings import EquivariantSettings, MlpSettings, ScoreSettings
from cloudchamber.studies.active_matter.systems.system import System
from cloudchamber.training.described_weights import load_stored

__all__ = ["ScoreModel", "load_score"]


@final
class ScoreModel(nn.Module):
    """The score s = n + b / D of a system, with a network n; without the shift s = n.

    Channels without noise have no score that dynamics depend on: there the network counts for nothing.

    Args:
        settings: network, and whether the drift is added.
        system: what it is a score of. It may have another number of particles than in the training.
        scales: C standard deviations of the channels, in units of which the network sees them.
        drives: those of the training; where there are several the network sees the drive.
    """

    scales: Tensor
    diffusions: Tensor

    def __init__(
        self, settings: ScoreSettings, system: System, scales: Sequence[float], drives: Sequence[float]
    ) -> None:
        super().__init__()
        self.shift, self.system = settings.shift, system
        self.largest = max(drives) if len(drives) > 1 else None
        self.register_buffer("scales", torch.tensor(scales, dtype=torch.float32), persistent=False)
        self.register_buffer("diffusions", torch.tensor(system.diffusions, dtype=torch.float32), persistent=False)
        conditions = 0 if self.largest is None else 1
        self.network = _build(settings, system, conditions)

    def forward(self, state: Tensor, drive: Tensor, chosen: Tensor | None = None) -> Tensor:
        """Return n (B, P, C) of states (B, N, C) at drives (B, 1, 1), for the chosen particles or for all."""
        seen = state / self.scales
        width = 0 if self.largest is None else 1
        conditions = (drive / (self.largest or 1.0)).expand(-1, state.shape[1], width)
        return self.network(seen, state, drive, conditions, chosen)

    def fit(self, states: Tensor, drives: Tensor) -> None:
        """Scale by training states (M, N, C) at drives (M, 1, 1) what the network makes of states itself."""
        if isinstance(self.network, EquivariantTransformer):
            self.network.fit(states, drives)

    def base(self, state: Tensor, drive: Tensor) -> Tensor:
        """Return (B, N, C) what is added to D n to give D s: the drift where there is noise, or nothing."""
        if not self.shift:
            return torch.zeros_like(state)
        if self.system.diffusion > 0:
            return self.system.drift(state, drive)
        activities = self.system.activity_drift(state)
        return torch.cat([torch.zeros_like(activities), activities], dim=2)

    def velocity(self, state: Tensor, drive: Tensor) -> Tensor:
        """Return the velocity v = b - D s (B, N, C) of the probability flow; zero in channels without noise."""
        flow = -self.diffusions * self(state, drive)
        if self.shift:
            return flow
        return torch.where(self.diffusions > 0, flow + self.system.drift(state, drive), 0.0)

    def score(self, state: Tensor, drive: Tensor) -> Tensor:
        """Return s (B, N, C); zero in channels without noise."""
        scaled = self.diffusions * self(state, drive) + self.base(state, drive)
        return torch.where(self.diffusions > 0, scaled / self.diffusions, 0.0)


def _build(settings: ScoreSettings, system: System, conditions: int) -> nn.Module:
    network = settings.network
    if isinstance(network, MlpSettings):
        if system.particles != 1:
            raise SettingsError("network.kind: an mlp is for systems of one particle; a transformer takes many")
        return DenseScore(network, system, conditions)
    if network.neighbours is None and system.length is not None:
        raise SettingsError("network.neighbours: in a periodic box a transformer sees neighbours only: say how many")
    if isinstance(network, EquivariantSettings):
        return EquivariantTransformer(network, system, conditions)
    if network.neighbours is not None:
        return LocalTransformer(network, system, conditions)
    return GlobalTransformer(network, system, conditions)


def load_score(weights_path: Path, description_path: Path, system: System) -> ScoreModel:
    """Read a trained score, for the system that it was trained on or for one with other particles.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """
    return load_stored(
        weights_path,
        description_path,
        ScoreSettings,
        lambda settings, described: ScoreModel(settings, system, described["scales"], described["drives"]),
        ("scales", "drives"),
    ).network
