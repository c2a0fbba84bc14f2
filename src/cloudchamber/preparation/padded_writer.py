"""Sorts, truncates, pads and writes clouds, and counts what truncation costs."""

from typing import Any, final

import numpy as np

from cloudchamber.cloud import CloudWriter
from cloudchamber.preparation.padding import pad

__all__ = ["PaddedWriter"]


@final
class PaddedWriter:
    """Appends clouds of any length to an open cloud file.

    Args:
        writer: the open file.
        width: padded length; the hardest particles are kept.
    """

    def __init__(self, writer: CloudWriter, width: int) -> None:
        self._writer, self._width = writer, width
        self._truncated = self._dropped = 0
        self._lost_sum = self._lost_worst = 0.0

    @property
    def clouds(self) -> int:
        """Number of clouds written so far."""
        return self._writer.rows

    def append(self, columns: np.ndarray, offsets: np.ndarray, features: np.ndarray, labels: np.ndarray) -> None:
        """Append clouds.

        Args:
            columns: (F, total) values of all particles; row 0 is pT [GeV], without NaN.
            offsets: (n + 1,) int64; the particles of cloud i are ``columns[:, offsets[i]:offsets[i + 1]]``.
            features: (n, C).
            labels: (n, L) int64.
        """
        padded = pad(columns, offsets, self._width)
        dropped = np.diff(offsets) - padded.mask.sum(axis=1)
        total, kept = padded.pt_sums.T
        lost = np.divide(total - kept, total, out=np.zeros_like(total), where=total > 0)
        self._truncated += int((dropped > 0).sum())
        self._dropped += int(dropped.sum())
        self._lost_sum += float(lost.sum())
        self._lost_worst = max(self._lost_worst, float(lost.max(initial=0.0)))
        self._writer.append(padded.points, padded.mask, features.astype(np.float32), labels)

    def meta(self) -> dict[str, Any]:
        """Return the number of clouds and what truncation cost them."""
        return {
            "clouds": self.clouds,
            "truncation": {
                "clouds_truncated": self._truncated,
                "particles_dropped": self._dropped,
                "mean_lost_pt_fraction": self._lost_sum / max(self.clouds, 1),
                "worst_lost_pt_fraction": self._lost_worst,
            },
        }

    def summary(self) -> str:
        """Return in words what truncation cost."""
        lost = f"{self._lost_sum / max(self.clouds, 1):.2g} of the pT on average, {self._lost_worst:.2g} at worst"
        return f"{self._truncated} clouds truncated by {self._dropped} particles ({lost})"
