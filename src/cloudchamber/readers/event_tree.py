"""The events of a file, whatever its format, under the names of Delphes."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np

from cloudchamber.readers.jagged import Step

__all__ = ["EventTree"]


class EventTree(ABC):
    """Abstract: the events of an open file.

    Attributes:
        path: the file.
        n_events: number of events.
    """

    path: Path
    n_events: int

    @abstractmethod
    def __contains__(self, branch: str) -> bool: ...

    @abstractmethod
    def stored_name(self, name: str) -> str:
        """Return how the file calls a branch."""

    @property
    @abstractmethod
    def collections(self) -> list[str]:
        """Names of the collections that have leaves."""

    @abstractmethod
    def leaves_of(self, collection: str) -> frozenset[str]:
        """Return the leaves of a collection, without its name."""

    @abstractmethod
    def cell_edges(self, collection: str, start: int, stop: int) -> np.ndarray:
        """Return (n, 4) edges of the calorimeter cells of a collection in the events from ``start`` to before ``stop``:
        lower and upper eta, lower and upper phi [rad]. There are none, (0, 4), where the file does not have them.

        Raises:
            InputError: their branch is damaged.
        """

    @abstractmethod
    def steps(
        self,
        leaves: Sequence[str],
        step_size: str,
        references: Sequence[str] = (),
        integers: Sequence[str] = (),
        numbers: Sequence[str] = (),
    ) -> Generator[Step]:
        """Read the events in steps.

        Args:
            leaves: full names of leaves with one list of numbers per event.
            step_size: data read at a time, such as "8 MB".
            references: full names of leaves that refer to other objects.
            integers: names of branches with one whole number per event.
            numbers: the same for numbers that need not be whole.

        Raises:
            InputError: a branch is missing, of another type or damaged.
        """
