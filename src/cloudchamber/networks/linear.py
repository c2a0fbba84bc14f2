"""Weight-normalised linear layers (arXiv 1602.07868) that can be folded for inference."""

import math
from copy import deepcopy
from typing import final

import torch
from torch import Tensor, nn

__all__ = ["WeightNormLinear", "for_inference"]


@final
class WeightNormLinear(nn.Module):
    """Linear layer whose weight rows are gain * direction / |direction|.

    torch ships weight norm as a parametrization; copies of a parametrized module share their class, so that folding
    a copy for sampling would break the module that is still being trained.
    """

    folded: Tensor | None

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(width)
        self.direction = nn.Parameter(torch.empty(out, width).uniform_(-bound, bound))
        self.gain = nn.Parameter(self.direction.detach().norm(dim=1, keepdim=True))
        self.bias = nn.Parameter(torch.empty(out).uniform_(-bound, bound))
        self.register_buffer("folded", None, persistent=False)

    @property
    def weight(self) -> Tensor:
        """(out, width) the effective weight."""
        if self.folded is not None:
            return self.folded
        return torch._weight_norm(self.direction, self.gain, 0)

    def fold(self) -> None:
        """Fix the effective weight, so that it is not computed again with each use."""
        self.folded = self.weight.detach().clone()

    def forward(self, rows: Tensor) -> Tensor:
        """Map (B, width) to (B, out)."""
        return nn.functional.linear(rows, self.weight, self.bias)


def for_inference(network: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Return a frozen copy in evaluation mode with folded weights of ``dtype``."""
    copy = deepcopy(network).eval().requires_grad_(False)
    for module in copy.modules():
        if isinstance(module, WeightNormLinear):
            module.fold()
    return copy.to(dtype)
