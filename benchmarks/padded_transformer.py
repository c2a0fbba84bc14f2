"""The set transformer written out plainly: padded clouds, explicit scores, masks.

The same function as :class:`cloudchamber.networks.transformer.Transformer`, from the same ``state_dict``, but in the
way of the published implementations (such as that of arXiv 2303.05376): all slots are computed, real or not, and the
scores of padded ones are set to minus infinity before the softmax. It is what the packed network is tested and timed
against.
"""

import math
from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.networks.time_embedding import TimeEmbedding
from cloudchamber.settings.networks import TransformerSettings

__all__ = ["PaddedTransformer"]


@final
class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, points: Tensor, of_cloud: Tensor, mask: Tensor) -> Tensor:
        products = self.queries_keys_values(self.norm(points) + of_cloud.unsqueeze(1)).chunk(3, dim=2)
        shape = (*mask.shape, self.heads, points.shape[2] // self.heads)
        queries, keys, values = (part.view(shape).transpose(1, 2) for part in products)
        scores = torch.matmul(queries, keys.transpose(2, 3)) / math.sqrt(shape[3])
        scores = scores.masked_fill(~mask[:, None, None, :], -torch.inf)
        attended = torch.matmul(scores.softmax(dim=3), values)
        return self.out(attended.transpose(1, 2).reshape(points.shape))


@final
class _FeedForward(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, inner)
        self.second = nn.Linear(inner, width)

    def forward(self, points: Tensor, of_cloud: Tensor) -> Tensor:
        return self.second(nn.functional.gelu(self.first(self.norm(points) + of_cloud.unsqueeze(1))))


@final
class _Block(nn.Module):
    def __init__(self, settings: TransformerSettings, context: int) -> None:
        super().__init__()
        self.macaron = settings.block == "macaron"
        self.context = nn.Linear(context, settings.hidden, bias=False)
        self.attention = _Attention(settings.hidden, settings.heads)
        if self.macaron:
            self.before = _FeedForward(settings.hidden, settings.feed_forward // 2)
            self.after = _FeedForward(settings.hidden, settings.feed_forward // 2)
        else:
            self.feed_forward = _FeedForward(settings.hidden, settings.feed_forward)

    def forward(self, points: Tensor, context: Tensor, mask: Tensor) -> Tensor:
        of_cloud = self.context(context)
        if self.macaron:
            points = points + 0.5 * self.before(points, of_cloud)
        points = points + self.attention(points, of_cloud, mask)
        if self.macaron:
            return points + 0.5 * self.after(points, of_cloud)
        return points + self.feed_forward(points, of_cloud)


@final
class PaddedTransformer(nn.Module):
    """Set transformer on padded clouds.

    Args:
        features: F, coordinates of a particle.
        conditions: C, conditions of a cloud.
        settings: sizes and kind of block.
    """

    def __init__(self, features: int, conditions: int, settings: TransformerSettings) -> None:
        super().__init__()
        context = settings.time_features + conditions
        self.time = TimeEmbedding(settings.time_features)
        self.first = nn.Linear(features, settings.hidden)
        self.blocks = nn.ModuleList(_Block(settings, context) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.hidden)
        self.last = nn.Linear(settings.hidden, features)

    def forward(self, points: Tensor, mask: Tensor, time: Tensor, conditions: Tensor) -> Tensor:
        """Return the (B, P, F) field, zero in padded slots.

        Args:
            points: (B, P, F) padded particles.
            mask: (B, P) bool.
            time: (B, 1) in [0, 1].
            conditions: (B, C).
        """
        context = torch.cat([self.time(time), conditions], dim=1)
        particles = self.first(points)
        for block in self.blocks:
            particles = block(particles, context, mask)
        return self.last(self.norm(particles)) * mask.unsqueeze(2)
