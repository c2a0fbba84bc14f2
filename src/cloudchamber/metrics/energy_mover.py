"""The energy mover's distance between jets.

The linear programme behind a distance is solved exactly, by successive shortest paths (Edmonds and Karp 1972) on the
complete graph between the particles of two jets: whatever a particle still has to give goes along the cheapest path to
free room, which may move what lies elsewhere already.
"""

import math

import numpy as np
from numba import njit

from cloudchamber.cloud import Clouds
from cloudchamber.jets.kinematics import momenta

__all__ = ["energy_movers_distances"]

_UNREACHED = -2
_START = -1


def energy_movers_distances(first: Clouds, second: Clouds, radius: float = 1.0) -> np.ndarray:
    """Return the distance of each jet of ``first`` to each jet of ``second``, (N, M) float64.

    EMD = min_f sum_ij f_ij R_ij / radius + |sum_i pT_i - sum_j pT_j| (arXiv 1902.02346), where f_ij >= 0 is
    the transverse momentum moved from particle i to particle j, no particle gives or takes more than it has, and as
    much is moved as the lighter jet holds. R_ij is the plain distance in ``eta_rel`` and ``phi_rel``. The unit is that
    of ``pt_rel``, the jet pT. Momenta are not normalised. Particles without a positive ``pt_rel`` count for nothing.

    Args:
        first, second: jets with the point columns ``pt_rel``, ``eta_rel`` and ``phi_rel``.
        radius: the R of the definition. Where it is at least half the largest R_ij the triangle inequality holds; the
            default is that of energyflow and of jetnet.
    """
    return _distances(_particles(first), _particles(second), radius)


def _particles(clouds: Clouds) -> np.ndarray:
    return np.stack(momenta(clouds), axis=2)


@njit(cache=True)
def _distances(first: np.ndarray, second: np.ndarray, radius: float) -> np.ndarray:
    distances = np.empty((len(first), len(second)))
    for row in range(len(first)):
        one = _hardest_first(first[row])
        for column in range(len(second)):
            other = _hardest_first(second[column])
            missing = other[:, 0].sum() - one[:, 0].sum()
            work = _transport(one, other) if missing >= 0 else _transport(other, one)
            distances[row, column] = work / radius + abs(missing)
    return distances


@njit(cache=True)
def _hardest_first(jet: np.ndarray) -> np.ndarray:
    """Return the particles with a momentum, the hardest first: the order in which the fewest paths are needed."""
    order = np.argsort(-jet[:, 0])
    return jet[order[: np.count_nonzero(jet[:, 0] > 0)]]


@njit(cache=True)
def _transport(light: np.ndarray, heavy: np.ndarray) -> float:
    """Return the least work of moving all of ``light`` (n, 3) into ``heavy`` (m, 3), which has room for it.

    Potentials keep all reduced costs cost_ij - u_i - v_j >= 0 and those of used arcs zero, so that Dijkstra's algorithm
    finds the shortest paths; v = 0 while a particle has room left, which makes the ends of paths comparable.
    """
    n, m = len(light), len(heavy)
    cost = np.empty((n, m))
    for i in range(n):
        for j in range(m):
            cost[i, j] = math.sqrt((light[i, 1] - heavy[j, 1]) ** 2 + (light[i, 2] - heavy[j, 2]) ** 2)
    flow = np.zeros((m, n))
    supply, room = light[:, 0].copy(), heavy[:, 0].copy()
    u, v = np.zeros(n), np.zeros(m)
    for start in range(n):
        # What rounding leaves over when all room is taken stays where it is.
        while supply[start] > 0 and _search(start, supply, room, cost, flow, u, v):
            pass
    work = 0.0
    for j in range(m):
        for i in range(n):
            work += flow[j, i] * cost[i, j]
    return work


@njit(cache=True)
def _search(
    start: int,
    supply: np.ndarray,
    room: np.ndarray,
    cost: np.ndarray,
    flow: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
) -> bool:
    """Grow the tree of shortest paths from ``start`` and push along each path to free room while the tree holds.

    Returns whether there was room.
    """
    n, m = cost.shape
    length = cost[start] - u[start] - v
    # Before column j on its path comes row came_from[j], before row i column entered[i].
    came_from = np.full(m, start)
    entered = np.full(n, _UNREACHED)
    entered[start] = _START
    # The first `left` columns are open, the others settled.
    columns = np.arange(m)
    left = m
    place = _nearest(length, columns)
    shortest = 0.0
    found = False
    while left > 0:
        column = columns[place]
        shortest = length[column]
        if room[column] > 0:
            found = True
            if _push(start, column, supply, room, flow, came_from, entered) or supply[start] <= 0:
                break
        left -= 1
        columns[place], columns[left] = columns[left], column
        for i in range(n):
            if flow[column, i] > 0 and entered[i] == _UNREACHED:
                entered[i] = column
                _relax(i, shortest - u[i], cost, v, columns[:left], length, came_from)
        place = _nearest(length, columns[:left])
    for i in range(n):
        if entered[i] != _UNREACHED:
            u[i] += shortest - (length[entered[i]] if entered[i] != _START else 0.0)
    for j in columns[left:]:
        v[j] -= shortest - length[j]
    return found


@njit(cache=True)
def _relax(
    i: int,
    offset: float,
    cost: np.ndarray,
    v: np.ndarray,
    columns: np.ndarray,
    length: np.ndarray,
    came_from: np.ndarray,
) -> None:
    """Shorten the paths to the open columns where they get shorter through row ``i``."""
    for j in columns:
        through = cost[i, j] + offset - v[j]
        if through < length[j]:
            length[j] = through
            came_from[j] = i


@njit(cache=True)
def _nearest(length: np.ndarray, columns: np.ndarray) -> int:
    """Return the place of the open column with the shortest path."""
    best, where = math.inf, 0
    for place in range(len(columns)):
        if length[columns[place]] < best:
            best, where = length[columns[place]], place
    return where


@njit(cache=True)
def _push(
    start: int,
    end: int,
    supply: np.ndarray,
    room: np.ndarray,
    flow: np.ndarray,
    came_from: np.ndarray,
    entered: np.ndarray,
) -> bool:
    """Move as much as possible along the path to column ``end``; return whether that used up an arc of the tree."""
    amount = min(supply[start], room[end])
    column, row = end, came_from[end]
    while row != start:
        column = entered[row]
        amount = min(amount, flow[column, row])
        row = came_from[column]
    supply[start] -= amount
    room[end] -= amount
    column, row = end, came_from[end]
    flow[column, row] += amount
    broken = False
    while row != start:
        column = entered[row]
        flow[column, row] -= amount
        broken = broken or flow[column, row] <= 0
        row = came_from[column]
        flow[column, row] += amount
    return broken
