"""Batch normalisation and ReLU of messages on the edges of a graph, joined with what is around them.

On a CPU in float32 compiled loops do each step in one pass; what they do elsewhere (a GPU, another precision, dense
slots for export) is written with torch. Both give the same to rounding.
"""

from typing import Any, final

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from cloudchamber.networks import edge_gradients, edge_loops
from cloudchamber.networks.graph_rows import Edges, PackedEdges

__all__ = ["activated", "activated_edges", "compiled", "mean_activated"]


def compiled(edges: Edges, *tensors: Tensor) -> bool:
    """Return whether compiled loops handle these messages: real edges on a CPU, float32, no derivative in the way."""
    if not isinstance(edges, PackedEdges) or len(edges.neighbour) < 2:
        return False
    return all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors)


def activated_edges(centre: Tensor, other: Tensor, edges: Edges, norm: nn.BatchNorm1d) -> Tensor:
    """Return (E, H) messages: the ReLU of the normalised sum of (M, H) terms of receiver and neighbour."""
    if norm.training and compiled(edges, centre, other):
        return _ActivatedEdges.apply(centre, other, norm.weight, norm.bias, edges, norm)
    messages = centre.index_select(0, edges.centre) + other.index_select(0, edges.neighbour)
    return functional.relu(norm(messages), inplace=True)


def activated(messages: Tensor, edges: Edges, norm: nn.BatchNorm1d) -> Tensor:
    """Return the ReLU of normalised (E, H) messages."""
    if norm.training and compiled(edges, messages):
        return _Activated.apply(messages, norm.weight, norm.bias, norm)
    return functional.relu(norm(messages), inplace=True)


def mean_activated(messages: Tensor, edges: Edges, norm: nn.BatchNorm1d) -> Tensor:
    """Return the (M, H) mean over neighbours of the ReLU of normalised (E, H) messages."""
    if norm.training and compiled(edges, messages):
        return _MeanActivated.apply(messages, norm.weight, norm.bias, edges, norm)
    return edges.mean(functional.relu(norm(messages), inplace=True))


def _affine(moments: tuple[Any, Any], number: int, norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return mean, 1 / deviation, scale and shift, (H,) float32, and move the running statistics.

    Args:
        moments: mean and variance of the messages, (H,) float64 arrays.
        number: of messages.
        norm: the normalisation.
    """
    mean, variance = (torch.from_numpy(values) for values in moments)
    inverse = (variance + norm.eps).rsqrt()
    scale = norm.weight.detach() * inverse
    shift = norm.bias.detach() - mean * scale
    if norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None:
        assert norm.momentum is not None
        norm.num_batches_tracked += 1
        norm.running_mean.lerp_(mean.float(), norm.momentum)
        norm.running_var.lerp_((variance * number / (number - 1)).float(), norm.momentum)
    return mean, inverse, scale.float(), shift.float()


def _through_statistics(
    sums: tuple[Any, Any], number: int, mean: Tensor, inverse: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of weight and bias, and slope and constant of what each message feels, (H,) float32.

    Args:
        sums: of the gradients that pass the ReLU, alone and times the message, (H,) float64 arrays.
        number: of messages.
        mean, inverse: (H,) float64, mean of the messages and 1 / their deviation.
        scale: (H,) float32, of the normalisation.
    """
    of_bias, products = (torch.from_numpy(values) for values in sums)
    of_weight = (products - mean * of_bias) * inverse
    slope = -scale * of_weight * inverse / number
    constant = -scale * of_bias / number - mean * slope
    return of_weight.float(), of_bias.float(), slope.float(), constant.float()


@final
class _ActivatedEdges(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, centre: Tensor, other: Tensor, weight: Tensor, bias: Tensor, edges: PackedEdges, norm: nn.BatchNorm1d
    ) -> Tensor:
        graph = (centre.numpy(), other.numpy(), edges.neighbour.numpy(), edges.degree.numpy().ravel())
        mean, inverse, scale, shift = _affine(edge_loops.edge_moments(*graph), len(edges.neighbour), norm)
        messages = centre.new_empty(len(edges.neighbour), centre.shape[1])
        edge_loops.join(*graph, scale.numpy(), shift.numpy(), messages.numpy())
        ctx.edges = edges
        ctx.save_for_backward(centre, other, mean, inverse, scale, shift)
        return messages

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        centre, other, mean, inverse, scale, shift = ctx.saved_tensors
        neighbours, degree = ctx.edges.neighbour.numpy(), ctx.edges.degree.numpy().ravel()
        given = (gradient.contiguous().numpy(), centre.numpy(), other.numpy(), neighbours, degree)
        affine = (scale.numpy(), shift.numpy())
        sums = edge_gradients.edge_sums(*given, *affine)
        of_weight, of_bias, slope, constant = _through_statistics(sums, len(neighbours), mean, inverse, scale)
        of_centre, of_other = torch.zeros_like(centre), torch.zeros_like(other)
        edge_gradients.edge_gradients(
            *given, *affine, slope.numpy(), constant.numpy(), of_centre.numpy(), of_other.numpy()
        )
        return of_centre, of_other, of_weight, of_bias, None, None


@final
class _Activated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, messages: Tensor, weight: Tensor, bias: Tensor, norm: nn.BatchNorm1d) -> Tensor:
        messages = messages.contiguous()
        moments = edge_loops.message_moments(messages.numpy())
        mean, inverse, scale, shift = _affine(moments, len(messages), norm)
        positive = torch.empty_like(messages)
        edge_loops.positive_part(messages.numpy(), scale.numpy(), shift.numpy(), positive.numpy())
        ctx.save_for_backward(messages, mean, inverse, scale, shift)
        return positive

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        messages, mean, inverse, scale, shift = ctx.saved_tensors
        given = (gradient.contiguous().numpy(), messages.numpy(), scale.numpy(), shift.numpy())
        sums = edge_gradients.message_sums(*given)
        of_weight, of_bias, slope, constant = _through_statistics(sums, len(messages), mean, inverse, scale)
        result = torch.empty_like(messages)
        edge_gradients.message_gradients(*given, slope.numpy(), constant.numpy(), result.numpy())
        return result, of_weight, of_bias, None


@final
class _MeanActivated(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, messages: Tensor, weight: Tensor, bias: Tensor, edges: PackedEdges, norm: nn.BatchNorm1d
    ) -> Tensor:
        messages = messages.contiguous()
        degree = edges.degree.numpy().ravel()
        mean, inverse, scale, shift = _affine(edge_loops.message_moments(messages.numpy()), len(messages), norm)
        result = messages.new_zeros(len(degree), messages.shape[1])
        edge_loops.mean_of_positive(messages.numpy(), degree, scale.numpy(), shift.numpy(), result.numpy())
        ctx.edges = edges
        ctx.save_for_backward(messages, mean, inverse, scale, shift)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        messages, mean, inverse, scale, shift = ctx.saved_tensors
        degree = ctx.edges.degree.numpy().ravel()
        given = (gradient.contiguous().numpy(), messages.numpy(), degree, scale.numpy(), shift.numpy())
        sums = edge_gradients.mean_sums(*given)
        of_weight, of_bias, slope, constant = _through_statistics(sums, len(messages), mean, inverse, scale)
        result = torch.empty_like(messages)
        edge_gradients.mean_gradients(*given, slope.numpy(), constant.numpy(), result.numpy())
        return result, of_weight, of_bias, None, None
