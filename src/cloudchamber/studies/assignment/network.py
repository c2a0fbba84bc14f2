"""SPAtter: a set transformer of jets with one branch for each particle and symmetric tensor attention at its end.

Jets are embedded one by one, look at each other in encoder layers, and once more in the branch of each particle. At its
end a tensor scores every choice of jets for the daughters of the particle (arXiv 2010.09206, 2106.03898)::

    full      theta[i, j, k] = sum_abc W[a, b, c] x[i, a] x[j, b] x[k, c]
    low_rank  theta[i, j, k] = sum_r (U x[i])_r (V x[j])_r (T x[k])_r / sqrt(rank)

The score is the mean of theta over exchanges of equivalent daughters. Its softmax over all choices of different jets is
the probability of an assignment. No position enters, so that a permutation of the jets permutes the result. Events of
equal size are computed together without padding; ``padded`` is the same on dense arrays of fixed shape, for export.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log, sqrt
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.errors import InputError
from cloudchamber.networks.attention import SelfAttention
from cloudchamber.networks.cloud_rows import CloudRows, PackedRows, PaddedRows
from cloudchamber.networks.particle_transformer import pair_features
from cloudchamber.studies.assignment.settings import AssignmentNetworkSettings
from cloudchamber.studies.assignment.topology import EventTopology, ParticleTopology

__all__ = ["AssignmentNetwork", "JetInputs", "Scores", "TensorAttention"]

# What stands for the logarithm of zero: its exponential is zero, and products with zero are zero.
_NEVER = -1e9
_PAIR_FEATURES, _PAIR_WIDTH = 4, 32
_SMALLEST_DEVIATION = 1e-6


@final
@dataclass(frozen=True)
class Scores:
    """Log probabilities of the choices of jets of B events.

    Attributes:
        blocks: for each particle one array for each block of events, (b, n, n, n) for three daughters: the log
            probability of the jets of its daughters. An exchange of equivalent daughters is the same assignment and has
            the same entry; the probabilities of different assignments add up to one. -1e9 where a jet stands twice.
        detection: (B, P) logits, whether each particle has all its jets.
        rows: which event is in which block.
    """

    blocks: tuple[tuple[Tensor, ...], ...]
    detection: Tensor
    rows: CloudRows


@final
class JetInputs(nn.Module):
    """Features of jets, standardised by those of the training events.

    Args:
        kind: "published" or "turned" (:class:`AssignmentNetworkSettings`).
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.width = 5 if kind == "published" else 6
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("deviation", torch.ones(self.width))

    def features(self, jets: Tensor, mask: Tensor) -> Tensor:
        """Return (B, J, width) features of (B, J, 5) jets: pt, eta, phi, mass, b-tag."""
        pt, eta, phi, mass, tag = jets.unbind(2)
        ends = [torch.log1p(mass.clamp(min=0.0)), tag]
        if self.kind == "published":
            return torch.stack([torch.log1p(pt), eta, phi, *ends], dim=2)
        hardest = pt.masked_fill(~mask, -1.0).argmax(dim=1, keepdim=True)
        azimuth = phi - phi.gather(1, hardest)
        return torch.stack([torch.log1p(pt), eta, torch.sin(azimuth), torch.cos(azimuth), *ends], dim=2)

    @torch.no_grad()
    def fit(self, jets: Tensor, mask: Tensor) -> None:
        """Standardise by these events.

        Raises:
            InputError: there is none, or a feature is the same for all jets.
        """
        values = self.features(jets, mask)[mask]
        if len(values) < 2:
            raise InputError("no jets to standardise the inputs by")
        deviation = values.std(dim=0)
        if not bool((deviation > _SMALLEST_DEVIATION).all()):
            raise InputError("a feature of the jets is the same for all of them")
        self.mean.copy_(values.mean(dim=0))
        self.deviation.copy_(deviation)

    def forward(self, jets: Tensor, mask: Tensor) -> Tensor:
        """Return standardised (B, J, width) features."""
        return (self.features(jets, mask) - self.mean) / self.deviation


