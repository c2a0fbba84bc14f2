"""What is known of the clouds of a data set while they are written: what truncation cost, and which are there twice."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.preparation.exact_sum import ExactSum, exact_sum, rounded
from cloudchamber.preparation.identical import repeats

__all__ = ["CloudCounts"]


@final
class CloudCounts:
    """Counts of clouds; what they say does not depend on how the clouds were grouped. 12 bytes are kept of each."""

    def __init__(self) -> None:
        self._truncated = self._dropped = 0
        self._lost: ExactSum = ()
        self._worst = 0.0
        self._content, self._files = [np.zeros(0, np.uint64)], [np.zeros(0, np.int32)]

    def add(self, dropped: np.ndarray, lost: np.ndarray, content: np.ndarray, files: np.ndarray) -> None:
        """Count clouds.

        Args:
            dropped: (n,) particles that truncation took.
            lost: (n,) share of the pT that was theirs.
            content: (n,) fingerprints.
            files: (n,) position of the file of each.
        """
        self._truncated += int((dropped > 0).sum())
        self._dropped += int(dropped.sum())
        self._lost = exact_sum(self._lost, [float(lost.sum())])
        self._worst = max(self._worst, float(lost.max(initial=0.0)))
        self._content.append(content)
        self._files.append(files.astype(np.int32))

    def add_group(self, numbers: Mapping[str, Any], content: np.ndarray, files: np.ndarray) -> None:
        """Count the clouds of a group, whose own counts had these :attr:`numbers` and :attr:`content`."""
        self._truncated += numbers["truncated"]
        self._dropped += numbers["dropped"]
        self._lost = exact_sum(self._lost, numbers["lost"])
        self._worst = max(self._worst, numbers["worst"])
        self._content.append(content)
        self._files.append(files.astype(np.int32))

    @property
    def numbers(self) -> dict[str, Any]:
        """All but what is kept of each cloud, as JSON can hold it."""
        lost = list(self._lost)
        return {"truncated": self._truncated, "dropped": self._dropped, "lost": lost, "worst": self._worst}

    @property
    def content(self) -> np.ndarray:
        """(N,) fingerprints of all clouds."""
        return np.concatenate(self._content)

    def meta(self) -> dict[str, Any]:
        """Return the number of clouds, how many are identical to an earlier one, and what truncation cost them."""
        content = self.content
        return {
            "clouds": len(content),
            "identical_clouds": len(repeats(content)[0]),
            "truncation": {
                "clouds_truncated": self._truncated,
                "particles_dropped": self._dropped,
                "mean_lost_pt_fraction": rounded(self._lost) / max(len(content), 1),
                "worst_lost_pt_fraction": self._worst,
            },
        }

    def summary(self, files: Sequence[Path]) -> str:
        """Return in words what truncation cost, and which of the files hold the same clouds."""
        content = self.content
        lost = f"{rounded(self._lost) / max(len(content), 1):.2g} of the pT on average, {self._worst:.2g} at worst"
        parts = [f"{self._truncated} clouds truncated by {self._dropped} particles ({lost})"]
        later, earlier = repeats(content)
        if len(later):
            of_row = np.concatenate(self._files)
            first, second = files[of_row[earlier[0]]], files[of_row[later[0]]]
            where = f"twice in {first}" if first == second else f"in {first} and in {second}"
            parts.append(f"WARNING: {len(later)} clouds are identical to an earlier one, the first {where}")
        return "; ".join(parts)
