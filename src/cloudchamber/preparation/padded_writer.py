"""Sorts, truncates, pads and writes clouds, counts what truncation costs, and finds those that are there twice."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.cloud_file import CloudWriter
from cloudchamber.preparation.identical import fingerprints, repeats
from cloudchamber.preparation.padding import pad

__all__ = ["PaddedWriter"]


@final
class PaddedWriter:
    """Appends clouds of any length to an open cloud file. Memory grows by 12 bytes with each.

    Args:
        writer: the open file.
        width: padded length; the hardest particles are kept.
    """

    def __init__(self, writer: CloudWriter, width: int) -> None:
        self._writer, self._width = writer, width
        self._truncated = self._dropped = 0
        self._lost_sum = self._lost_worst = 0.0
        self._content, self._files = [np.zeros(0, np.uint64)], [np.zeros(0, np.int32)]

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
            event_weight: (n,) the last feature, by which identical clouds may differ; None where there is none.
        """
        padded = pad(columns, offsets, self._width)
        dropped = np.diff(offsets) - padded.mask.sum(axis=1)
        total, kept = padded.pt_sums.T
        lost = np.divide(total - kept, total, out=np.zeros_like(total), where=total > 0)
        self._truncated += int((dropped > 0).sum())
        self._dropped += int(dropped.sum())
        self._lost_sum += float(lost.sum())
        self._lost_worst = max(self._lost_worst, float(lost.max(initial=0.0)))
        features = features.astype(np.float32)
        self._content.append(fingerprints(padded.points, features))
        self._files.append(labels[:, 0].astype(np.int32))
        if event_weight is not None:
            features = np.column_stack([features, event_weight.astype(np.float32)])
        self._writer.append(padded.points, padded.mask, features, labels)

    def meta(self) -> dict[str, Any]:
        """Return the number of clouds, how many are identical to an earlier one, and what truncation cost them."""
        return {
            "clouds": self.clouds,
            "identical_clouds": len(repeats(np.concatenate(self._content))[0]),
            "truncation": {
                "clouds_truncated": self._truncated,
                "particles_dropped": self._dropped,
                "mean_lost_pt_fraction": self._lost_sum / max(self.clouds, 1),
                "worst_lost_pt_fraction": self._lost_worst,
            },
        }

    def summary(self, files: Sequence[Path]) -> str:
        """Return in words what truncation cost, and which of the files hold the same clouds."""
        lost = f"{self._lost_sum / max(self.clouds, 1):.2g} of the pT on average, {self._lost_worst:.2g} at worst"
        parts = [f"{self._truncated} clouds truncated by {self._dropped} particles ({lost})"]
        later, earlier = repeats(np.concatenate(self._content))
        if len(later):
            of_row = np.concatenate(self._files)
            first, second = files[of_row[earlier[0]]], files[of_row[later[0]]]
            where = f"twice in {first}" if first == second else f"in {first} and in {second}"
            parts.append(f"WARNING: {len(later)} clouds are identical to an earlier one, the first {where}")
        return "; ".join(parts)
