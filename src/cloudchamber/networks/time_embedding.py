"""The time of a generative model as cosines and sines, and how far a step of a flow map goes."""

import math
from typing import final

import torch
from torch import Tensor, nn

__all__ = ["TimeEmbedding", "cloud_context"]

# Highest number of turns of the time embedding over the unit interval: resolved well even by bfloat16 products.
_HIGHEST_TURNS = 16.0
# Turns per unit of an interval of time: slow ones, since maps of nearly the same interval are nearly the same.
_INTERVAL_TURNS = (0.25, 0.5, 1.0, 2.0)


@final
class TimeEmbedding(nn.Module):
    """Cosines and sines of the time at geometrically spaced frequencies, half a turn to 16 turns per unit.

    Args:
        width: of the embedding.
        intervals: whether each time comes with an interval, whose learned embedding is added. It is zero at first, so
            that weights of a network without intervals can be taken over.
    """

    def __init__(self, width: int, intervals: bool = False) -> None:
        super().__init__()
        self.width = width
        self.interval = nn.Linear(2 * len(_INTERVAL_TURNS), width, bias=False) if intervals else None
        if self.interval is not None:
            nn.init.zeros_(self.interval.weight)

    def forward(self, time: Tensor) -> Tensor:
        """Embed (B, 1) times in [0, 1], or (B, 2) times and intervals, as (B, width), in float32."""
        # Not a buffer, which would follow the network to bfloat16: rounding there turns the phases by up to 0.2.
        turns = torch.logspace(math.log2(0.5), math.log2(_HIGHEST_TURNS), self.width // 2, base=2.0, device=time.device)
        embedded = _waves(time[:, :1], turns)
        if self.interval is None:
            return embedded
        slow = _waves(time[:, 1:], torch.tensor(_INTERVAL_TURNS, device=time.device))
        return embedded + self.interval(slow.to(self.interval.weight.dtype)).float()


def _waves(time: Tensor, turns: Tensor) -> Tensor:
    phase = 2 * math.pi * turns * time.float()
    return torch.cat([phase.cos(), phase.sin()], dim=1)


def cloud_context(embedded_time: Tensor, conditions: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what a network knows of each cloud but its particles, in ``dtype``.

    Args:
        embedded_time: (B, W), or (1, W) where all clouds share one time.
        conditions: (B, C), C may be 0.

    Returns:
        (B, W + C), or (1, W) where the clouds share one time and have no conditions: one row for all.
    """
    context = embedded_time.to(dtype)
    if conditions.shape[1]:
        context = torch.cat([context.expand(len(conditions), -1), conditions.to(dtype)], dim=1)
    return context
