"""Exponential moving average of weights."""

from typing import final

import torch
from torch import Tensor, nn

__all__ = ["WeightAverage"]


@final
class WeightAverage:
    """Keeps the moving average of the parameters and the floating-point buffers of a network.

    Args:
        network: whose weights are followed.
        decay: weight of the old average in each update.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move the average towards the present weights and, with them, the statistics of batch normalisation."""
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value.detach(), 1 - self.decay)
            else:
                self.weights[name].copy_(value)

    def load(self, weights: dict[str, Tensor]) -> None:
        """Take over saved averages."""
        for name, value in weights.items():
            self.weights[name].copy_(value)
