"""Symmetric tensor attention: scores and probabilities of the choices of jets for the daughters of a particle.

A tensor scores every choice (arXiv 2010.09206, 2106.03898)::

    full      theta[i, j, k] = sum_abc W[a, b, c] x[i, a] x[j, b] x[k, c]
    low_rank  theta[i, j, k] = sum_r (U x[i])_r (V x[j])_r (T x[k])_r / sqrt(rank)

The score is the mean of theta over exchanges of equivalent daughters. Its softmax over all choices of different jets is
the probability of an assignment.
"""

from collections.abc import Sequence
from itertools import combinations
from math import log, sqrt
from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.studies.assignment.topology import ParticleTopology

__all__ = ["TensorAttention", "log_probabilities"]

# Three daughters of which the last two are equivalent: a top and its two light quarks.
_LAST_TWO_EXCHANGED = [(0, 1, 2), (0, 2, 1)]
# Slices of the symmetric axes: more leave less to multiply, in smaller products.
_SLICES = 4
# What stands for the logarithm of zero: its exponential is zero, and products with zero are zero.
_NEVER = -1e9


@final
class TensorAttention(nn.Module):
    """Scores of the choices of jets for the daughters of one particle.

    Args:
        particle: its daughters and what may be exchanged.
        width: H, of a jet.
        rank: of the low-rank form; None for the full tensor.
    """

    def __init__(self, particle: ParticleTopology, width: int, rank: int | None) -> None:
        super().__init__()
        self.order = len(particle.daughters)
        self.symmetries = particle.symmetries
        if rank is None:
            self.tensor = nn.Parameter(torch.randn((width,) * self.order) / sqrt(width) ** self.order)
            self.maps = None
        else:
            self.maps = nn.ModuleList(nn.Linear(width, rank) for _ in particle.daughters)
        self.rank = rank

    def forward(self, blocks: Sequence[Tensor]) -> list[Tensor]:
        """Map blocks of events, (b, n, H) jets, to (b, n, ..., n) scores, one axis for each daughter.

        Scores are symmetric in equivalent daughters.
        """
        if self.maps is None:
            if self.symmetries == _LAST_TWO_EXCHANGED:
                return _last_two_exchanged(blocks, self.tensor)
            # Symmetric weights give symmetric scores: one contraction in place of one for each exchange. The tensor is
            # large, so that its mean over exchanges is taken once for all blocks.
            weights = _mean_over(self.tensor, self.symmetries)
            return [self._full(jets, weights) for jets in blocks]
        axes = [(0, *(1 + place for place in symmetry)) for symmetry in self.symmetries]
        return [_mean_over(self._product(jets), axes) for jets in blocks]

    def _full(self, jets: Tensor, weights: Tensor) -> Tensor:
        n, width = jets.shape[1:]
        if self.order == 1:
            return jets @ weights
        # One daughter after the other: the axes are events, jets chosen so far, and the widths that are left.
        theta = jets @ weights.flatten(1)
        for _ in range(self.order - 2):
            theta = (jets.unsqueeze(1) @ theta.unflatten(2, (width, -1))).flatten(1, 2)
        return (theta @ jets.transpose(1, 2)).unflatten(1, (n,) * (self.order - 1))

    def _product(self, jets: Tensor) -> Tensor:
        assert self.maps is not None
        assert self.rank is not None
        maps = [layer(jets) for layer in self.maps]
        theta = maps[0] / sqrt(self.rank)
        if self.order == 1:
            return theta.sum(dim=2)
        for factor in maps[1:-1]:
            theta = (theta.unsqueeze(-2) * factor[:, None]).flatten(1, -2)
        return (theta @ maps[-1].transpose(1, 2)).unflatten(1, (jets.shape[1],) * (self.order - 1))


def _last_two_exchanged(blocks: Sequence[Tensor], tensor: Tensor) -> list[Tensor]:
    """Return the scores of a full tensor (H, H, H) that are symmetric in the last two daughters.

    Weights symmetric in b and c need only b <= c, by slices: (1 + 1 / slices) / 2 of the products, which are most of
    the time of the network. What is below is the transpose of what is above.
    """
    width = tensor.shape[0]
    step = -(-width // _SLICES)
    slices = []
    for first in range(0, width, step):
        rows = slice(first, first + step)
        weights = (tensor[:, rows, first:] + tensor[:, first:, rows].transpose(1, 2)) / 2
        # The slice on the diagonal is its own transpose, and would count twice.
        within = (torch.arange(weights.shape[2], device=tensor.device) < step).to(weights.dtype)
        slices.append((rows, weights * (1 - within / 2)))
    scores = []
    for jets in blocks:
        n = jets.shape[1]
        above = jets.new_zeros(())
        for rows, weights in slices:
            theta = (jets @ weights.flatten(1)).unflatten(2, weights.shape[1:])
            theta = (jets[:, None, :, rows] @ theta).flatten(1, 2)
            above = above + theta @ jets[:, :, rows.start :].transpose(1, 2)
        above = above.unflatten(1, (n, n))
        scores.append(above + above.transpose(2, 3))
    return scores


def _mean_over(values: Tensor, exchanges: Sequence[tuple[int, ...]]) -> Tensor:
    """Return the mean over exchanges of axes."""
    total = values.permute(exchanges[0])
    for exchange in exchanges[1:]:
        total = total + values.permute(exchange)
    return total / len(exchanges) if len(exchanges) > 1 else total


def log_probabilities(theta: Tensor, padded: Tensor | None, symmetries: int) -> Tensor:
    """Return ln p of each choice of jets (b, n, ..., n), in which ``symmetries`` entries stand for one assignment.

    Args:
        theta: scores.
        padded: (b, n) bool, true for slots without a jet; None where all are jets.
        symmetries: exchanges of daughters, with the identity.
    """
    theta = theta.float()
    order, n = theta.dim() - 1, theta.shape[1]
    forbidden = torch.zeros((1,) + (n,) * order, dtype=torch.bool, device=theta.device)
    same = torch.eye(n, dtype=torch.bool, device=theta.device)
    for one, other in combinations(range(order), 2):
        shape = [1] * (order + 1)
        shape[1 + one] = shape[1 + other] = n
        forbidden = forbidden | same.reshape(shape)
    if padded is not None:
        for place in range(order):
            # Not its length, which an export would take for a constant.
            shape = [padded.shape[0]] + [1] * order
            shape[1 + place] = n
            forbidden = forbidden | padded.reshape(shape)
    theta = theta.masked_fill(forbidden, _NEVER)
    total = theta.flatten(1).logsumexp(dim=1)
    log_p = theta - total.reshape([-1] + [1] * order) + log(symmetries)
    return log_p.masked_fill(forbidden, _NEVER)
