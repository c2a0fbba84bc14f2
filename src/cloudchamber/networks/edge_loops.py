"""Compiled loops over the edges of a graph in float32, for a CPU: each message is read and written once.

Messages are rows of width H, edge by edge, those of one particle next to each other: particle i receives ``degree[i]``
of them. What comes before and after them is of the size of the particles, which is several times smaller.
"""

import numpy as np
from numba import njit

__all__ = [
    "BLOCK",
    "ZERO",
    "add_block",
    "add_mean",
    "edge_moments",
    "join",
    "join_terms",
    "mean_of_positive",
    "message_moments",
    "nearest",
    "positive_part",
]

# Rows whose sum is kept in float32 before it goes to a sum in float64.
BLOCK = 128
ZERO = np.float32(0.0)


@njit(cache=True)
def nearest(
    distances: np.ndarray,
    mask: np.ndarray,
    row_of_slot: np.ndarray,
    k: int,
    neighbours: np.ndarray,
    degree: np.ndarray,
) -> int:
    """Find the ``k`` nearest other particles of each, those at a finite distance; return how many edges there are.

    Args:
        distances: (B, P, P) from each particle to the others of its cloud.
        mask: (B, P), true for real particles.
        row_of_slot: (B * P,) packed row of each real particle.
        k: most neighbours of one.
        neighbours: (M k,) gets the rows of the neighbours, the nearest first.
        degree: (M,) gets the number of neighbours.
    """
    width = mask.shape[1]
    smallest = np.empty(k, distances.dtype)
    n_edges = row = 0
    for cloud in range(len(mask)):
        first = cloud * width
        for i in range(width):
            if not mask[cloud, i]:
                continue
            found = 0
            for j in range(width):
                distance = distances[cloud, i, j]
                if j == i or not mask[cloud, j] or not distance < np.inf:
                    continue
                if found == k:
                    if not distance < smallest[k - 1]:
                        continue
                    place = k - 1
                else:
                    place = found
                    found += 1
                while place and distance < smallest[place - 1]:
                    smallest[place] = smallest[place - 1]
                    neighbours[n_edges + place] = neighbours[n_edges + place - 1]
                    place -= 1
                smallest[place] = distance
                neighbours[n_edges + place] = row_of_slot[first + j]
            degree[row] = found
            n_edges += found
            row += 1
    return n_edges


