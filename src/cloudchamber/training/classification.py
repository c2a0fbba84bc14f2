"""Training of a classifier of padded clouds as a task for the training loop."""

from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cloudchamber.training.task import Task

__all__ = ["ClassificationTask"]

_VALIDATION_CHUNK = 256


@final
class ClassificationTask(Task):
    """Cross-entropy training of a network that maps its inputs to logits.

    Args:
        network: maps the tensors of ``inputs`` (in order) to (B, K) logits.
        inputs: tensors with N rows each, such as coordinates, features and mask.
        target: (N,) int64 classes.
        train, validation: (N',) int64 rows of the two parts.
    """

    def __init__(
        self, network: nn.Module, inputs: tuple[Tensor, ...], target: Tensor, train: Tensor, validation: Tensor
    ) -> None:
        self.network = network
        self.size = len(train)
        self._inputs, self._target = inputs, target
        self._train, self._validation = train, validation

    def to(self, device: torch.device) -> None:
        self._inputs = tuple(values.to(device) for values in self._inputs)
        self._target, self._train = self._target.to(device), self._train.to(device)
        self._validation = self._validation.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        chosen = self._train[rows][share]
        logits = network(*(values[chosen] for values in self._inputs))
        processes = len(rows) / len(chosen)
        return cross_entropy(logits, self._target[chosen], reduction="sum") * processes / len(rows)

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the validation loss and the share of jets whose class has the largest logit."""
        loss, right = 0.0, 0
        for rows in self._validation.split(_VALIDATION_CHUNK):
            logits = network(*(values[rows] for values in self._inputs))
            loss += float(cross_entropy(logits, self._target[rows], reduction="sum"))
            right += int((logits.argmax(dim=1) == self._target[rows]).sum())
        return {"validation_loss": loss / len(self._validation), "accuracy": right / len(self._validation)}
