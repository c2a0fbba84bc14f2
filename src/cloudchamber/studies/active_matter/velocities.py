"""Velocities of the probability flow of a score at given states, and their derivatives."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from cloudchamber import seeds
from cloudchamber.studies.active_matter.divergence import jacobian_diagonal
from cloudchamber.studies.active_matter.score_model import ScoreModel
from cloudchamber.studies.active_matter.settings import MeasurementSettings
from cloudchamber.studies.active_matter.snapshots import Snapshots

__all__ = ["divergence_of", "drift_divergence", "score_of", "velocity_of"]

# Particles whose velocities are computed at once.
_CHUNK = 4096
# With more coordinates divergences are estimated from random vectors.
_EXACT_COORDINATES = 16


def velocity_of(model: ScoreModel, states: np.ndarray, drive: float) -> np.ndarray:
    """Return the (M, N, C) velocities of a score at states; zero in channels without noise."""
    return _in_parts(model.velocity, states, drive)


def score_of(model: ScoreModel, states: np.ndarray, drive: float) -> np.ndarray:
    """Return the (M, N, C) score at states; zero in channels without noise."""
    return _in_parts(model.score, states, drive)


def _in_parts(function: Callable[[Tensor, Tensor], Tensor], states: np.ndarray, drive: float) -> np.ndarray:
    values = torch.from_numpy(states.astype(np.float32))
    parts = []
    # Pairs of particles and neighbours fit into memory only a few particles at a time.
    size = max(1, _CHUNK // values.shape[1])
    with torch.no_grad():
        for part in values.split(size):
            parts.append(function(part, torch.full((len(part), 1, 1), drive)))
    return torch.cat(parts).double().numpy()


def divergence_of(
    model: ScoreModel, states: np.ndarray, drive: float, settings: MeasurementSettings, seed: int
) -> np.ndarray:
    """Return the (M, N, C) derivatives of each velocity by its own coordinate."""
    values = torch.from_numpy(states.astype(np.float32))
    probes = None if values[0].numel() <= _EXACT_COORDINATES else settings.probes
    generator = torch.Generator().manual_seed(seeds.integer_seed(seed, "active_matter", "divergence"))
    parts = []
    for part in values.split(max(1, _CHUNK // values.shape[1])):
        velocity = partial(model.velocity, drive=torch.full((len(part), 1, 1), drive))
        parts.append(jacobian_diagonal(velocity, part, probes, generator)[1])
    return torch.cat(parts).double().numpy()


def drift_divergence(data: Snapshots, states: np.ndarray, drive: float) -> np.ndarray:
    """Return the (M, N, C) derivatives of the drift by its own coordinate, by central differences in double
    precision."""
    found = np.zeros_like(states)
    step = 1e-4
    for particle in range(states.shape[1]):
        for channel in range(states.shape[2]):
            moved = states.copy()
            moved[:, particle, channel] += step
            above = data.system.drift(moved, drive)[:, particle, channel]
            moved[:, particle, channel] -= 2 * step
            found[:, particle, channel] = (above - data.system.drift(moved, drive)[:, particle, channel]) / (2 * step)
    return found