@njit(cache=True)
def edge_moments(
    centre: np.ndarray, other: np.ndarray, neighbours: np.ndarray, degree: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the variance, (H,) float64, of the messages centre[i] + other[j]."""
    width = centre.shape[1]
    # Deviations from one message: what is left of them is not lost beside a large mean.
    origin = centre[_first(degree)] + other[neighbours[0]]
    total, squares = np.zeros(width), np.zeros(width)
    block, block_squares = np.zeros(width, np.float32), np.zeros(width, np.float32)
    edge = 0
    for i in range(len(degree)):
        of_centre = centre[i]
        for _ in range(degree[i]):
            of_other = other[neighbours[edge]]
            for k in range(width):
                value = of_centre[k] + of_other[k] - origin[k]
                block[k] += value
                block_squares[k] += value * value
            edge += 1
        if i % BLOCK == BLOCK - 1:
            add_block(total, squares, block, block_squares)
    add_block(total, squares, block, block_squares)
    return _moments(total, squares, origin, edge)


@njit(cache=True)
def message_moments(messages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the variance, (H,) float64, of (E, H) messages."""
    width = messages.shape[1]
    origin = messages[0].copy()
    total, squares = np.zeros(width), np.zeros(width)
    block, block_squares = np.zeros(width, np.float32), np.zeros(width, np.float32)
    for edge in range(len(messages)):
        message = messages[edge]
        for k in range(width):
            value = message[k] - origin[k]
            block[k] += value
            block_squares[k] += value * value
        if edge % BLOCK == BLOCK - 1:
            add_block(total, squares, block, block_squares)
    add_block(total, squares, block, block_squares)
    return _moments(total, squares, origin, len(messages))


@njit(cache=True)
def _first(degree: np.ndarray) -> int:
    first = 0
    while degree[first] == 0:
        first += 1
    return first


@njit(cache=True)
def add_block(first: np.ndarray, second: np.ndarray, of_first: np.ndarray, of_second: np.ndarray) -> None:
    """Add the (H,) sums of a block, float32, to those of all, float64, and set them to zero."""
    for k in range(len(first)):
        first[k] += of_first[k]
        second[k] += of_second[k]
        of_first[k] = ZERO
        of_second[k] = ZERO


@njit(cache=True)
def _moments(total: np.ndarray, squares: np.ndarray, origin: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    shift = total / number
    variance = np.maximum(squares / number - shift * shift, 0.0)
    return origin + shift, variance


@njit(cache=True)
def join(
    centre: np.ndarray,
    other: np.ndarray,
    neighbours: np.ndarray,
    degree: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
    messages: np.ndarray,
) -> None:
    """Write the positive part of scale * (centre[i] + other[j]) + shift into (E, H) messages."""
    width = centre.shape[1]
    edge = 0
    for i in range(len(degree)):
        of_centre = centre[i]
        for _ in range(degree[i]):
            of_other, message = other[neighbours[edge]], messages[edge]
            for k in range(width):
                value = scale[k] * (of_centre[k] + of_other[k]) + shift[k]
                message[k] = ZERO if value < ZERO else value
            edge += 1


@njit(cache=True)
def join_terms(terms: np.ndarray, neighbours: np.ndarray, degree: np.ndarray, messages: np.ndarray) -> None:
    """Write the positive part of terms[i, k] + terms[j, H + k] into (E, H) messages: no normalisation is left."""
    width = messages.shape[1]
    edge = 0
    for i in range(len(degree)):
        of_centre = terms[i]
        for _ in range(degree[i]):
            of_other, message = terms[neighbours[edge]], messages[edge]
            for k in range(width):
                value = of_centre[k] + of_other[width + k]
                message[k] = ZERO if value < ZERO else value
            edge += 1


@njit(cache=True)
def add_mean(messages: np.ndarray, degree: np.ndarray, start: np.ndarray, first: int, result: np.ndarray) -> None:
    """Write the positive part of start[i, first + k] plus the mean of positive parts of messages into (M, H)."""
    width = messages.shape[1]
    total = np.empty(width, np.float32)
    edge = 0
    for i in range(len(degree)):
        total[:] = ZERO
        for _ in range(degree[i]):
            message = messages[edge]
            for k in range(width):
                total[k] += ZERO if message[k] < ZERO else message[k]
            edge += 1
        of_particle, of_start, share = result[i], start[i], np.float32(1.0 / max(degree[i], 1))
        for k in range(width):
            value = of_start[first + k] + share * total[k]
            of_particle[k] = ZERO if value < ZERO else value


@njit(cache=True)
def positive_part(messages: np.ndarray, scale: np.ndarray, shift: np.ndarray, positive: np.ndarray) -> None:
    """Write the positive part of scale * messages + shift, (E, H)."""
    for edge in range(len(messages)):
        message, result = messages[edge], positive[edge]
        for k in range(len(scale)):
            value = scale[k] * message[k] + shift[k]
            result[k] = ZERO if value < ZERO else value


@njit(cache=True)
def mean_of_positive(
    messages: np.ndarray, degree: np.ndarray, scale: np.ndarray, shift: np.ndarray, mean: np.ndarray
) -> None:
    """Add the mean over neighbours of the positive part of scale * messages + shift to ``mean`` (M, H)."""
    width = messages.shape[1]
    total = np.empty(width, np.float32)
    edge = 0
    for i in range(len(degree)):
        if degree[i] == 0:
            continue
        total[:] = ZERO
        for _ in range(degree[i]):
            message = messages[edge]
            for k in range(width):
                value = scale[k] * message[k] + shift[k]
                total[k] += ZERO if value < ZERO else value
            edge += 1
        of_particle, share = mean[i], np.float32(1.0 / degree[i])
        for k in range(width):
            of_particle[k] += share * total[k]
