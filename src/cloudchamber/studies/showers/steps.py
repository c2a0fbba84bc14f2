"""Steps of particles through a calorimeter, as raw files have them, and what becomes of them when they are read."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.studies.showers.cells import merged
from cloudchamber.studies.showers.deposits import Deposits, Particles
from cloudchamber.studies.showers.geometry import Geometry
from cloudchamber.studies.showers.source_settings import IngestionSettings
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["Steps", "momenta_of", "points_of_steps", "steps_of"]

_MEV = 1e-3
_AXES = {"x": (1, 2, 0), "y": (2, 0, 1), "z": (0, 1, 2)}


@final
@dataclass(frozen=True)
class Steps:
    """Steps of n events.

    Attributes:
        event: (M,) int64 from 0.
        position: (M, 3) float64 [mm], in the frame of the file.
        energy: (M,) [GeV].
        pdg: (n,) int64 of the particle that began the shower.
        mass: (n,) [GeV].
        momentum, vertex: (n, 3) [GeV] and [mm].
        truth: (n, K) what a parametrisation drew the shower from; K is 0 in files that have none.
    """

    event: np.ndarray
    position: np.ndarray
    energy: np.ndarray
    pdg: np.ndarray
    mass: np.ndarray
    momentum: np.ndarray
    vertex: np.ndarray
    truth: np.ndarray

    def __len__(self) -> int:
        return len(self.pdg)


def momenta_of(particles: Particles) -> tuple[np.ndarray, np.ndarray]:
    """Return the (N,) masses [GeV] and (N, 3) momenta [GeV] of particles of known species."""
    masses = {item.pdg: item.mass for item in SPECIES.values()}
    mass = np.array([masses[int(code)] for code in particles.pdg])
    return mass, np.sqrt(np.maximum(particles.energy**2 - mass**2, 0.0))[:, None] * particles.direction


def steps_of(particles: Particles, deposits: Deposits, geometry: Geometry, truth: np.ndarray) -> Steps:
    """Return deposits as steps in the frame of the stack: one step each, in the middle of the active material."""
    mass, momentum = momenta_of(particles)
    position = np.stack([deposits.x, deposits.y, geometry.planes[deposits.layer]], axis=1)
    vertex = np.tile([0.0, 0.0, geometry.surface], (len(particles), 1))
    return Steps(deposits.shower, position, deposits.energy, particles.pdg, mass, momentum, vertex, truth)


def points_of_steps(
    steps: Steps, geometry: Geometry, settings: IngestionSettings, source: Path
) -> tuple[Particles, np.ndarray, np.ndarray, int]:
    """Return particles, (M, 4) points with their (M,) showers, and how many steps are left out.

    Raises:
        InputError: a particle does not reach the surface of the stack, or a step has no energy or no place.
    """
    order = _AXES[settings.depth_axis]
    position, momentum, vertex = (values[:, order] for values in (steps.position, steps.momentum, steps.vertex))
    size = np.linalg.norm(momentum, axis=1)
    away = ~(momentum[:, 2] > 1e-3 * size) | (vertex[:, 2] > geometry.surface + 1e-3)
    if away.any():
        raise InputError(
            f"{source}: branch 'MCParticles.momentum': particle {away.argmax()} does not enter the stack through its "
            f"surface at {geometry.surface:g} mm (ingestion.depth_axis is {settings.depth_axis})"
        )
    bad = ~(np.isfinite(steps.energy) & (steps.energy >= 0) & np.isfinite(position).all(axis=1))
    if bad.any():
        step = int(bad.argmax())
        place = ", ".join(f"{value:g}" for value in steps.position[step])
        raise InputError(
            f"{source}: a step of {steps.energy[step]:g} GeV at {place} mm in event {steps.event[step]}, which is none"
        )
    direction = momentum / size[:, None]
    way = (geometry.surface - vertex[:, 2]) / direction[:, 2]
    entry = vertex[:, :2] + way[:, None] * direction[:, :2]
    layer = geometry.layers_at(position[:, 2])
    xy = position[:, :2] - entry[steps.event] - geometry.shifts(layer, direction[steps.event])
    inside = (layer >= 0) & (steps.energy > 0) & (np.abs(xy) < settings.half_width).all(axis=1)
    event = steps.event[inside]
    points = np.column_stack([xy, layer, steps.energy])[inside]
    widths = np.full(len(points), settings.merge)
    points, owners = merged(points, event, len(steps), widths, np.zeros((len(points), 2)), centred=False)
    kept = points[:, 3] >= _MEV * settings.threshold
    total_energy = np.sqrt(size**2 + steps.mass**2)
    return Particles(total_energy, direction, steps.pdg), points[kept], owners[kept], int((~inside).sum())
