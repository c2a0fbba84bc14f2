"""AdamW (arXiv 1711.05101) over torch's own fused step.

Not ``torch.optim.AdamW``: constructing it imports torch's compiler, which takes as long as torch itself and which
nothing here uses.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor
from torch.optim.adamw import adamw

__all__ = ["AdamW"]

_SMALLEST_ROOT = 1e-8


@final
class AdamW:
    """Adam with decoupled weight decay; a parameter without a gradient is left as it is.

    Args:
        parameters: what is trained, on the device where it stays.
        betas: memory of the mean gradient and of its mean square.
        weight_decay: share of each weight, times the learning rate, taken off in each step.
    """

    def __init__(self, parameters: Iterable[Tensor], betas: tuple[float, float], weight_decay: float) -> None:
        self.parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self._betas, self._weight_decay = betas, weight_decay
        self._means = [torch.zeros_like(parameter) for parameter in self.parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in self.parameters]
        # The fused step counts on the device.
        self._steps = [torch.zeros((), dtype=torch.float32, device=p.device) for p in self.parameters]

    def forget_gradients(self) -> None:
        """Drop the gradients of the last step."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
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
            lr=learning_rate,
            weight_decay=self._weight_decay,
            eps=_SMALLEST_ROOT,
            maximize=False,
        )

    def state(self) -> dict[str, list[Tensor]]:
        """Return what a resumed training needs."""
        return {"means": self._means, "squares": self._squares, "steps": self._steps}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state of the same parameters."""
        for name, present in self.state().items():
            for tensor, saved in zip(present, state[name], strict=True):
                tensor.copy_(saved)
