"""Energy left in the layers of a calorimeter by many showers, before anything is known of cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.studies.showers.geometry import Geometry

__all__ = ["Deposits", "Particles", "across", "joined"]


@final
@dataclass(frozen=True)
class Particles:
    """What begins N showers, each on its way into the stack at x = y = 0 of its surface.

    Attributes:
        energy: (N,) total energy [GeV].
        direction: (N, 3) unit vectors, the last component positive.
        pdg: (N,) int64.
    """

    energy: np.ndarray
    direction: np.ndarray
    pdg: np.ndarray

    def __len__(self) -> int:
        return len(self.energy)

    def __getitem__(self, rows: np.ndarray | slice) -> "Particles":
        return Particles(self.energy[rows], self.direction[rows], self.pdg[rows])


@final
@dataclass(frozen=True)
class Deposits:
    """M deposits of N showers, in the order of the showers.

    Attributes:
        shower: (M,) int64, from 0.
        x, y: (M,) [mm], where the straight line of the shower would have z = the plane of the layer.
        layer: (M,) int64.
        energy: (M,) [GeV] left in the active material.
    """

    shower: np.ndarray
    x: np.ndarray
    y: np.ndarray
    layer: np.ndarray
    energy: np.ndarray

    def __len__(self) -> int:
        return len(self.shower)


def joined(parts: Sequence[Deposits]) -> Deposits:
    """Return the deposits of several parts of the same showers, ordered by shower."""
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Deposits.__annotations__}
    order = np.argsort(columns["shower"], kind="stable")
    return Deposits(**{name: values[order] for name, values in columns.items()})


def across(
    geometry: Geometry, particles: Particles, shower: np.ndarray, layer: np.ndarray, radius: np.ndarray, phi: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (M,) x and y [mm] of points at a distance from the axes of their showers, along these to their layers.

    A point is at radius (cos phi e1 + sin phi e2) from the axis, with e1 and e2 perpendicular to it; from there it is
    projected along the axis, and not along z, onto the plane of the layer.
    """
    direction = particles.direction[shower]
    # Perpendicular to the axis and to y, which no axis is along.
    first = np.stack([direction[:, 2], np.zeros(len(direction)), -direction[:, 0]], axis=1)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(direction, first)
    off = radius[:, None] * (np.cos(phi)[:, None] * first + np.sin(phi)[:, None] * second)
    off -= direction * (off[:, 2:] / direction[:, 2:])
    place = geometry.shifts(layer, direction) + off[:, :2]
    return place[:, 0], place[:, 1]
