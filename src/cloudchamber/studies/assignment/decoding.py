"""The best assignment of an event: one choice of jets for each particle, no jet twice, the largest product of
probabilities. Exact, by a search that leaves out what cannot win."""

import numpy as np
from numba import njit

__all__ = ["best_choices"]

_NEVER = -1e8


def best_choices(log_probabilities: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the best choice of jets for all particles of each event.

    Args:
        log_probabilities: for each of P particles (b, n, ..., n), an axis for each daughter; choices that are not
            allowed are below -1e8.

    Returns:
        (b, T) int64 jets of all daughters of all particles, -1 where an event has too few jets; and (b, P) float64 log
        probabilities of the choices, minus infinity there.

    Example:
        >>> one = np.log(np.array([[0.6, 0.3, 0.1]]))
        >>> other = np.log(np.array([[0.7, 0.2, 0.1]]))
        >>> best_choices([one, other])[0]
        array([[1, 0]])
    """
    events, n = log_probabilities[0].shape[:2]
    orders = np.array([values.ndim - 1 for values in log_probabilities])
    flat = [values.reshape(events, -1).astype(np.float64) for values in log_probabilities]
    sizes = np.array([values.shape[1] for values in flat])
    joined = np.ascontiguousarray(np.concatenate(flat, axis=1))
    members = np.concatenate([_members(int(order), n) for order in orders])
    choice = np.full((events, len(orders)), -1)
    _search(joined, np.concatenate(([0], np.cumsum(sizes))), members, choice)
    assignment = np.full((events, int(orders.sum())), -1)
    values = np.full((events, len(orders)), -np.inf)
    column = 0
    for particle, order in enumerate(orders):
        found = np.flatnonzero(choice[:, particle] >= 0)
        entry = choice[found, particle]
        assignment[found, column : column + order] = np.stack(np.unravel_index(entry, (n,) * order), axis=1)
        values[found, particle] = flat[particle][found, entry]
        column += order
    return assignment, values


def _members(order: int, n: int) -> np.ndarray:
    """Return for each entry of an array (n, ..., n) the bits of its jets."""
    bits = np.zeros((n,) * order, np.int64)
    for axis in range(order):
        shape = [1] * order
        shape[axis] = n
        bits |= (1 << np.arange(n)).reshape(shape)
    return bits.ravel()


@njit(cache=True)
def _search(values: np.ndarray, starts: np.ndarray, members: np.ndarray, choice: np.ndarray) -> None:
    """Fill ``choice`` (b, P) with the entry of each particle, -1 where no choice is allowed."""
    particles = len(starts) - 1
    longest = 0
    for particle in range(particles):
        longest = max(longest, starts[particle + 1] - starts[particle])
    order = np.empty((particles, longest), np.int64)
    allowed = np.empty(particles, np.int64)
    rest = np.empty(particles + 1)
    for event in range(len(values)):
        rest[particles] = 0.0
        for particle in range(particles - 1, -1, -1):
            first, stop = starts[particle], starts[particle + 1]
            ranked = np.argsort(-values[event, first:stop], kind="mergesort")
            order[particle, : len(ranked)] = ranked
            allowed[particle] = np.sum(values[event, first:stop] > _NEVER)
            # The most that the particles from this one on can add.
            top = values[event, first + ranked[0]] if allowed[particle] else -np.inf
            rest[particle] = rest[particle + 1] + top
        _best(values[event], starts, members, order, allowed, rest, choice[event])


@njit(cache=True)
def _best(
    values: np.ndarray,
    starts: np.ndarray,
    members: np.ndarray,
    order: np.ndarray,
    allowed: np.ndarray,
    rest: np.ndarray,
    choice: np.ndarray,
) -> None:
    """Search one event, particle by particle and by falling probability, and leave out what cannot win."""
    particles = len(starts) - 1
    place = np.zeros(particles, np.int64)
    used = np.zeros(particles + 1, np.int64)
    so_far = np.zeros(particles + 1)
    best = -np.inf
    level = 0
    while level >= 0:
        if place[level] >= allowed[level]:
            level -= 1
            if level >= 0:
                place[level] += 1
            continue
        entry = starts[level] + order[level, place[level]]
        value = so_far[level] + values[entry]
        if value + rest[level + 1] <= best:
            # What follows is less probable still.
            place[level] = allowed[level]
        elif members[entry] & used[level]:
            place[level] += 1
        elif level == particles - 1:
            best = value
            for particle in range(particles):
                choice[particle] = order[particle, place[particle]]
            place[level] = allowed[level]
        else:
            used[level + 1], so_far[level + 1] = used[level] | members[entry], value
            level += 1
            place[level] = 0
