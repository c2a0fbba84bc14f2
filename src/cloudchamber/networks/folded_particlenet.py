"""ParticleNet for inference: its batch normalisations folded into the products beside them.

In evaluation mode a batch normalisation is an affine map with fixed numbers, so that W x followed by it is one product
with a bias. Those of the first products of an edge convolution, for receiver, neighbour and shortcut, are taken
together. On a CPU clouds go through the network a few at a time: their messages, the largest arrays, then stay in
its cache.
"""

from copy import deepcopy
from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.networks import edge_loops
from cloudchamber.networks.edge_activations import compiled
from cloudchamber.networks.graph_rows import Edges, PackedEdges, PackedGraphRows
from cloudchamber.networks.neighbours import nearest_neighbours
from cloudchamber.networks.particlenet import EdgeConvolution, ParticleNet

__all__ = ["FoldedParticleNet", "with_folded_norms"]

# Clouds that go through the network together on a CPU.
_PIECE = 16


def with_folded_norms(network: nn.Module) -> nn.Module:
    """Return a frozen copy in evaluation mode in which each ParticleNet is in its form for inference."""
    copy = deepcopy(network).eval().requires_grad_(False)
    if isinstance(copy, ParticleNet):
        return FoldedParticleNet(copy)
    for name, module in list(copy.named_modules()):
        if isinstance(module, ParticleNet):
            copy.set_submodule(name, FoldedParticleNet(module))
    return copy


def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return scale and shift, (H,) float64, of a batch normalisation in evaluation mode."""
    assert isinstance(norm, nn.BatchNorm1d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.double() * (norm.running_var.double() + norm.eps).rsqrt()
    return scale, norm.bias.double() - scale * norm.running_mean.double()


def _linear(weight: Tensor, bias: Tensor, like: Tensor) -> nn.Linear:
    """Return a frozen linear layer of the dtype and on the device of ``like``."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], device=like.device, dtype=like.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer.requires_grad_(False)


def _folded(linear: nn.Module, norm: nn.Module) -> nn.Linear:
    assert isinstance(linear, nn.Linear)
    scale, shift = _affine(norm)
    return _linear(scale.unsqueeze(1) * linear.weight.double(), shift, linear.weight)


@final
class _FoldedConvolution(nn.Module):
    """An edge convolution as three products and two passes over the edges."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        assert isinstance(block, EdgeConvolution)
        scale, shift = _affine(block.norms[0])
        of_centre, of_difference = (scale.unsqueeze(1) * block.first.weight.double()).chunk(2, dim=1)
        weights = [of_centre - of_difference, of_difference]
        biases = [shift, torch.zeros_like(shift)]
        self.has_shortcut = isinstance(block.shortcut, nn.Sequential)
        if isinstance(block.shortcut, nn.Sequential):
            shortcut = _folded(block.shortcut[0], block.shortcut[1])
            weights.append(shortcut.weight.double())
            biases.append(shortcut.bias.double())
        self.first = _linear(torch.cat(weights), torch.cat(biases), block.first.weight)
        self.width = len(shift)
        self.linears = nn.ModuleList(
            _folded(linear, norm) for linear, norm in zip(block.linears, block.norms[1:], strict=True)
        )

    def forward(self, particles: Tensor, edges: Edges) -> Tensor:
        """Map (M, inputs) particles to (M, outputs)."""
        terms = self.first(particles)
        messages = self._joined(terms, edges)
        for linear in self.linears[:-1]:
            messages = linear(messages).relu_()
        if len(self.linears):
            messages = self.linears[-1](messages)
        return self._added(particles, terms, messages, edges)

    def _joined(self, terms: Tensor, edges: Edges) -> Tensor:
        """Return the (E, H) ReLU of the sum of receiver and neighbour."""
        if not compiled(edges, terms):
            centre, other = terms[:, : self.width], terms[:, self.width : 2 * self.width]
            return centre.index_select(0, edges.centre).add_(other.index_select(0, edges.neighbour)).relu_()
        assert isinstance(edges, PackedEdges)
        messages = terms.new_empty(len(edges.neighbour), self.width)
        edge_loops.join_terms(terms.numpy(), edges.neighbour.numpy(), edges.degree.numpy().ravel(), messages.numpy())
        return messages

    def _added(self, particles: Tensor, terms: Tensor, messages: Tensor, edges: Edges) -> Tensor:
        """Return the (M, H) ReLU of the shortcut plus the mean over neighbours of the ReLU of (E, H) messages."""
        start, first = (terms, 2 * self.width) if self.has_shortcut else (particles, 0)
        if not compiled(edges, start, messages):
            return (start[:, first:] + edges.mean(messages.relu_())).relu_()
        assert isinstance(edges, PackedEdges)
        result = messages.new_empty(len(start), messages.shape[1])
        edge_loops.add_mean(messages.numpy(), edges.degree.numpy().ravel(), start.numpy(), first, result.numpy())
        return result


@final
class FoldedParticleNet(nn.Module):
    """What a trained :class:`cloudchamber.networks.particlenet.ParticleNet` does in evaluation mode, to rounding.

    Args:
        network: the trained network; its weights are copied, not shared.
    """

    input_scale: Tensor
    input_shift: Tensor

    def __init__(self, network: ParticleNet) -> None:
        super().__init__()
        self.neighbours = network.neighbours
        scale, shift = _affine(network.input_norm)
        dtype = network.input_norm.weight.dtype
        self.register_buffer("input_scale", scale.to(dtype))
        self.register_buffer("input_shift", shift.to(dtype))
        self.blocks = nn.ModuleList(_FoldedConvolution(block) for block in network.blocks)
        self.fusion = None if network.fusion is None else _folded(network.fusion[0], network.fusion[1])
        self.head = deepcopy(network.head).eval().requires_grad_(False)

    def forward(self, coordinates: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        """Return (B, K) logits; arguments as of :meth:`cloudchamber.networks.particlenet.ParticleNet.forward`."""
        size = _PIECE if mask.device.type == "cpu" else max(len(mask), 1)
        pieces = zip(*(values.split(size) for values in (coordinates, features, mask)), strict=True)
        return torch.cat([self._logits(*piece) for piece in pieces])

    def _logits(self, coordinates: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        rows = PackedGraphRows.of(mask)
        points = coordinates.masked_fill(~mask.unsqueeze(2), 0.0)
        particles = torch.addcmul(self.input_shift, rows.pack(features), self.input_scale)
        outputs = []
        for number, block in enumerate(self.blocks):
            if number:
                points = rows.pad(particles)
            particles = block(particles, nearest_neighbours(points, rows, self.neighbours))
            outputs.append(particles)
        pooled = self.fusion(torch.cat(outputs, dim=1)).relu_() if self.fusion is not None else particles
        return self.head(rows.mean(pooled))
