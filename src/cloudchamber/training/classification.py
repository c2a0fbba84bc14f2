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
        weights: (N,) weights of the rows in loss and accuracy, or None for equal ones.
        label_smoothing: share of each target that the training loss spreads over all classes.
    """

    def __init__(
        self,
        network: nn.Module,
        inputs: tuple[Tensor, ...],
        target: Tensor,
        train: Tensor,
        validation: Tensor,
        weights: Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        self.network = network
        self.size = len(train)
        self._inputs, self._target = inputs, target
        self._train, self._validation = train, validation
        self._weights, self._label_smoothing = weights, label_smoothing

    def to(self, device: torch.device) -> None:
        self._inputs = tuple(values.to(device) for values in self._inputs)
        self._target, self._train = self._target.to(device), self._train.to(device)
        self._validation = self._validation.to(device)
        self._weights = None if self._weights is None else self._weights.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        chosen = self._train[rows][share]
        logits = network(*(values[chosen] for values in self._inputs))
        processes = len(rows) / len(chosen)
        return self._total_loss(logits, chosen, self._label_smoothing) * processes / len(rows)

    def _total_loss(self, logits: Tensor, rows: Tensor, label_smoothing: float) -> Tensor:
        target = self._target[rows]
        if self._weights is None:
            return cross_entropy(logits, target, reduction="sum", label_smoothing=label_smoothing)
        return cross_entropy(logits, target, reduction="none", label_smoothing=label_smoothing) @ self._weights[rows]

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the validation loss, without smoothing, and the share of jets whose class has the largest logit."""
        loss, right, total = 0.0, 0.0, 0.0
        for rows in self._validation.split(_VALIDATION_CHUNK):
            logits = network(*(values[rows] for values in self._inputs))
            weights = torch.ones(len(rows), device=rows.device) if self._weights is None else self._weights[rows]
            loss += float(self._total_loss(logits, rows, 0.0))
            right += float(weights[logits.argmax(dim=1) == self._target[rows]].sum())
            total += float(weights.sum())
        return {"validation_loss": loss / total, "accuracy": right / total}
