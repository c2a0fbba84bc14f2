"""Lists of different lengths as flat values and offsets, and the events of a file made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np

__all__ = ["Jagged", "References", "Step", "offsets_of"]


def offsets_of(counts: np.ndarray) -> np.ndarray:
    """Return the (n + 1,) offsets of consecutive lists with lengths ``counts`` (n,)."""
    return np.concatenate(([0], np.cumsum(counts)))


@final
@dataclass(frozen=True)
class Jagged:
    """Lists of different lengths: list i is ``values[offsets[i]:offsets[i + 1]]``.

    Attributes:
        values: (total,) the contents of all lists, one after the other.
        offsets: (n + 1,) int64, begins with 0.
    """

    values: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> np.ndarray:
        """(n,) lengths of the lists."""
        return np.diff(self.offsets)

    def keep(self, lists: np.ndarray) -> "Jagged":
        """Return the lists where the mask ``lists`` (n,) is true."""
        counts = self.counts
        return Jagged(self.values[np.repeat(lists, counts)], offsets_of(counts[lists]))

    def take(self, lists: np.ndarray) -> "Jagged":
        """Return the lists at the positions ``lists``, in that order."""
        counts = self.counts[lists]
        offsets = offsets_of(counts)
        source = np.arange(offsets[-1]) + np.repeat(self.offsets[lists] - offsets[:-1], counts)
        return Jagged(self.values[source], offsets)

    def keep_values(self, values: np.ndarray) -> "Jagged":
        """Return all lists with only the values where the mask ``values`` (total,) is true."""
        return Jagged(self.values[values], offsets_of(values)[self.offsets])


@final
@dataclass(frozen=True)
class References:
    """References (TRefArray, TRef) of the objects of a collection to other objects of the same event.

    Attributes:
        objects: (n_events + 1,) int64, offsets of each event's objects.
        targets: the references of each object, as they are stored.
    """

    objects: np.ndarray
    targets: Jagged

    def keep(self, events: np.ndarray) -> "References":
        """Return the references of the events where the mask is true."""
        counts = np.diff(self.objects)
        return References(offsets_of(counts[events]), self.targets.keep(np.repeat(events, counts)))


@final
@dataclass(frozen=True)
class Step:
    """Some consecutive events of a file.

    Attributes:
        events: (n_events,) int64, entry numbers in the file.
        leaves: values of each leaf, one list per event.
        references: the leaves that refer to other objects.
        integers: (n_events,) int64, values of each branch with one whole number per event.
        numbers: (n_events,) float64, values of each branch with one number per event.
    """

    events: np.ndarray
    leaves: Mapping[str, Jagged]
    references: Mapping[str, References] = field(default_factory=dict)
    integers: Mapping[str, np.ndarray] = field(default_factory=dict)
    numbers: Mapping[str, np.ndarray] = field(default_factory=dict)

    def keep(self, events: np.ndarray) -> "Step":
        """Return the events where the mask ``events`` (n_events,) is true."""
        return Step(
            self.events[events],
            {name: leaf.keep(events) for name, leaf in self.leaves.items()},
            {name: references.keep(events) for name, references in self.references.items()},
            {name: values[events] for name, values in self.integers.items()},
            {name: values[events] for name, values in self.numbers.items()},
        )
