"""The nearest neighbours of particles."""

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from cloudchamber.studies.active_matter.systems.arrays import wrapped

__all__ = ["nearest"]

# From here on trees are faster than all distances, on a CPU.
_MANY = 256


@torch.no_grad()
def nearest(positions: Tensor, own: Tensor, number: int, length: float | None) -> Tensor:
    """Return (B, P, n) indices of the particles that are nearest to each of ``own``, the nearest first.

    A particle is the nearest one to itself.

    Args:
        positions: (B, N, d) of all particles.
        own: (B, P, d) of those whose neighbours are asked for.
        number: n, up to N.
        length: side of the periodic box; None where there is none.
    """
    if positions.shape[1] >= _MANY and positions.device.type == "cpu":
        return _by_trees(positions, own, number, length)
    squares = torch.zeros(len(positions), own.shape[1], positions.shape[1], device=positions.device)
    for axis in range(positions.shape[2]):
        apart = positions[:, None, :, axis] - own[:, :, None, axis]
        if length is not None:
            apart = wrapped(apart, length)
        squares += apart.square()
    return squares.topk(number, dim=2, largest=False, sorted=True).indices


def _by_trees(positions: Tensor, own: Tensor, number: int, length: float | None) -> Tensor:
    rows = np.empty((len(positions), own.shape[1], number), np.int64)
    for found, of_all, asked in zip(rows, _inside(positions, length), _inside(own, length), strict=True):
        found[:] = cKDTree(of_all, boxsize=length).query(asked, k=np.arange(1, number + 1))[1]
    return torch.from_numpy(rows)


def _inside(positions: Tensor, length: float | None) -> np.ndarray:
    """Return coordinates from zero up to the side of the box, as trees take them."""
    values = positions.double().numpy()
    if length is None:
        return values
    turned = values % length
    # What a rounding makes of a very small negative coordinate.
    return np.where(turned < length, turned, 0.0)
