"""Phase separation of disks in a periodic box: local densities and sizes of clusters."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit

from cloudchamber.studies.active_matter.snapshots import Snapshots
from cloudchamber.studies.active_matter.systems.disks import Disks

__all__ = ["cluster_sizes", "distribution", "local_densities", "phase_rows"]

# In radii: side of the squares of the local density, and distance of neighbours in a cluster.
_SQUARE, _NEAR = 8.0, 2.4
# Of a bin of the packing fraction, about.
_WIDTH = 0.05
# The box needs so many squares a side for a density to be local.
_SQUARES = 3


def phase_rows(data: Snapshots) -> Iterator[dict[str, Any]]:
    """Yield the distribution of the local packing fraction and of cluster sizes of each drive; nothing without a box.

    Rows have drive, kind ("local_density" or "cluster_share"), x and value: at the centre x of a bin of the packing
    fraction the density of its distribution over squares of the box; of the cluster with the rank x, its mean share of
    the disks.
    """
    system = data.system
    if not isinstance(system, Disks) or system.length is None or system.length < _SQUARES * _SQUARE:
        return
    for drive in np.unique(data.drives):
        positions = data.states[data.rows(None, float(drive))][..., :2].astype(np.float64)
        # The first half of a simulation may still be on its way.
        positions = positions[len(positions) // 2 :]
        densities = np.concatenate([local_densities(at, system.length) for at in positions])
        for centre, value in zip(*distribution(densities, system.length), strict=True):
            yield {"drive": float(drive), "kind": "local_density", "x": float(centre), "value": float(value)}
        ranked = np.zeros(5)
        for at in positions:
            sizes = np.sort(cluster_sizes(at, system.length, _NEAR))[::-1][: len(ranked)]
            ranked[: len(sizes)] += sizes / len(at) / len(positions)
        for rank, share in enumerate(ranked, 1):
            yield {"drive": float(drive), "kind": "cluster_share", "x": float(rank), "value": float(share)}


def _squares(length: float) -> tuple[int, float]:
    """Return how many squares a side has, and the packing fraction of one disk in a square."""
    squares = int(length / _SQUARE)
    return squares, np.pi * (squares / length) ** 2


def distribution(densities: np.ndarray, length: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres of bins of (M,) packing fractions of squares, and their density.

    Squares hold whole numbers of disks, and so does a bin: of bins of any other width some hold one number more than
    their neighbours, and look like peaks.
    """
    _, of_one = _squares(length)
    numbers = np.rint(densities / of_one).astype(int)
    wide = max(1, round(_WIDTH / of_one))
    counts = np.bincount(numbers // wide)
    centres = of_one * (wide * np.arange(len(counts)) + 0.5 * (wide - 1))
    return centres, counts / (len(densities) * wide * of_one)


def local_densities(positions: np.ndarray, length: float) -> np.ndarray:
    """Return the packing fraction of each square of the box, from (N, 2) centres of disks of radius one."""
    squares, of_one = _squares(length)
    edges = np.linspace(-length / 2, length / 2, squares + 1)
    counts, _, _ = np.histogram2d(positions[:, 0], positions[:, 1], (edges, edges))
    found: np.ndarray = counts.ravel() * of_one
    return found


def cluster_sizes(positions: np.ndarray, length: float, near: float) -> np.ndarray:
    """Return the sizes of the clusters of (N, 2) disks, in which each is closer than ``near`` to another one."""
    return np.bincount(np.unique(_clusters(positions, length, near * near), return_inverse=True)[1])


@njit(cache=True)
def _clusters(positions: np.ndarray, length: float, square: float) -> np.ndarray:
    """Return the (N,) number of the cluster of each disk, by union of all near pairs."""
    number = len(positions)
    parent = np.arange(number)
    for first in range(number):
        for second in range(first):
            x = positions[first, 0] - positions[second, 0]
            y = positions[first, 1] - positions[second, 1]
            x -= length * round(x / length)
            y -= length * round(y / length)
            if x * x + y * y < square:
                one, other = first, second
                while parent[one] != one:
                    one = parent[one]
                while parent[other] != other:
                    other = parent[other]
                parent[max(one, other)] = min(one, other)
    for disk in range(number):
        one = disk
        while parent[one] != one:
            one = parent[one]
        parent[disk] = one
    return parent
