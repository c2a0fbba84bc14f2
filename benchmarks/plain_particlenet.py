"""ParticleNet by torch's own operations: what own code is compared with in speed, and in tests to rounding.

First products are taken once per particle and padding is not computed, as in the network itself; batch normalisations,
activations, selection of neighbours and means are calls of torch, one after the other, in training and in inference.
"""

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.networks.particlenet import EdgeConvolution, ParticleNet

__all__ = ["PlainParticleNet"]


@final
class PlainParticleNet(nn.Module):
    """The same function with the same weights.

    Args:
        network: whose weights are used; they are shared.
    """

    def __init__(self, network: ParticleNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, coordinates: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        """Return (B, K) logits; arguments as of :meth:`cloudchamber.networks.particlenet.ParticleNet.forward`."""
        width = mask.shape[1]
        slots = mask.flatten().nonzero().squeeze(1)
        points = coordinates.masked_fill(~mask.unsqueeze(2), 0.0)
        particles = self.network.input_norm(features.flatten(0, 1).index_select(0, slots))
        outputs = []
        for block in self.network.blocks:
            assert isinstance(block, EdgeConvolution)
            particles = _convolved(block, particles, points, mask, slots, min(self.network.neighbours, width))
            outputs.append(particles)
            padded = particles.new_zeros(mask.numel(), particles.shape[1])
            points = padded.index_copy(0, slots, particles.detach()).unflatten(0, mask.shape)
        fusion = self.network.fusion
        pooled = particles if fusion is None else fusion(torch.cat(outputs, dim=1))
        total = pooled.new_zeros(len(mask), pooled.shape[1]).index_add(0, slots // width, pooled)
        return self.network.head(total / mask.sum(dim=1, keepdim=True).clamp(min=1))


def _convolved(
    block: EdgeConvolution, particles: Tensor, points: Tensor, mask: Tensor, slots: Tensor, k: int
) -> Tensor:
    centres, neighbours, degree = _neighbours(points, mask, slots, k)
    of_centre, of_difference = block.first.weight.chunk(2, dim=1)
    centre = functional.linear(particles, of_centre - of_difference)
    neighbour = functional.linear(particles, of_difference)
    messages = centre.index_select(0, centres) + neighbour.index_select(0, neighbours)
    messages = functional.relu(block.norms[0](messages), inplace=True)
    for linear, norm in zip(block.linears, block.norms[1:], strict=True):
        messages = functional.relu(norm(linear(messages)), inplace=True)
    total = messages.new_zeros(len(particles), messages.shape[1]).index_add(0, centres, messages)
    return functional.relu(block.shortcut(particles) + total / degree.clamp(min=1))


@torch.no_grad()
def _neighbours(points: Tensor, mask: Tensor, slots: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    n_clouds, width = mask.shape
    points = points.float() if points.dtype == torch.bfloat16 else points
    norms = points.square().sum(dim=2)
    distances = torch.baddbmm(norms.unsqueeze(1), points, points.transpose(1, 2), alpha=-2)
    itself = torch.eye(width, dtype=torch.bool)
    distances = distances.masked_fill(itself | ~mask.unsqueeze(1), torch.inf)
    values, neighbours = distances.topk(k, dim=2, largest=False, sorted=False)
    neighbours = neighbours + width * torch.arange(n_clouds).view(-1, 1, 1)
    real = values.isfinite().flatten(0, 1).index_select(0, slots)
    row_of_slot = mask.flatten().cumsum(0) - 1
    chosen = neighbours.flatten(0, 1).index_select(0, slots)[real]
    return real.nonzero()[:, 0], row_of_slot[chosen], real.sum(dim=1, keepdim=True)
