"""Sorts, truncates, pads and writes clouds, and counts what truncation costs."""

from typing import final

import numpy as np

from cloudchamber.cloud_writer import CloudWriter
from cloudchamber.preparation.cloud_counts import CloudCounts
from cloudchamber.preparation.identical import fingerprints, of_particles
from cloudchamber.preparation.padding import pad

__all__ = ["PaddedWriter"]


@final
class PaddedWriter:
    """Appends clouds of any length to an open cloud file. Memory grows by 12 bytes with each.

    Args:
        writer: the open file.
        width: padded length; the hardest particles are kept.

    Attributes:
        counts: of all clouds that were written.
    """

    def __init__(self, writer: CloudWriter, width: int) -> None:
        self._writer, self._width = writer, width
        self._of_particles = of_particles(writer.feature_columns)
        self.counts = CloudCounts()

    @property
    def clouds(self) -> int:
        """Number of clouds written so far."""
        return self._writer.rows

    def append(
        self,
        columns: np.ndarray,
        offsets: np.ndarray,
        features: np.ndarray,
        labels: np.ndarray,
        event_weight: np.ndarray | None = None,
    ) -> None:
        """Append clouds.

        Args:
            columns: (F, total) values of all particles; row 0 is pT [GeV], without NaN.
            offsets: (n + 1,) int64; the particles of cloud i are ``columns[:, offsets[i]:offsets[i + 1]]``.
            features: (n, C).
            labels: (n, L) int64; column 0 is the position of the file.
            event_weight: (n,) the last feature; None where there is none.
        """
        padded = pad(columns, offsets, self._width)
        dropped = np.diff(offsets) - padded.mask.sum(axis=1)
        total, kept = padded.pt_sums.T
        lost = np.divide(total - kept, total, out=np.zeros_like(total), where=total > 0)
        features = features.astype(np.float32)
        content = fingerprints(padded.points, features[:, self._of_particles], 0)
        self.counts.add(dropped, lost, content, labels[:, 0])
        if event_weight is not None:
            features = np.column_stack([features, event_weight.astype(np.float32)])
        self._writer.append(padded.points, padded.mask, features, labels)
