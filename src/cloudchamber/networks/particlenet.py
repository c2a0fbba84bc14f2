"""ParticleNet: a classifier of particle clouds by dynamic graph convolution (arXiv 1902.08570).

Layers, widths and parameters are those of the authors' PyTorch version (weaver-core), with an input batch normalisation
and a fusion layer. Two things differ. Real particles are packed into rows before anything is computed, so that padding
costs nothing and enters no mean and no batch statistic. And the first product of an edge convolution,
A x_i + B (x_j - x_i), is taken once per particle as (A - B) x_i and B x_j instead of once per edge.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.progress import progress
from cloudchamber.settings import ParticleNetSettings

__all__ = ["ParticleNet", "predict_log_probabilities"]


@final
@dataclass(frozen=True)
class _Rows:
    """Where the M real particles of a padded batch lie.

    Attributes:
        slots: (M,) index into the B x P slots.
        row_of_slot: (B * P,) the inverse; meaningless for padded slots.
        mask: (B, P) bool.
    """

    slots: Tensor
    row_of_slot: Tensor
    mask: Tensor

    @classmethod
    def of(cls, mask: Tensor) -> "_Rows":
        flat = mask.flatten()
        return cls(flat.nonzero().squeeze(1), flat.cumsum(0) - 1, mask)

    def pack(self, padded: Tensor) -> Tensor:
        """Return the (M, F) rows of (B, P, F)."""
        return padded.flatten(0, 1).index_select(0, self.slots)

    def pad(self, rows: Tensor) -> Tensor:
        """Return (B, P, F), zero in padded slots."""
        padded = rows.new_zeros(self.mask.numel(), rows.shape[1])
        return padded.index_copy(0, self.slots, rows).unflatten(0, self.mask.shape)

    def mean(self, rows: Tensor) -> Tensor:
        """Return the (B, F) mean over the particles of each cloud, zero for a cloud without any."""
        clouds = self.slots // self.mask.shape[1]
        total = rows.new_zeros(len(self.mask), rows.shape[1]).index_add(0, clouds, rows)
        return total / self.mask.sum(dim=1, keepdim=True).clamp(min=1)


@final
@dataclass(frozen=True)
class _Edges:
    """The directed edges from each particle to its nearest neighbours.

    Attributes:
        centre: (E,) row of the particle that receives.
        neighbour: (E,) row of its neighbour.
        degree: (M, 1) number of neighbours of each particle.
    """

    centre: Tensor
    neighbour: Tensor
    degree: Tensor


@torch.no_grad()
def _nearest_neighbours(points: Tensor, rows: _Rows, k: int) -> _Edges:
    """Return edges to the ``k`` nearest particles of the same cloud, or to all others where there are fewer.

    Args:
        points: (B, P, D) coordinates.
        rows: the real particles.
        k: number of neighbours.
    """
    n_clouds, width = rows.mask.shape
    with torch.autocast(points.device.type, enabled=False):
        points = points.float() if points.dtype in (torch.bfloat16, torch.float16) else points
        norms = points.square().sum(dim=2)
        # |x_j|^2 - 2 x_i x_j orders the neighbours j of i as their distances do.
        distances = torch.baddbmm(norms.unsqueeze(1), points, points.transpose(1, 2), alpha=-2)
    distances.masked_fill_(~rows.mask.unsqueeze(1), torch.inf)
    distances.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    values, neighbours = distances.topk(min(k, width), dim=2, largest=False, sorted=False)
    slots = neighbours + width * torch.arange(n_clouds, device=points.device).view(-1, 1, 1)
    real = rows.pack(values.isfinite())
    row_of_edge = real.nonzero()[:, 0]
    return _Edges(row_of_edge, rows.row_of_slot[rows.pack(slots)[real]], real.sum(dim=1, keepdim=True))


@final
class EdgeConvolution(nn.Module):
    """Mean over neighbours j of a network of (x_i, x_j - x_i), plus a shortcut (arXiv 1902.08570, section 2.2).

    Args:
        inputs: width of a particle before the block.
        widths: widths of the layers of the edge network; the last is the width of a particle after the block.
    """

    def __init__(self, inputs: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.first = nn.Linear(2 * inputs, widths[0], bias=False)
        self.linears = nn.ModuleList(nn.Linear(n_in, n_out, bias=False) for n_in, n_out in pairwise(widths))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in widths)
        self.shortcut = (
            nn.Identity()
            if inputs == widths[-1]
            else nn.Sequential(nn.Linear(inputs, widths[-1], bias=False), nn.BatchNorm1d(widths[-1]))
        )

    def forward(self, particles: Tensor, edges: _Edges) -> Tensor:
        """Map (M, inputs) particles to (M, widths[-1])."""
        of_centre, of_difference = self.first.weight.chunk(2, dim=1)
        centre = functional.linear(particles, of_centre - of_difference)
        neighbour = functional.linear(particles, of_difference)
        messages = centre.index_select(0, edges.centre) + neighbour.index_select(0, edges.neighbour)
        messages = functional.relu(self.norms[0](messages), inplace=True)
        for linear, norm in zip(self.linears, self.norms[1:], strict=True):
            messages = functional.relu(norm(linear(messages)), inplace=True)
        total = messages.new_zeros(len(particles), messages.shape[1]).index_add(0, edges.centre, messages)
        return functional.relu(self.shortcut(particles) + total / edges.degree.clamp(min=1))


@final
class ParticleNet(nn.Module):
    """ParticleNet (arXiv 1902.08570).

    The first block finds neighbours by the coordinates, each further one by the output of the block before. A particle
    is no neighbour of itself. A particle with fewer than k others in its cloud is averaged over those there are.

    Args:
        settings: widths, number of neighbours, dropout.
        inputs: F, number of features of a particle.
        classes: K, number of classes.
    """

    def __init__(self, settings: ParticleNetSettings, inputs: int, classes: int) -> None:
        super().__init__()
        self.neighbours = settings.neighbours
        outputs = [widths[-1] for widths in settings.blocks]
        self.input_norm = nn.BatchNorm1d(inputs)
        self.blocks = nn.ModuleList(
            EdgeConvolution(n_in, widths) for n_in, widths in zip([inputs, *outputs[:-1]], settings.blocks, strict=True)
        )
        self.fusion = nn.Sequential(
            nn.Linear(sum(outputs), settings.fusion, bias=False), nn.BatchNorm1d(settings.fusion), nn.ReLU(inplace=True)
        )
        self.head = nn.Sequential(
            nn.Linear(settings.fusion, settings.dense),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.dense, classes),
        )

    def forward(self, coordinates: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        """Return (B, K) logits.

        Args:
            coordinates: (B, P, D), where particles are near each other.
            features: (B, P, F).
            mask: (B, P) bool, true for real particles; what lies in other slots has no influence.
        """
        rows = _Rows.of(mask)
        points = coordinates.masked_fill(~mask.unsqueeze(2), 0.0)
        particles = self.input_norm(rows.pack(features))
        outputs = []
        for block in self.blocks:
            particles = block(particles, _nearest_neighbours(points, rows, self.neighbours))
            outputs.append(particles)
            points = rows.pad(particles.detach())
        return self.head(rows.mean(self.fusion(torch.cat(outputs, dim=1))))


def predict_log_probabilities(
    network: nn.Module, coordinates: Tensor, features: Tensor, mask: Tensor, chunk: int = 64
) -> Tensor:
    """Return ln p(class | cloud) of a classifier, (N, K) float64 on the CPU.

    The network is in evaluation mode meanwhile: no dropout, and batch normalisation with the stored statistics, so that
    a cloud scores the same whatever else is scored with it.

    Args:
        network: maps coordinates, features and mask to logits.
        coordinates, features, mask: (N, P, D), (N, P, F) and (N, P), on any device.
        chunk: clouds per call; small pieces stay in the cache of a CPU.
    """
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    pieces = []
    try:
        with torch.inference_mode(), progress("classification", len(mask), "clouds") as report:
            for inputs in zip(*(values.split(chunk) for values in (coordinates, features, mask)), strict=True):
                logits = network(*(values.to(device) for values in inputs))
                pieces.append(functional.log_softmax(logits.double(), dim=1).cpu())
                report.update(len(logits))
    finally:
        network.train(was_training)
    return torch.cat(pieces)
