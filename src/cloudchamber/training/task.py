"""What the training loop needs to know of a problem."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Task"]


class Task(ABC):
    """Abstract training problem.

    Attributes:
        network: what is trained.
        size: number of training examples.
    """

    network: nn.Module
    size: int

    @abstractmethod
    def to(self, device: torch.device) -> None:
        """Move the training data to ``device``."""

    @abstractmethod
    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        """Return the mean loss of this process's share of one batch.

        Args:
            network: the network as the training loop wrapped it.
            rows: (B,) examples of the whole batch, the same in each process.
            generator: random numbers, the same in each process: draw those of the whole batch, then take the share.
            share: which of the rows this process computes. The mean over processes must be the loss of the batch.
        """

    @abstractmethod
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return named validation figures of ``network`` (the averaged weights), the same at each call."""
