"""Muon: steps of the same size in all directions of a matrix of weights.

The momentum of a matrix is replaced by the nearest matrix with orthonormal rows or columns, nearly: a Newton-Schulz
iteration of five steps takes every singular value close to one (K. Jordan, 2024,
https://kellerjordan.github.io/posts/muon; arXiv 2502.16982).
"""

from collections.abc import Iterable
from typing import final

import torch
from torch import Tensor

from cloudchamber.training.optimizers.optimizer import Optimizer

__all__ = ["Muon", "is_matrix", "orthogonalised"]

_MOMENTUM = 0.95
_STEPS = 5
# The odd polynomial of the iteration: the steepest at zero that keeps singular values below one between 0.7 and 1.2.
_LINEAR, _CUBIC, _QUINTIC = 3.4445, -4.7750, 2.0315
_SMALLEST_NORM = 1e-7
_SMALLEST_SIDE = 8


def is_matrix(parameter: Tensor) -> bool:
    """Return whether Muon moves ``parameter``: a matrix, and neither side a handful of features.

    First and last layers of a network have the particle features for one side, and there AdamW serves better.
    """
    return parameter.ndim == 2 and min(parameter.shape) >= _SMALLEST_SIDE


def orthogonalised(matrices: Tensor) -> Tensor:
    """Return (..., R, C) matrices with the singular vectors of ``matrices`` and singular values of about one."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    result = matrices.mT if tall else matrices
    result = result / result.norm(dim=(-2, -1), keepdim=True).clamp(min=_SMALLEST_NORM)
    for _ in range(_STEPS):
        gram = result @ result.mT
        result = _LINEAR * result + (_CUBIC * gram + _QUINTIC * gram @ gram) @ result
    return result.mT if tall else result


@final
class Muon(Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay; a matrix without a gradient is left as it is.

    Args:
        parameters: matrices, on the device where they stay.
        learning_rate: size of a step before the factor of the schedule: the root mean square of a step of a matrix of
            R rows and C columns is about this over the root of the smaller side (times the root of R / C where R > C).
        weight_decay: share of each weight, times the learning rate, taken off in each step.
    """

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float, weight_decay: float) -> None:
        super().__init__(parameters)
        self._learning_rate, self._weight_decay = learning_rate, weight_decay
        self._means = [torch.zeros_like(parameter) for parameter in self.parameters]

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Move the parameters by their gradients."""
        learning_rate = self._learning_rate * factor
        for parameter, mean in zip(self.parameters, self._means, strict=True):
            if parameter.grad is None:
                continue
            mean.lerp_(parameter.grad, 1 - _MOMENTUM)
            direction = orthogonalised(parameter.grad.lerp(mean, _MOMENTUM))
            rows, columns = parameter.shape
            parameter.mul_(1 - learning_rate * self._weight_decay)
            parameter.add_(direction, alpha=-learning_rate * max(1.0, rows / columns) ** 0.5)

    def state(self) -> dict[str, list[Tensor]]:
        """Return what a resumed training needs."""
        return {"means": self._means}
