"""SPAtter: a set transformer of jets with one branch for each particle and symmetric tensor attention at its end.

Jets are embedded one by one, look at each other in encoder layers, and once more in the branch of each particle. At its
end a tensor scores every choice of jets for the daughters of the particle
(:mod:`cloudchamber.studies.assignment.tensor_attention`).

No position enters, so that a permutation of the jets permutes the result. Events of equal size are computed together
without padding; ``padded`` is the same on dense arrays of fixed shape, for export.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.networks.attention import SelfAttention
from cloudchamber.networks.cloud_rows import CloudRows, PackedRows, PaddedRows
from cloudchamber.networks.particle_transformer import pair_features
from cloudchamber.studies.assignment.jet_inputs import JetInputs
from cloudchamber.studies.assignment.network_settings import AssignmentNetworkSettings
from cloudchamber.studies.assignment.tensor_attention import TensorAttention, log_probabilities
from cloudchamber.studies.assignment.topology import EventTopology, ParticleTopology

__all__ = ["AssignmentNetwork", "Scores"]

_PAIR_FEATURES, _PAIR_WIDTH = 4, 32


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
        return self.attention(rows.split(jets)), seen


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
                    log_probabilities(theta, padded, len(particle.symmetries))
                    for theta, padded in zip(thetas, forbidden, strict=True)
                )
            )
            detection.append(hidden.new_zeros(mask.shape[0]) if seen is None else seen)
        return Scores(tuple(blocks), torch.stack(detection, dim=1), rows)
