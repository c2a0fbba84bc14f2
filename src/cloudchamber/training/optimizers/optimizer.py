"""What the training loop asks of an optimiser."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

__all__ = ["Optimizer"]


class Optimizer(ABC):
    """Abstract optimiser of some parameters.

    Args:
        parameters: what is trained, on the device where it stays; those that need no gradient are left out.
    """

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self.parameters = [parameter for parameter in parameters if parameter.requires_grad]

    @abstractmethod
    def step(self, factor: float) -> None:
        """Move the parameters by their gradients, by the learning rate times ``factor``."""

    @abstractmethod
    def state(self) -> dict[str, list[Tensor]]:
        """Return what a resumed training needs."""

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state of the same parameters."""
        for name, present in self.state().items():
            for tensor, saved in zip(present, state[name], strict=True):
                tensor.copy_(saved)
