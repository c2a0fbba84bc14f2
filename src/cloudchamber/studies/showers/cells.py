"""Points of showers summed up in squares: fine ones when showers are read, cells of the calorimeter before metrics."""

import numpy as np

from cloudchamber.packed_clouds import PackedPart
from cloudchamber.studies.showers.geometry import Geometry

__all__ = ["clustered", "grid_offsets", "merged"]

_MEV = 1e-3


def merged(
    points: np.ndarray, owners: np.ndarray, clouds: int, widths: np.ndarray, offsets: np.ndarray, centred: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the points that remain where those of one shower, layer and square become one, and their owners.

    Args:
        points: (M, 4) x, y, layer, energy.
        owners: (M,) the shower of each, from 0.
        clouds: number of showers.
        widths: (M,) of the squares, in the unit of x.
        offsets: (M, 2) added to x and y before they are counted in squares.
        centred: whether a point lies in the middle of its square, or at the mean of its energies.

    Returns:
        (K, 4) float64 and (K,), ordered by shower, layer and square.
    """
    if not len(points):
        return np.zeros((0, 4)), np.zeros(0, np.int64)
    squares = np.floor((points[:, :2] + offsets) / widths[:, None]).astype(np.int64)
    lowest = squares.min(axis=0)
    extent = squares.max(axis=0) - lowest + 1
    layer = points[:, 2].astype(np.int64)
    layers = int(layer.max()) + 1
    if float(clouds) * layers * float(extent[0]) * float(extent[1]) > 2.0**62:
        raise ValueError("showers too far apart to be numbered: give fewer at a time")
    key = ((owners * layers + layer) * extent[0] + squares[:, 0] - lowest[0]) * extent[1] + squares[:, 1] - lowest[1]
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    energy = np.bincount(place, points[:, 3])
    if centred:
        xy = (squares[first] + 0.5) * widths[first, None] - offsets[first]
    else:
        xy = np.stack([np.bincount(place, points[:, 3] * points[:, axis]) for axis in (0, 1)], axis=1)
        xy /= energy[:, None]
    return np.column_stack([xy, layer[first], energy]), owners[first]


def grid_offsets(showers: int, rng: np.random.Generator) -> np.ndarray:
    """Return (showers, 2) places of showers within a cell, in units of its width: models do not know the grid."""
    return rng.uniform(-0.5, 0.5, (showers, 2))


def clustered(part: PackedPart, geometry: Geometry, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what the calorimeter reads out: cells above threshold, and the shower of each.

    Args:
        part: showers.
        geometry: cells and thresholds.
        offsets: (n, 2) of the grid for each shower, from :func:`grid_offsets`.

    Returns:
        (K, 4) float64 x, y of the middle of the cell, layer and energy, and (K,) int64.
    """
    points = part.points.astype(np.float64)
    layer = points[:, 2].astype(np.int64)
    widths, owners = geometry.cells[layer], part.owners
    cells, owner = merged(points, owners, len(part), widths, offsets[owners] * widths[:, None], centred=True)
    kept = cells[:, 3] >= _MEV * geometry.thresholds[cells[:, 2].astype(np.int64)]
    return cells[kept], owner[kept]
