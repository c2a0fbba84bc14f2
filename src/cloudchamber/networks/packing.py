"""Packed clouds: the real particles of many clouds as rows of one matrix, without padding."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self, final

import numpy as np
import torch
from torch import Tensor

from cloudchamber.networks.buckets import Buckets
from cloudchamber.networks.precision import single_precision

__all__ = ["PackedClouds", "Packing", "padded"]


@final
class Packing:
    """Which rows of a packed matrix belong to which cloud.

    Attributes:
        counts: (B,) int64, particles of each cloud.
        rows: M, particles of all clouds.

    Example:
        >>> packing = Packing(torch.tensor([2, 1]))
        >>> packing.sum(torch.tensor([[1.0], [2.0], [3.0]]))
        tensor([[3.],
                [3.]])
        >>> packing.spread(torch.tensor([[10.0], [20.0]])).squeeze(1)
        tensor([10., 10., 20.])
    """

    def __init__(self, counts: Tensor) -> None:
        self.counts = counts
        self.rows = int(counts.sum())
        clouds = torch.arange(len(counts), device=counts.device)
        self._owner = torch.repeat_interleave(clouds, counts, output_size=self.rows)

    @cached_property
    def buckets(self) -> Buckets:
        """The clouds by multiplicity; made once, since sampling evaluates a network many times on one packing."""
        # Tensors made in inference mode could not serve a training step later.
        with torch.inference_mode(False):
            return Buckets(self.counts)

    def sum(self, particles: Tensor) -> Tensor:
        """Sum (M, H) particle rows over each cloud: (B, H), in the type of the rows."""
        terms = single_precision(particles)
        pooled = terms.new_zeros(len(self.counts), terms.shape[1])
        return pooled.index_add_(0, self._owner, terms).to(particles.dtype)

    def spread(self, clouds: Tensor) -> Tensor:
        """Repeat (B, H) cloud rows for each particle: (M, H)."""
        return torch.repeat_interleave(clouds, self.counts, dim=0, output_size=self.rows)

    def part(self, share: slice) -> tuple[slice, "Packing"]:
        """Return the rows of particles and the packing of a slice of the clouds."""
        ends = torch.cat([self.counts.new_zeros(1), self.counts.cumsum(0)])
        return slice(int(ends[share.start]), int(ends[share.stop])), Packing(self.counts[share])


@final
@dataclass(frozen=True)
class PackedClouds:
    """Many packed clouds in memory.

    Attributes:
        values: (M, F) float32, particles of all clouds.
        offsets: (N + 1,) int64, cloud i owns the rows from offsets[i] to offsets[i + 1].
        conditions: (N, C) float32.
    """

    values: Tensor
    offsets: Tensor
    conditions: Tensor

    @classmethod
    def from_padded(cls, points: np.ndarray, mask: np.ndarray, conditions: np.ndarray) -> Self:
        """Pack (N, P, F) points with their (N, P) mask and (N, C) conditions."""
        counts = torch.from_numpy(mask.sum(axis=1))
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        return cls(torch.from_numpy(points[mask]), offsets, torch.from_numpy(conditions))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def to(self, device: torch.device) -> "PackedClouds":
        """Return a copy on ``device``."""
        return PackedClouds(self.values.to(device), self.offsets.to(device), self.conditions.to(device))

    def take(self, clouds: Tensor) -> tuple[Tensor, Packing, Tensor]:
        """Return the particles (M', F), the packing and the conditions (B, C) of (B,) chosen clouds."""
        starts = self.offsets[clouds]
        packing = Packing(self.offsets[clouds + 1] - starts)
        first_row = packing.counts.cumsum(0) - packing.counts
        rows = torch.arange(packing.rows, device=starts.device) + packing.spread((starts - first_row)[:, None])[:, 0]
        return self.values[rows], packing, self.conditions[clouds]


def padded(values: np.ndarray, counts: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return packed particles (M, F) of clouds with (N,) ``counts`` as points (N, width, F) and their mask."""
    mask = np.arange(width) < counts[:, None]
    points = np.zeros((len(counts), width, values.shape[1]), values.dtype)
    points[mask] = values
    return points, mask
