"""Clouds that are there twice: the same events in two files, or twice in one.

A jet in the test part whose copy was trained on tests nothing. Copies are told by the bits of what they hold: numbers
of events and names of files say nothing.
"""

import numpy as np

__all__ = ["fingerprints", "joined", "numbered", "repeats", "warning"]

# So many particles and the features of all of them tell two clouds apart, also where one was truncated further.
_PARTICLES = 16
# Odd, with bits all over: that of the splitmix64 generator.
_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
_HALF = np.uint64(32)


def fingerprints(points: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return (N,) uint64, equal for clouds whose features and first 16 particles have the same bits.

    Among 10 million different clouds two are equal by accident with a probability of three in a million. Memory is 24
    bytes for each cloud.

    Args:
        points: (N, P, F) float32, zero in padded slots; the first three columns count.
        features: (N, C) float32, of all particles of each cloud.
    """
    mixed = np.zeros(len(points), np.uint64)
    for slot in range(_PARTICLES):
        for column in range(min(3, points.shape[2])):
            values = points[:, slot, column] if slot < points.shape[1] else np.zeros((), np.float32)
            mixed = _mix(mixed, values)
    for values in features.T:
        mixed = _mix(mixed, values)
    return mixed


def _mix(mixed: np.ndarray, values: np.ndarray) -> np.ndarray:
    # The sum has no negative zero, which is equal to zero and has other bits.
    mixed = (mixed ^ (values.astype(np.float32) + np.float32(0)).view(np.uint32)) * _FACTOR
    return mixed ^ (mixed >> _HALF)


def repeats(content: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that are equal to an earlier one, and for each the last of those before it.

    Args:
        content: (N,) fingerprints.

    Example:
        >>> later, earlier = repeats(np.array([7, 5, 7, 3, 7], np.uint64))
        >>> later.tolist(), earlier.tolist()
        ([2, 4], [0, 2])
    """
    order = np.argsort(content, kind="stable")
    same = content[order][1:] == content[order][:-1]
    later, earlier = order[1:][same], order[:-1][same]
    place = np.argsort(later)
    return later[place], earlier[place]


def numbered(events: np.ndarray) -> np.ndarray:
    """Return (N,) int64: which of the different rows of ``events`` (N, K), in the order of their values, each is."""
    order = np.lexsort(events.T[::-1])
    ordered = events[order]
    number = np.empty(len(events), np.int64)
    number[order] = np.cumsum(np.any(ordered != np.roll(ordered, 1, axis=0), axis=1) & (np.arange(len(events)) > 0))
    return number


def joined(events: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Return (N, 1) int64, equal for clouds of one event and for those of events that have an identical cloud.

    Args:
        events: (N, K) int64, rows that are equal belong to the same event; their order is kept.
        content: (N,) fingerprints.

    Example:
        >>> events = np.array([[0], [0], [1], [2], [2], [3]])
        >>> joined(events, np.array([11, 12, 13, 12, 14, 15], np.uint64)).ravel().tolist()
        [0, 0, 1, 0, 0, 3]
    """
    event = numbered(events)
    if not len(repeats(content)[0]):
        return event[:, None]
    _, kind = np.unique(content, return_inverse=True)
    lowest = np.arange(event.max() + 1)
    while True:
        of_kind = np.full(kind.max() + 1, len(lowest))
        np.minimum.at(of_kind, kind, lowest[event])
        found = lowest.copy()
        np.minimum.at(found, event, of_kind[kind])
        found = found[found]  # a chain of events is followed in steps that double
        if (found == lowest).all():
            return lowest[event][:, None]
        lowest = found


def warning(identical: int, number: int, what: str = "jets") -> str:
    """Return what a step that splits so many jets, or ``what`` they are, says of those identical to an earlier one."""
    return (
        f"WARNING: {identical} of {number} {what} are identical to an earlier one; they are kept, each in the part of "
        "the split that the earlier one is in"
    )
