"""Energy left in the strips of the detector, before anything is known of hits and prongs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.studies.neutrinos.settings import DetectorSettings

__all__ = ["Deposits", "joined", "place"]


@final
@dataclass(frozen=True)
class Deposits:
    """M deposits.

    Attributes:
        particle: (M,) int64, which particle began what left it.
        view: (M,) int64, 0 for strips that measure x, 1 for y.
        plane, cell: (M,) int64 inside of the detector.
        energy: (M,) in units of a minimum ionising particle that crosses a plane along z.
    """

    particle: np.ndarray
    view: np.ndarray
    plane: np.ndarray
    cell: np.ndarray
    energy: np.ndarray

    def __len__(self) -> int:
        return len(self.particle)


def joined(parts: Sequence[Deposits]) -> Deposits:
    """Return all deposits behind each other."""
    return Deposits(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in Deposits.__annotations__}
    )


def place(
    particle: np.ndarray, position: np.ndarray, view: np.ndarray, energy: np.ndarray, detector: DetectorSettings
) -> Deposits:
    """Return what lies inside of the detector; the rest has left it.

    Args:
        particle: (M,).
        position: (M, 3) [cm]: x and y from the axis, z from the first plane.
        view: (M,) 0 or 1.
        energy: (M,).
        detector: its size.
    """
    plane = np.floor(position[:, 2] / detector.plane_pitch).astype(np.int64)
    across = position[np.arange(len(position)), view]
    cell = np.floor(across / detector.cell_width + 0.5 * detector.cells).astype(np.int64)
    half = 0.5 * detector.cells * detector.cell_width
    inside = (plane >= 0) & (plane < detector.planes) & (np.abs(position[:, :2]) < half).all(axis=1)
    inside &= (cell >= 0) & (cell < detector.cells)
    return Deposits(particle[inside], view[inside], plane[inside], cell[inside], energy[inside])
