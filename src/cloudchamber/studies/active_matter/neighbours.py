"""The nearest neighbours of particles."""

import torch
from torch import Tensor

from cloudchamber.studies.active_matter.systems.arrays import wrapped

__all__ = ["nearest"]


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
    squares = torch.zeros(len(positions), own.shape[1], positions.shape[1], device=positions.device)
    for axis in range(positions.shape[2]):
        apart = positions[:, None, :, axis] - own[:, :, None, axis]
        if length is not None:
            apart = wrapped(apart, length)
        squares += apart.square()
    return squares.topk(number, dim=2, largest=False, sorted=True).indices