@final
class _Dense(nn.Module):
    """Linear layer, PReLU, normalisation."""

    def __init__(self, inputs: int, outputs: int, normalisation: str) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.activation = nn.PReLU(outputs)
        self.norm = nn.BatchNorm1d(outputs) if normalisation == "batch" else nn.LayerNorm(outputs)

    def forward(self, particles: Tensor) -> Tensor:
        return self.norm(self.activation(self.linear(particles)))


@final
class _Layer(nn.Module):
    """Post-norm transformer layer with GELU, as nn.TransformerEncoderLayer."""

    def __init__(self, settings: AssignmentNetworkSettings) -> None:
        super().__init__()
        width = settings.embedding[-1]
        self.attention = SelfAttention(width, settings.heads, settings.dropout)
        self.attention_norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, settings.feed_forward)
        self.second = nn.Linear(settings.feed_forward, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, particles: Tensor, rows: CloudRows, biases: Sequence[Tensor | None]) -> Tensor:
        hidden = self.attention_norm(particles + self.dropout(self.attention(particles, rows, biases)))
        update = self.second(self.dropout(functional.gelu(self.first(hidden))))
        return self.norm(hidden + self.dropout(update))


@final
class _PairScores(nn.Module):
    """What a pair of jets adds to the attention scores of every layer: a small network of its ln dR, kT, z and m2."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.first = nn.Linear(_PAIR_FEATURES, _PAIR_WIDTH)
        self.second = nn.Linear(_PAIR_WIDTH, _PAIR_WIDTH)
        self.last = nn.Linear(_PAIR_WIDTH, heads)

    def forward(self, momenta: Tensor, rows: CloudRows) -> list[Tensor]:
        biases = []
        for block, bias in zip(rows.split(momenta), rows.biases, strict=True):
            features = pair_features(block[:, :, None], block[:, None, :])
            # A jet has no pair with itself: what stands there is the same for all.
            same = torch.eye(block.shape[1], dtype=torch.bool, device=block.device)[None, :, :, None]
            features = torch.where(same, 0.0, features)
            hidden = functional.gelu(self.second(functional.gelu(self.first(features))))
            scores = self.last(hidden).permute(0, 3, 1, 2)
            biases.append(scores if bias is None else scores + bias)
        return biases


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

    def forward(self, jets: Tensor) -> Tensor:
        """Map (b, n, H) jets to (b, n, ..., n) scores, one axis for each daughter, symmetric in equivalent ones."""
        theta = self._full(jets) if self.maps is None else self._product(jets)
        if self.maps is None or len(self.symmetries) == 1:
            return theta
        axes = [(0, *(1 + place for place in symmetry)) for symmetry in self.symmetries]
        return torch.stack([theta.permute(order) for order in axes]).mean(dim=0)

    def _full(self, jets: Tensor) -> Tensor:
        # Symmetric weights give symmetric scores: one contraction in place of one for each exchange.
        weights = torch.stack([self.tensor.permute(symmetry) for symmetry in self.symmetries]).mean(dim=0)
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


@final
class _Branch(nn.Module):
    """Dense blocks, encoder layers and the tensor of one particle."""

    def __init__(self, settings: AssignmentNetworkSettings, particle: ParticleTopology) -> None:
        super().__init__()
        width = settings.embedding[-1]
        dense = [_Dense(width, width, settings.normalisation) for _ in range(settings.branch_dense)]
        self.dense = nn.Sequential(*dense)
        self.layers = nn.ModuleList(_Layer(settings) for _ in range(settings.branch_layers))
        self.attention = TensorAttention(particle, width, settings.rank if settings.tensor == "low_rank" else None)
        self.detection = nn.Linear(width, 1) if settings.detection else None

    def forward(
        self, jets: Tensor, rows: CloudRows, biases: Sequence[Tensor | None]
    ) -> tuple[list[Tensor], Tensor | None]:
        """Return theta of each block of events, and the (B,) logit of detection where there is one."""
        jets = self.dense(jets)
        for layer in self.layers:
            jets = layer(jets, rows, biases)
        seen = None if self.detection is None else self.detection(rows.mean(jets)).squeeze(1)
        return [self.attention(block) for block in rows.split(jets)], seen


@final
class AssignmentNetwork(nn.Module):
    """The whole network.

    Args:
        settings: sizes.
        topology: particles of an event, a branch for each.
    """

    def __init__(self, settings: AssignmentNetworkSettings, topology: EventTopology) -> None:
        super().__init__()
        self.topology = topology
        self.inputs = JetInputs(settings.inputs)
        widths = (self.inputs.width, *settings.embedding)
        blocks = [_Dense(*pair, settings.normalisation) for pair in zip(widths, settings.embedding, strict=False)]
        self.embedding = nn.Sequential(*blocks)
        self.pairs = _PairScores(settings.heads) if settings.pairs else None
        self.encoder = nn.ModuleList(_Layer(settings) for _ in range(settings.encoder_layers))
        self.branches = nn.ModuleList(_Branch(settings, particle) for particle in topology.particles.values())

    def fit(self, jets: Tensor, mask: Tensor) -> None:
        """Standardise the inputs by training events: jets (N, J, 5) and their mask (N, J)."""
        self.inputs.fit(jets, mask)

    def forward(self, jets: Tensor, mask: Tensor) -> Scores:
        """Return the log probabilities of (B, J, 5) jets with their mask (B, J); padded slots are not computed."""
        return self._scores(jets, mask, PackedRows(mask))

    def padded(self, jets: Tensor, mask: Tensor) -> Scores:
        """Return what ``forward`` does, in one block of J slots; choices with a padded slot have -1e9."""
        return self._scores(jets, mask, PaddedRows(mask))

    def attention_weights(self, jets: Tensor, mask: Tensor) -> list[tuple[Tensor, ...]]:
        """Return the (b, heads, n, n) attention of each encoder layer and block of events of ``forward``."""
        rows = PackedRows(mask)
        hidden, biases = self._embedded(jets, mask, rows)
        weights = []
        for layer in self.encoder:
            assert isinstance(layer, _Layer)
            weights.append(layer.attention.weights(hidden, rows, biases))
            hidden = layer(hidden, rows, biases)
        return weights

    def _embedded(self, jets: Tensor, mask: Tensor, rows: CloudRows) -> tuple[Tensor, Sequence[Tensor | None]]:
        hidden = self.embedding(rows.pack(self.inputs(jets, mask)))
        if self.pairs is None:
            # Fused attention takes a bias of another precision for something else.
            return hidden, [None if bias is None else bias.to(hidden.dtype) for bias in rows.biases]
        return hidden, self.pairs(rows.pack(jets)[:, :3], rows)

    def _scores(self, jets: Tensor, mask: Tensor, rows: CloudRows) -> Scores:
        hidden, biases = self._embedded(jets, mask, rows)
        for layer in self.encoder:
            hidden = layer(hidden, rows, biases)
        blocks, detection = [], []
        for branch, particle in zip(self.branches, self.topology.particles.values(), strict=True):
            thetas, seen = branch(hidden, rows, biases)
            forbidden = [None if bias is None else bias[:, 0, 0] < 0 for bias in rows.biases]
            blocks.append(
                tuple(
                    _log_probabilities(theta, padded, len(particle.symmetries))
                    for theta, padded in zip(thetas, forbidden, strict=True)
                )
            )
            detection.append(hidden.new_zeros(mask.shape[0]) if seen is None else seen)
        return Scores(tuple(blocks), torch.stack(detection, dim=1), rows)


def _log_probabilities(theta: Tensor, padded: Tensor | None, symmetries: int) -> Tensor:
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
