"""Set transformer: self-attention among the particles of each cloud (as in PC-JeDi, arXiv 2303.05376).

Blocks are pre-norm and have no positional encoding, so that a permutation of particles permutes the output. A standard
block is attention, then a feed-forward part. A Macaron block (arXiv 1906.02762) is half a step of one feed-forward
part, attention, half a step of another; the two share the inner width, so that it has just 3 * hidden more parameters:
one more layer norm and one more output bias.

The network sees real particles only, as rows of one matrix, sorted so that attention runs on dense arrays of clouds of
equal size. Time and conditions enter each block as one vector per cloud, added to whatever was layer-normalised.
"""

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.networks.attention import attend
from cloudchamber.networks.buckets import Buckets
from cloudchamber.networks.packing import Packing
from cloudchamber.networks.time_embedding import TimeEmbedding, cloud_context
from cloudchamber.settings.networks import TransformerSettings

__all__ = ["Transformer"]


def _normalise(norm: nn.LayerNorm, rows: Tensor, shift: Tensor) -> Tensor:
    """Layer-normalise (M, H) rows and add shifts (M, H), or (1, H) where all clouds share one."""
    if len(shift) == 1:
        return functional.layer_norm(rows, norm.normalized_shape, norm.weight, norm.bias + shift[0], norm.eps)
    return norm(rows).add_(shift)


@final
class Attention(nn.Module):
    """Update by self-attention within each cloud."""

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        self.heads = settings.heads
        self.norm = nn.LayerNorm(settings.hidden)
        # No bias: that of the norm does as much for the queries, that of the output for the values, and none is felt by
        # the softmax in the keys.
        self.queries_keys_values = nn.Linear(settings.hidden, 3 * settings.hidden, bias=False)
        self.out = nn.Linear(settings.hidden, settings.hidden)

    def forward(self, rows: Tensor, shift: Tensor, buckets: Buckets) -> Tensor:
        """Map (M, hidden) sorted rows to their update."""
        products = self.queries_keys_values(_normalise(self.norm, rows, shift))
        return self.out(torch.cat([attend(bucket, self.heads) for bucket in buckets.split(products)]))


@final
class FeedForward(nn.Module):
    """Update of each particle by itself."""

    def __init__(self, hidden: int, inner: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.first = nn.Linear(hidden, inner)
        self.second = nn.Linear(inner, hidden)

    def forward(self, rows: Tensor, shift: Tensor) -> Tensor:
        """Map (M, hidden) rows to their update."""
        return self.second(functional.gelu(self.first(_normalise(self.norm, rows, shift))))


class Block(nn.Module, ABC):
    """Abstract: attention and feed-forward updates that share the shift of each cloud."""

    def __init__(self, settings: TransformerSettings, context: int) -> None:
        super().__init__()
        self.context = nn.Linear(context, settings.hidden, bias=False)

    def forward(self, rows: Tensor, context: Tensor, buckets: Buckets) -> Tensor:
        """Map (M, hidden) sorted rows and (B, C) or (1, C) contexts to (M, hidden)."""
        shift = self.context(context)
        return self.update(rows, shift if len(shift) == 1 else shift.index_select(0, buckets.owners), buckets)

    @abstractmethod
    def update(self, rows: Tensor, shift: Tensor, buckets: Buckets) -> Tensor:
        """Return the new (M, hidden) rows."""


@final
class StandardBlock(Block):
    """x + attention, then x + feed-forward."""

    def __init__(self, settings: TransformerSettings, context: int) -> None:
        super().__init__(settings, context)
        self.attention = Attention(settings)
        self.feed_forward = FeedForward(settings.hidden, settings.feed_forward)

    def update(self, rows: Tensor, shift: Tensor, buckets: Buckets) -> Tensor:
        """Return the new (M, hidden) rows."""
        rows = rows + self.attention(rows, shift, buckets)
        return rows + self.feed_forward(rows, shift)


@final
class MacaronBlock(Block):
    """x + 1/2 feed-forward, x + attention, x + 1/2 another feed-forward (arXiv 1906.02762)."""

    def __init__(self, settings: TransformerSettings, context: int) -> None:
        super().__init__(settings, context)
        self.before = FeedForward(settings.hidden, settings.feed_forward // 2)
        self.attention = Attention(settings)
        self.after = FeedForward(settings.hidden, settings.feed_forward // 2)

    def update(self, rows: Tensor, shift: Tensor, buckets: Buckets) -> Tensor:
        """Return the new (M, hidden) rows."""
        rows = rows.add(self.before(rows, shift), alpha=0.5)
        rows = rows + self.attention(rows, shift, buckets)
        return rows.add(self.after(rows, shift), alpha=0.5)


_BLOCKS = {"standard": StandardBlock, "macaron": MacaronBlock}


@final
class Transformer(nn.Module):
    """Set transformer for fields on particle clouds, such as a velocity or a noise estimate.

    Args:
        features: F, coordinates of a particle.
        conditions: C, conditions of a cloud.
        settings: sizes and kind of block.
        intervals: whether times come with intervals, as in a flow map.
    """

    def __init__(self, features: int, conditions: int, settings: TransformerSettings, intervals: bool = False) -> None:
        super().__init__()
        block, context = _BLOCKS[settings.block], settings.time_features + conditions
        self.time = TimeEmbedding(settings.time_features, intervals)
        self.first = nn.Linear(features, settings.hidden)
        self.blocks = nn.ModuleList(block(settings, context) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.hidden)
        self.last = nn.Linear(settings.hidden, features)

    def forward(self, particles: Tensor, time: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        """Return the (M, F) field.

        Args:
            particles: (M, F) packed particles.
            time: (B, 1) in [0, 1], or (1, 1) where all clouds share one time; with the interval behind it where the
                network takes intervals.
            conditions: (B, C) standardised conditions, C may be 0.
            packing: which particle belongs to which cloud; every cloud has at least one.
        """
        context = cloud_context(self.time(time), conditions, particles.dtype)
        buckets = packing.buckets
        rows = self.first(buckets.sort(particles))
        for block in self.blocks:
            rows = block(rows, context, buckets)
        return buckets.restore(self.last(self.norm(rows)))
