"""A training problem whose data are made only when a step or a validation needs them."""

from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor, nn

from cloudchamber.training.task import Task

__all__ = ["DeferredTask"]


@final
class DeferredTask(Task):
    """Stands for a task whose data take long to make. A training that is finished needs none, and makes none.

    Args:
        network: what is trained.
        size: number of training examples that the task will have.
        make: makes the task, of the same network.
    """

    def __init__(self, network: nn.Module, size: int, make: Callable[[], Task]) -> None:
        self.network, self.size = network, size
        self._make = make
        self._made: Task | None = None
        self._device = torch.device("cpu")

    def to(self, device: torch.device) -> None:
        self._device = device
        if self._made is not None:
            self._made.to(device)

    @property
    def _task(self) -> Task:
        if self._made is None:
            self._made = self._make()
            if self._made.size != self.size:
                raise ValueError(f"a task of {self._made.size} examples, expected {self.size}")
            self._made.to(self._device)
        return self._made

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        return self._task.loss(network, rows, generator, share)

    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return what the task finds."""
        return self._task.validate(network)
