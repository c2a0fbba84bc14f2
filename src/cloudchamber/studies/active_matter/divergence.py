"""Diagonals of Jacobians of functions of states: what divergences are made of, particle by particle."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.func import jvp

__all__ = ["jacobian_diagonal"]


def jacobian_diagonal(
    function: Callable[[Tensor], Tensor], state: Tensor, probes: int | None, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Return the function at states (B, N, C) and the derivatives of each output by the input in its own place.

    Args:
        function: maps (B, N, C) to (B, N, C), each state on its own.
        state: where.
        probes: number of random vectors of signs, over which the diagonal is averaged without bias (Hutchinson); None for
            the exact one, from N C directions.
        generator: of the signs.
    """
    values: Any = None
    diagonal = torch.zeros_like(state)
    if probes is None:
        for direction in torch.eye(state[0].numel(), dtype=state.dtype, device=state.device):
            along = direction.view(1, *state.shape[1:]).expand_as(state)
            values, derivative = jvp(function, (state,), (along,))
            diagonal = diagonal + derivative * along
        return values, diagonal
    for _ in range(probes):
        signs = torch.randint(0, 2, state.shape, generator=generator, device=state.device).to(state.dtype) * 2 - 1
        values, derivative = jvp(function, (state,), (signs,))
        diagonal = diagonal + derivative * signs / probes
    return values, diagonal
