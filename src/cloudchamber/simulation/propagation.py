"""Particles through the solenoid field to the surface of a cylinder.

The equations are those of Delphes (arXiv 1307.6346, section 3.1): neutral particles fly straight, charged ones on a
helix about the beam axis; the point where they leave the cylinder decides which tower they hit.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.simulation.particles import Particles

__all__ = ["SPEED_OF_LIGHT", "Cylinder", "ExitPoints", "propagate"]

SPEED_OF_LIGHT = 2.99792458e8  # [m/s]
_PT2_MIN = 1e-9  # [GeV^2]; softer particles stay inside the beam pipe and are dropped, as in Delphes


@final
@dataclass(frozen=True)
class Cylinder:
    """Volume with a homogeneous magnetic field along the beam.

    Attributes:
        radius, half_length: [m].
        field: z component of the magnetic field [T].
    """

    radius: float
    half_length: float
    field: float


@final
@dataclass(frozen=True)
class ExitPoints:
    """Where particles leave the cylinder.

    Attributes:
        row: (M,) int64, rows of the particles that do leave it, increasing.
        x, y, z: (M,) float64 [mm].
        time: (M,) float64, time times the speed of light [mm].
    """

    row: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    time: np.ndarray

    @property
    def eta(self) -> np.ndarray:
        """(M,) pseudorapidity of the point, seen from the centre."""
        return np.arcsinh(self.z / np.hypot(self.x, self.y))

    @property
    def phi(self) -> np.ndarray:
        """(M,) azimuth of the point [rad]."""
        return np.arctan2(self.y, self.x)


def propagate(particles: Particles, cylinder: Cylinder) -> ExitPoints:
    """Return where ``particles`` leave ``cylinder``; those born outside it or along the beam are dropped."""
    inside = np.hypot(particles.x, particles.y) <= 1e3 * cylinder.radius
    inside &= np.abs(particles.z) <= 1e3 * cylinder.half_length
    row = np.flatnonzero(inside & (particles.px**2 + particles.py**2 >= _PT2_MIN))
    energy = particles.energy[row]
    start = 1e-3 * np.stack([particles.x[row], particles.y[row], particles.z[row]])
    velocity = np.stack([particles.px[row], particles.py[row], particles.pz[row]]) / energy
    # Turning rate per metre of light path: q B c / E with E in eV.
    turning = particles.charge[row] * (cylinder.field * SPEED_OF_LIGHT * 1e-9) / energy
    bends = turning != 0

    path = np.empty_like(energy)
    path[~bends] = _straight_path(start[:, ~bends], velocity[:, ~bends], cylinder)
    end = start + velocity * path
    path[bends], end[:2, bends] = _helix(start[:, bends], velocity[:, bends], turning[bends], cylinder)
    end[2, bends] = start[2, bends] + velocity[2, bends] * path[bends]
    x, y, z = 1e3 * end
    return ExitPoints(row, x, y, z, particles.time[row] + 1e3 * path)


def _straight_path(start: np.ndarray, velocity: np.ndarray, cylinder: Cylinder) -> np.ndarray:
    """Return c times the time of a straight flight to the surface [m]."""
    (x, y, z), (vx, vy, vz) = start, velocity
    v2 = vx**2 + vy**2
    along = x * vx + y * vy
    inside = cylinder.radius**2 - x**2 - y**2
    to_side = (np.sqrt(along**2 + v2 * inside) - along) / v2
    return np.minimum(to_side, _path_to_end_cap(z, vz, cylinder))


def _helix(
    start: np.ndarray, velocity: np.ndarray, turning: np.ndarray, cylinder: Cylinder
) -> tuple[np.ndarray, np.ndarray]:
    """Return c times the time of flight to the surface [m] and (2, N) x, y there [m]."""
    (x, y, z), (vx, vy, vz) = start, velocity
    axis_x, axis_y = x + vy / turning, y - vx / turning
    distance = np.hypot(axis_x, axis_y)
    radius = np.hypot(vx, vy) / np.abs(turning)
    # Angle of the particle as seen from the helix axis, from the direction that points away from the beam: pi where
    # the particle is nearest to the beam, +-exit_angle on the side of the cylinder.
    from_axis_x, from_axis_y = x - axis_x, y - axis_y
    angle = np.arctan2(axis_x * from_axis_y - axis_y * from_axis_x, axis_x * from_axis_x + axis_y * from_axis_y)
    leaves_side = distance + radius > cylinder.radius
    scale = np.where(leaves_side, 2 * radius * distance, 1.0)
    exit_angle = np.arccos(np.clip((cylinder.radius**2 - radius**2 - distance**2) / scale, -1.0, 1.0))
    # A positive charge turns clockwise in a positive field: its angle falls to exit_angle.
    swept = np.maximum(np.mod(np.sign(turning) * angle, 2 * np.pi) - exit_angle, 0.0)
    to_side = np.where(leaves_side, swept / np.abs(turning), np.inf)
    path = np.minimum(to_side, _path_to_end_cap(z, vz, cylinder))
    cos, sin = np.cos(turning * path), np.sin(turning * path)
    end_x = axis_x + cos * from_axis_x + sin * from_axis_y
    end_y = axis_y + cos * from_axis_y - sin * from_axis_x
    return path, np.stack([end_x, end_y])


def _path_to_end_cap(z: np.ndarray, vz: np.ndarray, cylinder: Cylinder) -> np.ndarray:
    """Return c times the time to the end cap [m]; infinite without a motion along the beam."""
    moving = vz != 0
    distance = np.copysign(cylinder.half_length, vz) - z
    return np.where(moving, distance / np.where(moving, vz, 1.0), np.inf)
