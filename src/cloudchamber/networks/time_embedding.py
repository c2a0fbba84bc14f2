"""The time of a generative model as cosines and sines."""

import math
from typing import final

import torch
from torch import Tensor, nn

__all__ = ["TimeEmbedding", "cloud_context"]

# Highest number of turns of the time embedding over the unit interval: resolved well even by bfloat16 products.
_HIGHEST_TURNS = 16.0


@final
class TimeEmbedding(nn.Module):
    """Cosines and sines of the time at geometrically spaced frequencies, half a turn to 16 turns per unit."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, time: Tensor) -> Tensor:
        """Embed (B, 1) times in [0, 1] as (B, width), in float32."""
        # Not a buffer, which would follow the network to bfloat16: rounding there turns the phases by up to 0.2.
        turns = torch.logspace(math.log2(0.5), math.log2(_HIGHEST_TURNS), self.width // 2, base=2.0, device=time.device)
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
