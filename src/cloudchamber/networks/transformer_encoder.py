"""Post-norm transformer encoder as a classifier of clouds (arXiv 1706.03762).

A standard block is that of ``nn.TransformerEncoderLayer``: layer norm of x + attention, then of x + feed-forward. A
Macaron block (arXiv 1906.02762) is layer norm of x + half of one feed-forward part, of x + attention, of x + half of
another; the two share the inner width, so that it has just 3 * width more parameters: one more layer norm and one more
output bias. There is no positional encoding, so that the order of particles has no influence.
"""

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.networks.attention import SelfAttention
from cloudchamber.networks.cloud_rows import AttentiveClassifier, CloudRows
from cloudchamber.networks.dense import Dense
from cloudchamber.settings.taggers import TransformerTagger

__all__ = ["TransformerEncoder"]


@final
class _FeedForward(nn.Module):
    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Linear(width, inner)
        self.second = nn.Linear(inner, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, particles: Tensor) -> Tensor:
        return self.dropout(self.second(self.dropout(torch.relu(self.first(particles)))))


class Block(nn.Module, ABC):
    """Abstract: attention and feed-forward updates, each followed by a layer norm."""

    def __init__(self, settings: TransformerTagger) -> None:
        super().__init__()
        self.attention = SelfAttention(settings.width, settings.heads, settings.dropout)
        self.attention_norm = nn.LayerNorm(settings.width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, particles: Tensor, rows: CloudRows) -> Tensor:
        """Map (R, width) particles to (R, width)."""
        particles = self.before(particles)
        update = self.dropout(self.attention(particles, rows, rows.biases))
        return self.after(self.attention_norm(particles + update))

    def attention_weights(self, particles: Tensor, rows: CloudRows) -> tuple[Tensor, ...]:
        """Return the (b, heads, n, n) attention of each block of clouds, given what goes into :meth:`forward`."""
        return self.attention.weights(self.before(particles), rows, rows.biases)

    @abstractmethod
    def before(self, particles: Tensor) -> Tensor:
        """Return the (R, width) particles that attention sees."""

    @abstractmethod
    def after(self, particles: Tensor) -> Tensor:
        """Return the (R, width) particles that the next block sees, from those after attention."""


@final
class StandardBlock(Block):
    """Attention, then a feed-forward part."""

    def __init__(self, settings: TransformerTagger) -> None:
        super().__init__(settings)
        self.feed_forward = _FeedForward(settings.width, settings.feed_forward, settings.dropout)
        self.feed_forward_norm = nn.LayerNorm(settings.width)

    def before(self, particles: Tensor) -> Tensor:
        return particles

    def after(self, particles: Tensor) -> Tensor:
        return self.feed_forward_norm(particles + self.feed_forward(particles))


@final
class MacaronBlock(Block):
    """Half of a feed-forward part, attention, half of another feed-forward part."""

    def __init__(self, settings: TransformerTagger) -> None:
        super().__init__(settings)
        inner = settings.feed_forward // 2
        self.first = _FeedForward(settings.width, inner, settings.dropout)
        self.first_norm = nn.LayerNorm(settings.width)
        self.second = _FeedForward(settings.width, inner, settings.dropout)
        self.second_norm = nn.LayerNorm(settings.width)

    def before(self, particles: Tensor) -> Tensor:
        return self.first_norm(particles.add(self.first(particles), alpha=0.5))

    def after(self, particles: Tensor) -> Tensor:
        return self.second_norm(particles.add(self.second(particles), alpha=0.5))


_BLOCKS = {"standard": StandardBlock, "macaron": MacaronBlock}


@final
class TransformerEncoder(AttentiveClassifier):
    """Transformer encoder, mean over particles, dense network.

    With 3 inputs, 7 classes and the default sizes it has the 1,388,807 parameters of the slides behind
    arXiv 2202.00723, which leave heads, pooling and dropout open.

    Args:
        settings: sizes and kind of block.
        inputs: F, features of a particle.
        classes: K.
    """

    def __init__(self, settings: TransformerTagger, inputs: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, settings.width)
        self.blocks = nn.ModuleList(_BLOCKS[settings.block](settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.width)
        self.cloud = Dense(settings.width, settings.hidden, classes, settings.dropout)

    def forward(self, particles: Tensor, momenta: Tensor, rows: CloudRows) -> Tensor:
        hidden = self.first(particles)
        for block in self.blocks:
            hidden = block(hidden, rows)
        return self.cloud(rows.mean(self.norm(hidden)))

    def attention_weights(self, particles: Tensor, momenta: Tensor, rows: CloudRows) -> list[tuple[Tensor, ...]]:
        hidden, weights = self.first(particles), []
        for block in self.blocks:
            assert isinstance(block, Block)
            weights.append(block.attention_weights(hidden, rows))
            hidden = block(hidden, rows)
        return weights
