"""Clouds of some events before sorting and padding, with what was left out of them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import final

import numpy as np

from cloudchamber.preparation.stored_counts import StoredCounts
from cloudchamber.readers.jagged import Step

__all__ = ["CloudSource", "RawClouds"]


@final
@dataclass(frozen=True)
class RawClouds:
    """Clouds of one step before sorting and padding.

    Attributes:
        columns: (F, total) float32, constituents of all clouds.
        offsets: (n + 1,) int64.
        event: (n,) int64, position of the event in the step.
        rank: (n,) int64, 0 for the hardest jet of the event.
        features: (n, C) float64.
        with_constituents: (n_events,) bool, which events of the step have any constituents.
        without_direction: constituents left out because Delphes has no direction for them.
        pile_up: (n_events,) constituents of each event that come from pile-up, none of any where nothing tells.
        pile_up_left_out: how many of them were left out.
        unmatched: jets left out because the truth match asks for others.
        stored: what became of the jets of the file.
        labels: (n, L) int64, labels of the clouds beyond those that all clouds have.
        not_accepted: events left out by the selection.
    """

    columns: np.ndarray
    offsets: np.ndarray
    event: np.ndarray
    rank: np.ndarray
    features: np.ndarray
    with_constituents: np.ndarray
    without_direction: int
    pile_up: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    pile_up_left_out: int = 0
    unmatched: int = 0
    stored: StoredCounts = field(default_factory=StoredCounts)
    labels: np.ndarray | None = None
    not_accepted: int = 0


class CloudSource(ABC):
    """Abstract: makes clouds of the events of one file.

    Attributes:
        leaves, references: what to read.
        collections: where the constituents are.
        pile_up_by: branches that tell what is pile-up.
    """

    leaves: tuple[str, ...]
    references: tuple[str, ...] = ()
    collections: tuple[str, ...]
    pile_up_by: tuple[str, ...] = ()

    @abstractmethod
    def clouds(self, step: Step) -> RawClouds:
        """Return the clouds of the events of ``step``."""

    def unlikely(self) -> str | None:
        """Return in words what is unlikely of what was read of the file, or None."""
        return None
