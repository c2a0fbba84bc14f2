"""Soft repulsion between all pairs of disks, compiled: cells of the size of the cut-off make its cost O(N).

Disks are sorted by cell, and each cell meets itself and four of its neighbours, so that every pair is computed once and
its two forces are opposite to the last bit. Where the box has fewer than three cells a side, or no end, all pairs are
looked at.
"""

import math
from typing import final

import numpy as np
from numba import njit

__all__ = ["PairForces"]


@final
class PairForces:
    """Forces k f(2 - r) along the line between two disks, with f(u) = ln(1 + e^(beta u)) / beta; zero from a cut-off
    on.

    What is cut off is smaller than k e^(-beta (cutoff - 2)) / beta.

    Args:
        strength: k.
        sharpness: beta.
        cutoff: distance in radii from which on there is no force.
        length: side of the periodic box; None for a plane without end.
    """

    def __init__(self, strength: float, sharpness: float, cutoff: float, length: float | None) -> None:
        self.strength, self.sharpness, self.cutoff, self.length = strength, sharpness, cutoff, length

    def forces(self, positions: np.ndarray) -> np.ndarray:
        """Return the (..., N, 2) forces on disks at (..., N, 2)."""
        return self._sums(positions, 0, self.cutoff)[..., :2]

    def divergences(self, positions: np.ndarray) -> np.ndarray:
        """Return the (..., N) sum over its two coordinates of the derivative of the force on each disk."""
        return self._sums(positions, 1, self.cutoff)[..., 2]

    def counts(self, positions: np.ndarray, reach: float) -> np.ndarray:
        """Return the (..., N) number of disks within ``reach`` of each disk, itself included."""
        return self._sums(positions, 2, reach)[..., 2].astype(int) + 1

    def all_pairs(self, positions: np.ndarray) -> np.ndarray:
        """Return the (N, 2) forces on disks at (N, 2) without a cut-off, by arrays of all pairs: the other way."""
        apart = positions[:, None] - positions[None]
        if self.length is not None:
            apart -= self.length * np.rint(apart / self.length)
        distance = np.sqrt(np.square(apart).sum(axis=2))
        np.fill_diagonal(distance, 1.0)
        sizes = self.strength * np.logaddexp(0.0, self.sharpness * (2.0 - distance)) / self.sharpness / distance
        np.fill_diagonal(sizes, 0.0)
        return np.einsum("ij,ijk->ik", sizes, apart)

    def _sums(self, positions: np.ndarray, what: int, reach: float) -> np.ndarray:
        flat = np.ascontiguousarray(positions, np.float64).reshape(-1, *positions.shape[-2:])
        found = np.zeros((*flat.shape[:2], 3))
        length = 0.0 if self.length is None else self.length
        cells = int(length / reach)
        for state, sums in zip(flat, found, strict=True):
            if cells < 3:
                _all_pairs(state, length, self.strength, self.sharpness, reach * reach, what, sums)
            else:
                _cell_pairs(state, length, cells, self.strength, self.sharpness, reach * reach, what, sums)
        return found.reshape(*positions.shape[:-1], 3)


@njit(cache=True)
def _all_pairs(
    positions: np.ndarray, length: float, strength: float, sharpness: float, square: float, what: int, sums: np.ndarray
) -> None:
    for first in range(len(positions)):
        _meet(positions, first, first + 1, len(positions), length, strength, sharpness, square, what, sums)


@njit(cache=True)
def _cell_pairs(
    positions: np.ndarray,
    length: float,
    cells: int,
    strength: float,
    sharpness: float,
    square: float,
    what: int,
    sums: np.ndarray,
) -> None:
    number = len(positions)
    of_disk = np.empty(number, np.int64)
    starts = np.zeros(cells * cells + 1, np.int64)
    inside = np.empty((number, 2))
    for disk in range(number):
        for axis in range(2):
            turned = positions[disk, axis] / length + 0.5
            inside[disk, axis] = turned - math.floor(turned)
        column = min(int(inside[disk, 0] * cells), cells - 1)
        row = min(int(inside[disk, 1] * cells), cells - 1)
        of_disk[disk] = column * cells + row
        starts[of_disk[disk] + 1] += 1
    for cell in range(cells * cells):
        starts[cell + 1] += starts[cell]
    ends = starts[:-1].copy()
    order = np.empty(number, np.int64)
    lying = np.empty((number, 2))
    for disk in range(number):
        place = ends[of_disk[disk]]
        ends[of_disk[disk]] += 1
        order[place] = disk
        lying[place, 0] = inside[disk, 0] * length
        lying[place, 1] = inside[disk, 1] * length
    found = np.zeros((number, 3))
    for column in range(cells):
        for row in range(cells):
            cell = column * cells + row
            right, up, down = (column + 1) % cells, (row + 1) % cells, (row - 1) % cells
            for place in range(starts[cell], starts[cell + 1]):
                _meet(lying, place, place + 1, starts[cell + 1], length, strength, sharpness, square, what, found)
                for other in (column * cells + up, right * cells + down, right * cells + row, right * cells + up):
                    _meet(
                        lying, place, starts[other], starts[other + 1], length, strength, sharpness, square, what, found
                    )
    for place in range(number):
        for axis in range(3):
            sums[order[place], axis] += found[place, axis]


@njit(cache=True, inline="always")
def _meet(
    positions: np.ndarray,
    first: int,
    begin: int,
    end: int,
    length: float,
    strength: float,
    sharpness: float,
    square: float,
    what: int,
    sums: np.ndarray,
) -> None:
    """Add what disk ``first`` and each of the disks from ``begin`` to before ``end`` do to each other.

    ``what`` is 0 for forces, 1 for their divergence, 2 for a count. A length of zero means no box.
    """
    half = 0.5 * length
    for second in range(begin, end):
        x = positions[first, 0] - positions[second, 0]
        y = positions[first, 1] - positions[second, 1]
        if length > 0.0:
            if x > half or x < -half:
                x -= length * round(x / length)
            if y > half or y < -half:
                y -= length * round(y / length)
        distance = x * x + y * y
        if distance >= square or distance == 0.0:
            continue
        if what == 2:
            sums[first, 2] += 1.0
            sums[second, 2] += 1.0
            continue
        distance = math.sqrt(distance)
        grown = math.exp(sharpness * (2.0 - distance))
        overlap = math.log1p(grown) / sharpness
        if what == 0:
            size = strength * overlap / distance
            sums[first, 0] += size * x
            sums[first, 1] += size * y
            sums[second, 0] -= size * x
            sums[second, 1] -= size * y
        else:
            slope = strength * (overlap / distance - grown / (1.0 + grown))
            sums[first, 2] += slope
            sums[second, 2] += slope
