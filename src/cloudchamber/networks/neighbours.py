"""Nearest neighbours of the particles of a cloud, in the space of its coordinates or of learned ones."""

import torch
from torch import Tensor

from cloudchamber.networks import edge_loops
from cloudchamber.networks.graph_rows import Edges, GraphRows, PackedEdges, PackedGraphRows

__all__ = ["nearest_neighbours"]


@torch.no_grad()
def nearest_neighbours(points: Tensor, rows: GraphRows, k: int) -> Edges:
    """Return edges to the ``k`` nearest particles of the same cloud, or to all others where there are fewer.

    Args:
        points: (B, P, D) coordinates.
        rows: the particles.
        k: number of neighbours.
    """
    n_clouds, width = rows.mask.shape
    with torch.autocast(points.device.type, enabled=False):
        points = points.float() if points.dtype in (torch.bfloat16, torch.float16) else points
        norms = points.square().sum(dim=2)
        # |x_j|^2 - 2 x_i x_j orders the neighbours j of i as their distances do.
        distances = torch.baddbmm(norms.unsqueeze(1), points, points.transpose(1, 2), alpha=-2)
    if isinstance(rows, PackedGraphRows) and points.device.type == "cpu":
        return _selected(distances, rows, min(k, width))
    itself = torch.eye(width, dtype=torch.bool, device=points.device)
    distances = distances.masked_fill(itself | ~rows.mask.unsqueeze(1), torch.inf)
    values, neighbours = distances.topk(min(k, width), dim=2, largest=False, sorted=False)
    slots = neighbours + width * torch.arange(n_clouds, device=points.device).view(-1, 1, 1)
    return rows.edges(values.isfinite(), slots)


def _selected(distances: Tensor, rows: PackedGraphRows, k: int) -> PackedEdges:
    """Return what a compiled loop selects: a sort of few numbers at a time, without those that are padded."""
    neighbours = rows.slots.new_empty(len(rows.slots) * k)
    degree = rows.slots.new_empty(len(rows.slots))
    n_edges = edge_loops.nearest(
        distances.numpy(), rows.mask.numpy(), rows.row_of_slot.numpy(), k, neighbours.numpy(), degree.numpy()
    )
    return PackedEdges(neighbours[:n_edges], degree.unsqueeze(1))
