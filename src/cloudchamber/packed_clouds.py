"""Packed clouds: rows of all clouds behind each other, and how many each has; in memory, and their layout on disk.

Clouds of hundreds to thousands of points differ so much in size that padding would cost many times what they hold.
``docs/formats.md`` describes the layout, which only :mod:`packed_cloud_file` and :mod:`packed_cloud_writer` use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["ARRAYS", "FORMAT", "VERSION", "PackedPart"]

FORMAT = "cloudchamber-packed-clouds"
VERSION = 1
# Data sets of a file: type and dimensions.
ARRAYS: Mapping[str, tuple[str, int]] = {
    "points": ("float32", 2),
    "counts": ("int64", 1),
    "features": ("float32", 2),
    "labels": ("int64", 2),
}


@final
@dataclass(frozen=True)
class PackedPart:
    """Some clouds in memory.

    Attributes:
        points: (M, F) float32, cloud after cloud.
        counts: (n,) int64 points of each cloud.
        features: (n, C) float32.
        labels: (n, L) int64.
    """

    points: np.ndarray
    counts: np.ndarray
    features: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def owners(self) -> np.ndarray:
        """(M,) int64, the cloud of each point."""
        return np.repeat(np.arange(len(self.counts)), self.counts)
