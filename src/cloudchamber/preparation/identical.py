"""Clouds that are there twice: the same events in two files, or twice in one.

A jet in the test part whose copy was trained on tests nothing. Copies are told by the bits of what they hold: numbers
of events and names of files say nothing.
"""

from collections.abc import Sequence

import numpy as np

from cloudchamber.cloud import Clouds, Column
from cloudchamber.preparation.columns import JET_FEATURES, MULTIPLICITY
from cloudchamber.readers.jagged import Jagged, offsets_of

__all__ = [
    "copies",
    "fingerprints",
    "fingerprints_of",
    "joined",
    "momentum_column",
    "numbered",
    "of_particles",
    "repeats",
    "told_apart",
    "warning",
]

# So many particles and the features of all of them tell two clouds apart, also where one was truncated further.
_PARTICLES = 16
# Odd, with bits all over: that of the splitmix64 generator.
_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
_HALF = np.uint64(32)
# What clouds of any kind have of the sum over their particles.
_OF_SUMS = {*(column.name for column in JET_FEATURES), MULTIPLICITY.name, "sum_pt", "mass"}


def momentum_column(columns: Sequence[Column]) -> int:
    """Return which column of points holds their pT, whatever its unit; the first where none is called so."""
    names = [column.name for column in columns]
    return next((names.index(name) for name in ("pt", "pt_rel") if name in names), 0)


def of_particles(columns: Sequence[Column]) -> list[int]:
    """Return which features say what the particles of a cloud are.

    The others are what a file has beside them, as event weights, the calibrated pT of a stored jet or the score of a
    tagger: another version of these is no other jet.
    """
    return [place for place, column in enumerate(columns) if column.name in _OF_SUMS]


def fingerprints_of(clouds: Clouds) -> np.ndarray:
    """Return (N,) uint64, equal for clouds of the same particles: :func:`fingerprints`."""
    features = clouds.features[:, of_particles(clouds.feature_columns)]
    return fingerprints(clouds.points, features, momentum_column(clouds.point_columns))


def told_apart(clouds: Clouds, positions: np.ndarray) -> np.ndarray:
    """Return what :func:`fingerprints_of` does, and the ``positions`` (N,) of jets that are alike by chance.

    These have one particle, which is their axis in coordinates relative to it, and no features of it.
    """
    content = fingerprints_of(clouds)
    momentum = clouds.point_columns[momentum_column(clouds.point_columns)].name
    if momentum == "pt_rel" and not of_particles(clouds.feature_columns):
        alike = clouds.multiplicity <= 1
        content[alike] = positions[alike]
    return content


def fingerprints(points: np.ndarray, features: np.ndarray, momentum: int) -> np.ndarray:
    """Return (N,) uint64, equal for clouds whose features and 16 hardest particles have the same bits, in any order.

    Among 10 million different clouds two are equal by accident with a probability of three in a million. Memory is 32
    bytes for each cloud, and more where particles are not in order.

    Args:
        points: (N, P, F) float32, zero in padded slots; the first three columns count.
        features: (N, C) float32, of all particles of each cloud.
        momentum: which of the three columns holds the pT.
    """
    hardest = _hardest(points, momentum)
    mixed = np.zeros(len(points), np.uint64)
    for slot in range(hardest.shape[1]):
        of_particle = np.zeros(len(points), np.uint64)
        for column in range(hardest.shape[2]):
            of_particle = _mix(of_particle, hardest[:, slot, column])
        # A sum is of any order, and a padded slot adds nothing to it. Once more through the mixer, or exchanging values
        # of two particles would often leave it as it is.
        mixed += _mix(of_particle, np.zeros((), np.float32))
    for values in features.T:
        mixed = _mix(mixed, values)
    return mixed


def _hardest(points: np.ndarray, momentum: int) -> np.ndarray:
    """Return (N, at most 16, at most 3): the hardest particles of clouds (N, P, F), which seldom have to be sorted."""
    points = points[:, :, :3]
    first, others = points[:, :_PARTICLES], points[:, _PARTICLES:]
    if not others.shape[1]:
        return first
    highest = others[:, :, momentum].max(axis=1)
    # Of equal ones it must not matter which is stored first; padded slots are equal too, and alike.
    unordered = np.flatnonzero((highest >= first[:, :, momentum].min(axis=1)) & others.any(axis=(1, 2)))
    if len(unordered):
        chosen = points[unordered]
        columns = [chosen[:, :, column] for column in range(chosen.shape[2]) if column != momentum]
        order = np.lexsort((*columns, chosen[:, :, momentum]), axis=1)[:, : -_PARTICLES - 1 : -1]
        first = first.copy()
        first[unordered] = np.take_along_axis(chosen, order[:, :, None], axis=1)
    return first


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


def copies(content: np.ndarray) -> Jagged:
    """Return the rows of each different cloud, by the first of them.

    Args:
        content: (N,) fingerprints.

    Example:
        >>> rows = copies(np.array([7, 5, 7, 3], np.uint64))
        >>> rows.values.tolist(), rows.offsets.tolist()
        ([0, 2, 1, 3], [0, 2, 3, 4])
    """
    first = joined(np.arange(len(content))[:, None], content)[:, 0]
    _, sizes = np.unique(first, return_counts=True)
    return Jagged(np.argsort(first, kind="stable"), offsets_of(sizes))


def warning(identical: int, number: int, what: str = "jets") -> str:
    """Return what a step that splits so many jets, or ``what`` they are, says of those identical to an earlier one."""
    return (
        f"WARNING: {identical} of {number} {what} are identical to an earlier one; they are kept, each in the part of "
        "the split that the earlier one is in"
    )
