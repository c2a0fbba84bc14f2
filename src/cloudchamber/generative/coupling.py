"""Which noise goes with which particle of a cloud: a matching of least cost within each cloud.

Noise and data drawn independently give paths that cross, and a velocity field that bends where they do. Noise assigned
to the particles within each cloud (arXiv 2601.11716 does so for the points of a shower) gives straighter paths, on
which few evaluations go as far as many. A permutation within a cloud leaves independent normal noise what it is, also
given the multiplicity and the conditions of the cloud; an assignment across clouds would not.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from cloudchamber.networks.packing import Packing

__all__ = ["assigned_noise"]


def assigned_noise(clean: Tensor, noise: Tensor, packing: Packing) -> Tensor:
    """Return the noise permuted within each cloud so that the sum of squared distances to the data is least.

    On a CPU whatever the device, since each cloud is a problem of its own; the result is on the device of ``noise``.

    Args:
        clean, noise: (M, F) rows of all clouds.
        packing: which row belongs to which cloud.

    Example:
        >>> clean, noise = torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([[2.0], [-1.0], [9.0]])
        >>> assigned_noise(clean, noise, Packing(torch.tensor([2, 1]))).flatten()
        tensor([-1.,  2.,  9.])
    """
    rows = _assignments(
        clean.detach().to("cpu", torch.float64).numpy(),
        noise.to("cpu", torch.float64).numpy(),
        packing.counts.cpu().numpy(),
    )
    return noise[torch.from_numpy(rows).to(noise.device)]


@njit(cache=True)
def _assignments(clean: np.ndarray, noise: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return (M,) the row of the noise that goes with each row of the data."""
    chosen = np.empty(len(clean), np.int64)
    start = 0
    for cloud in range(len(counts)):
        stop = start + counts[cloud]
        # The squares of the distance are the same whatever the order, so that the products alone decide.
        cost = -(clean[start:stop] @ noise[start:stop].T)
        chosen[start:stop] = start + _assignment(cost)
        start = stop
    return chosen


@njit(cache=True)
def _assignment(cost: np.ndarray) -> np.ndarray:
    """Return (n,) the column of each row at least total cost: shortest augmenting paths (Jonker and Volgenant 1987).

    Rows are added one by one. Each is joined by the shortest path, in reduced costs, to a column that is still free;
    along it the rows that were there move on. Potentials of rows and columns keep reduced costs from being negative.
    """
    n = len(cost)
    of_row, of_column = np.zeros(n), np.zeros(n)
    row_of = np.full(n, -1)
    for row in range(n):
        distance = np.full(n, np.inf)
        before = np.full(n, -1)
        done = np.zeros(n, np.bool_)
        here, column, reached = row, -1, 0.0
        while True:
            nearest, lowest = -1, np.inf
            for k in range(n):
                if not done[k]:
                    length = reached + cost[here, k] - of_row[here] - of_column[k]
                    if length < distance[k]:
                        distance[k] = length
                        before[k] = column
                    if distance[k] < lowest:
                        lowest, nearest = distance[k], k
            done[nearest] = True
            column, reached = nearest, lowest
            if row_of[column] < 0:
                break
            here = row_of[column]
        of_row[row] += reached
        for k in range(n):
            if done[k] and k != column:
                of_row[row_of[k]] += reached - distance[k]
                of_column[k] -= reached - distance[k]
        while column >= 0:
            previous = before[column]
            row_of[column] = row_of[previous] if previous >= 0 else row
            column = previous
    chosen = np.empty(n, np.int64)
    for k in range(n):
        chosen[row_of[k]] = k
    return chosen
