"""AdamW (arXiv 1711.05101) over torch's own fused step.

Not ``torch.optim.AdamW``: constructing it imports torch's compiler, which takes as long as torch itself and which
nothing here uses.
"""

from collections.abc import Iterable, Sequence
from typing import final

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from cloudchamber.training.optimizers.optimizer import Optimizer

__all__ = ["AdamW"]

_SMALLEST_ROOT = 1e-8


@final
class AdamW(Optimizer):
    """Adam with decoupled weight decay; a parameter without a gradient is left as it is.

    Args:
        parameters: what is trained, on the device where it stays.
        learning_rate: size of a step before the factor of the schedule.
        betas: memory of the mean gradient and of its mean square.
        weight_decay: share of each weight, times the learning rate, taken off in each step.
    """

    def __init__(
        self, parameters: Iterable[Tensor], learning_rate: float, betas: tuple[float, float], weight_decay: float
    ) -> None:
        super().__init__(parameters)
        self._learning_rate, self._betas, self._weight_decay = learning_rate, betas, weight_decay
        self._means = [torch.zeros_like(parameter) for parameter in self.parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in self.parameters]
        # The fused step counts on the device.
        self._steps = [torch.zeros((), dtype=torch.float32, device=p.device) for p in self.parameters]

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Move the parameters by their gradients."""
        used = [index for index, parameter in enumerate(self.parameters) if parameter.grad is not None]
        if not used:
            return

        def of_used(tensors: Sequence[Tensor]) -> list[Tensor]:
            return [tensors[index] for index in used]

        parameters = of_used(self.parameters)
        adamw(
            parameters,
            [gradient for p in parameters if (gradient := p.grad) is not None],
            of_used(self._means),
            of_used(self._squares),
            [],
            of_used(self._steps),
            fused=True,
            amsgrad=False,
            beta1=self._betas[0],
            beta2=self._betas[1],
            lr=self._learning_rate * factor,
            weight_decay=self._weight_decay,
            eps=_SMALLEST_ROOT,
            maximize=False,
        )

    def state(self) -> dict[str, list[Tensor]]:
        """Return what a resumed training needs."""
        return {"means": self._means, "squares": self._squares, "steps": self._steps}
