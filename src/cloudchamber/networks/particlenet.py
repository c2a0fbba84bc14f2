"""ParticleNet: a classifier of particle clouds by dynamic graph convolution (arXiv 1902.08570).

Layers, widths and parameters are those of the authors' PyTorch version (weaver-core), with an input batch normalisation
and, if asked for, a fusion layer. Two things differ. Real particles are packed into rows before anything is computed,
so that padding costs nothing and enters no mean and no batch statistic. And the first product of an edge convolution,
A x_i + B (x_j - x_i), is taken once per particle as (A - B) x_i and B x_j instead of once per edge.
"""

from itertools import pairwise
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.networks.edge_activations import activated, activated_edges, mean_activated
from cloudchamber.networks.graph_rows import Edges, GraphRows, PackedGraphRows, PaddedGraphRows
from cloudchamber.networks.neighbours import nearest_neighbours
from cloudchamber.settings.networks import ParticleNetSettings

__all__ = ["ParticleNet"]


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

    def forward(self, particles: Tensor, edges: Edges) -> Tensor:
        """Map (M, inputs) particles to (M, widths[-1])."""
        of_centre, of_difference = self.first.weight.chunk(2, dim=1)
        centre = functional.linear(particles, of_centre - of_difference)
        neighbour = functional.linear(particles, of_difference)
        norms = [norm for norm in self.norms if isinstance(norm, nn.BatchNorm1d)]
        messages = activated_edges(centre, neighbour, edges, norms[0])
        if not self.linears:
            return functional.relu(self.shortcut(particles) + edges.mean(messages))
        for linear, norm in zip(self.linears[:-1], norms[1:-1], strict=True):
            messages = activated(linear(messages), edges, norm)
        mean = mean_activated(self.linears[-1](messages), edges, norms[-1])
        return functional.relu(self.shortcut(particles) + mean)


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
        self.fusion = (
            nn.Sequential(
                nn.Linear(sum(outputs), settings.fusion, bias=False),
                nn.BatchNorm1d(settings.fusion),
                nn.ReLU(inplace=True),
            )
            if settings.fusion
            else None
        )
        self.head = nn.Sequential(
            nn.Linear(settings.fusion or outputs[-1], settings.dense),
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
        return self._logits(coordinates, features, PackedGraphRows.of(mask))

    def padded(self, coordinates: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        """Return the (B, K) logits in evaluation mode by dense operations on all slots, as other runtimes want them."""
        return self._logits(coordinates, features, PaddedGraphRows(mask))

    def _logits(self, coordinates: Tensor, features: Tensor, rows: GraphRows) -> Tensor:
        points = coordinates.masked_fill(~rows.mask.unsqueeze(2), 0.0)
        particles = self.input_norm(rows.pack(features))
        outputs = []
        for block in self.blocks:
            particles = block(particles, nearest_neighbours(points, rows, self.neighbours))
            outputs.append(particles)
            points = rows.pad(particles.detach())
        pooled = self.fusion(torch.cat(outputs, dim=1)) if self.fusion is not None else particles
        return self.head(rows.mean(pooled))
