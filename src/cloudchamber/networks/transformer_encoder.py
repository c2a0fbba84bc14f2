"""Post-norm transformer encoder as a classifier of clouds (arXiv 1706.03762), with feed-forward parts where asked for.

A standard block is that of ``nn.TransformerEncoderLayer``: layer norm of x + attention, then of x + feed-forward. A
Macaron block (arXiv 1906.02762) is layer norm of x + half of one feed-forward part, of x + attention, of x + half of
another; the two share the inner width, so that it has just 3 * width more parameters: one more layer norm and one more
output bias. The other arrangements are controls that change one thing each. All have the same matrix products. There is
no positional encoding, so that the order of particles has no influence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.networks.attention import SelfAttention
from cloudchamber.networks.cloud_rows import AttentiveClassifier, CloudRows
from cloudchamber.networks.dense import Dense
from cloudchamber.settings.taggers import TransformerBlock, TransformerTagger

__all__ = ["Part", "TransformerEncoder", "parts_of_block"]


@final
@dataclass(frozen=True)
class Part:
    """A feed-forward part of a block.

    Attributes:
        share: of the inner width of a block.
        step: factor on the update.
    """

    share: float
    step: float


_WHOLE, _HALF, _HALF_AT_FULL_STEP = Part(1.0, 1.0), Part(0.5, 0.5), Part(0.5, 1.0)


def parts_of_block(block: TransformerBlock, number: int, layers: int) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the feed-forward parts before and after the attention of one block.

    Args:
        block: how a stack is arranged.
        number: of the block, from 0.
        layers: blocks of the stack.
    """
    match block:
        case "standard":
            return (), (_WHOLE,)
        case "feed_forward_first":
            return (_WHOLE,), ()
        case "macaron":
            return (_HALF,), (_HALF,)
        case "macaron_full_step":
            return (_HALF_AT_FULL_STEP,), (_HALF_AT_FULL_STEP,)
        case "halves_after":
            return (), (_HALF, _HALF)
        case "half_ends":
            return (_HALF,) if number == 0 else (), (_HALF,) if number == layers - 1 else (_WHOLE,)


@final
class _FeedForward(nn.Module):
    """Layer norm of x + step * feed-forward(x)."""

    def __init__(self, settings: TransformerTagger, part: Part) -> None:
        super().__init__()
        inner = round(part.share * settings.feed_forward)
        self.first = nn.Linear(settings.width, inner)
        self.second = nn.Linear(inner, settings.width)
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.LayerNorm(settings.width)
        self.step = part.step

    def forward(self, particles: Tensor) -> Tensor:
        update = self.dropout(self.second(self.dropout(torch.relu(self.first(particles)))))
        return self.norm(particles.add(update, alpha=self.step))


@final
class Block(nn.Module):
    """Feed-forward parts, attention, feed-forward parts, each followed by a layer norm.

    Args:
        settings: sizes.
        before, after: the parts on either side of attention.
    """

    def __init__(self, settings: TransformerTagger, before: Sequence[Part], after: Sequence[Part]) -> None:
        super().__init__()
        self.attention = SelfAttention(settings.width, settings.heads, settings.dropout)
        self.attention_norm = nn.LayerNorm(settings.width)
        self.dropout = nn.Dropout(settings.dropout)
        self.before = nn.Sequential(*(_FeedForward(settings, part) for part in before))
        self.after = nn.Sequential(*(_FeedForward(settings, part) for part in after))

    def forward(self, particles: Tensor, rows: CloudRows) -> Tensor:
        """Map (R, width) particles to (R, width)."""
        particles = self.before(particles)
        update = self.dropout(self.attention(particles, rows, rows.biases))
        moved: Tensor = self.after(self.attention_norm(particles + update))
        return moved

    def attention_weights(self, particles: Tensor, rows: CloudRows) -> tuple[Tensor, ...]:
        """Return the (b, heads, n, n) attention of each block of clouds, given what goes into :meth:`forward`."""
        return self.attention.weights(self.before(particles), rows, rows.biases)


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
        self.blocks = nn.ModuleList(
            Block(settings, *parts_of_block(settings.block, number, settings.layers))
            for number in range(settings.layers)
        )
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
