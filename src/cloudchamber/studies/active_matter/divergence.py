"""Diagonals of Jacobians of functions of states: what divergences are made of, particle by particle."""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["jacobian_diagonal"]


def jacobian_diagonal(
    function: Callable[[Tensor], Tensor],
    state: Tensor,
    probes: int | None,
    generator: torch.Generator | None = None,
    graph: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the function at states (B, N, C) and the derivatives of each output by the input in its own place.

    Args:
        function: maps (B, N, C) to (B, N, C), each state on its own.
        state: where.
        probes: number of random vectors of signs, over which the diagonal is averaged without bias (Hutchinson); None
            for the exact one, from N C directions.
        generator: of the signs.
        graph: whether gradients are to pass through the result, as in a training.
    """
    with torch.enable_grad():
        at = state.detach().requires_grad_()
        values = function(at)
        diagonal = torch.zeros_like(state)
        for direction in _directions(state, probes, generator):
            # Functions that depend on nothing have no graph.
            (pulled,) = torch.autograd.grad(
                values, at, direction, retain_graph=True, create_graph=graph, materialize_grads=True
            )
            diagonal = diagonal + pulled * direction / (probes or 1)
    return (values, diagonal) if graph else (values.detach(), diagonal.detach())


def _directions(state: Tensor, probes: int | None, generator: torch.Generator | None) -> list[Tensor]:
    if probes is None:
        units = torch.eye(state[0].numel(), dtype=state.dtype, device=state.device)
        return [unit.view(1, *state.shape[1:]).expand_as(state) for unit in units]
    return [
        torch.randint(0, 2, state.shape, generator=generator, device=state.device).to(state.dtype) * 2 - 1
        for _ in range(probes)
    ]
