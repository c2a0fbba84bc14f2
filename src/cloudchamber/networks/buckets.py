"""Packed clouds in the order of their multiplicity, so that those of equal size can be computed as one dense array."""

from typing import final

import torch
from torch import Tensor

__all__ = ["Buckets"]


@final
class Buckets:
    """The order of packed rows in which clouds with equally many particles, a bucket, stand next to each other.

    A bucket of b clouds with n particles each is a (b n, H) slice of the sorted rows, and a (b, n, H) array without a
    copy: attention needs neither padding nor a mask. There are as many buckets as different multiplicities. On a CPU
    that is faster than fewer buckets of neighbouring multiplicities, padded to their longest, even where most of the
    exact ones hold one or two clouds.

    Args:
        counts: (B,) int64, particles of each cloud.

    Attributes:
        clouds: (B,) the clouds, in the order of ``counts``, as the buckets have them.
        owners: (M,) the cloud, in the order of ``counts``, that each sorted row belongs to.
        shapes: clouds and particles of each, bucket by bucket.
    """

    def __init__(self, counts: Tensor) -> None:
        lengths, clouds = counts.sort()
        self.clouds = clouds
        self.owners = clouds.repeat_interleave(lengths)
        starts, sorted_starts = counts.cumsum(0) - counts, lengths.cumsum(0) - lengths
        moves = (starts[clouds] - sorted_starts).repeat_interleave(lengths)
        places = torch.arange(len(moves), device=counts.device)
        self._sources = places + moves
        self._places = torch.empty_like(places).scatter_(0, self._sources, places)
        multiplicities, clouds_each = lengths.unique_consecutive(return_counts=True)
        self.shapes: tuple[tuple[int, int], ...] = tuple(
            zip(clouds_each.tolist(), multiplicities.tolist(), strict=True)
        )

    def sort(self, particles: Tensor) -> Tensor:
        """Bring (M, H) packed rows into the order of the buckets."""
        return particles.index_select(0, self._sources)

    def restore(self, rows: Tensor) -> Tensor:
        """Bring (M, H) sorted rows back into the order in which they were packed."""
        return rows.index_select(0, self._places)

    def split(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Return a (b, n, H) view of (M, H) sorted rows for each bucket."""
        pieces = rows.split([clouds * particles for clouds, particles in self.shapes])
        return tuple(piece.unflatten(0, shape) for piece, shape in zip(pieces, self.shapes, strict=True))
