"""Particle Transformer: attention among particles that knows what each pair has in common (arXiv 2202.03772).

Layers, widths and parameters are those of the authors' PyTorch version (weaver-core). Four features of each pair,
ln(dR), ln(kT), ln(z) and ln(m2), are embedded into one number per head, which is added to the attention scores of every
block. Then a class token looks at the particles, without the features of pairs. Unlike there, no slot that is padded is
computed, or enters a batch statistic of the normalisations.
"""

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.networks.attention import SelfAttention
from cloudchamber.networks.cloud_rows import AttentiveClassifier, CloudRows
from cloudchamber.settings.taggers import ParticleTransformerTagger

__all__ = ["ParticleTransformer", "pair_features"]

# What the published features are cut off at: the pair of a particle with itself has dR = m2 = 0.
_SMALLEST = 1e-8
_PAIR_FEATURES = 4
_FEED_FORWARD_RATIO = 4


def pair_features(first: Tensor, second: Tensor) -> Tensor:
    """Return ln(dR), ln(kT), ln(z) and ln(m2) of pairs of massless particles (arXiv 2202.03772, equation 3).

    Args:
        first, second: (..., 3) transverse momentum [GeV], eta and phi.

    Returns:
        (..., 4); kT in GeV, m2 in GeV^2, each argument of a logarithm at least 1e-8.
    """
    (pt_1, eta_1, phi_1), (pt_2, eta_2, phi_2) = first.unbind(-1), second.unbind(-1)
    eta = eta_1 - eta_2
    phi = torch.remainder(phi_1 - phi_2 + torch.pi, 2 * torch.pi) - torch.pi
    smaller = torch.minimum(pt_1, pt_2)
    squared_distance = eta.square() + phi.square()
    # Squares, since the root has no finite gradient at zero; half angles, since 1 - cos(phi) would lose all digits.
    squared_kt = smaller.square() * squared_distance
    share = smaller / (pt_1 + pt_2).clamp(min=_SMALLEST)
    squared_mass = 4 * pt_1 * pt_2 * (torch.sinh(eta / 2).square() + torch.sin(phi / 2).square())
    logarithms = [
        squared_distance.clamp(min=_SMALLEST**2).log() / 2,
        squared_kt.clamp(min=_SMALLEST**2).log() / 2,
        share.clamp(min=_SMALLEST).log(),
        squared_mass.clamp(min=_SMALLEST).log(),
    ]
    return torch.stack(logarithms, dim=-1)


@final
class _PairEmbedding(nn.Module):
    """What the pairs of particles add to the attention scores.

    The features are symmetric, so that each pair is computed once and used twice.
    """

    def __init__(self, widths: tuple[int, ...], heads: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.BatchNorm1d(_PAIR_FEATURES)]
        inputs = _PAIR_FEATURES
        for width in (*widths, heads):
            layers += [nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.GELU()]
            inputs = width
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, momenta: Tensor, rows: CloudRows) -> list[Tensor]:
        """Return (b, heads, n, n) for each block of clouds, with the bias of its mask."""
        features, places, shapes = [], [], []
        for block in rows.split(momenta):
            clouds, n, _ = block.shape
            one, other = torch.tril_indices(n, n, device=block.device)
            features.append(pair_features(block[:, one], block[:, other]).flatten(0, 1))
            place = torch.empty(n, n, dtype=torch.int64, device=block.device)
            place[one, other] = place[other, one] = torch.arange(len(one), device=block.device)
            first = len(one) * torch.arange(clouds, device=block.device)
            places.append((first[:, None, None] + place).flatten())
            shapes.append((clouds, n, n))
        biases = []
        for values, place, shape, bias in zip(
            self.layers(torch.cat(features)).split([values.shape[0] for values in features]),
            places,
            shapes,
            rows.biases,
            strict=True,
        ):
            # Selecting whole rows is what has a fast gradient.
            scores = values.index_select(0, place).unflatten(0, shape).permute(0, 3, 1, 2)
            biases.append(scores if bias is None else scores + bias)
        return biases


@final
class _Update(nn.Module):
    """What follows attention in a block: scaled heads, residual connections, a feed-forward part."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        inner = _FEED_FORWARD_RATIO * width
        self.head_scale = nn.Parameter(torch.ones(heads, 1))
        self.attended_norm = nn.LayerNorm(width)
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, inner)
        self.inner_norm = nn.LayerNorm(inner)
        self.second = nn.Linear(inner, width)
        self.residual_scale = nn.Parameter(torch.ones(width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, residual: Tensor, attended: Tensor) -> Tensor:
        scaled = (attended.unflatten(1, (len(self.head_scale), -1)) * self.head_scale).flatten(1)
        hidden = residual + self.dropout(self.attended_norm(scaled))
        inner = self.dropout(functional.gelu(self.first(self.norm(hidden))))
        return self.residual_scale * hidden + self.dropout(self.second(self.inner_norm(inner)))


@final
class ParticleBlock(nn.Module):
    """Particles look at each other."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, dropout)
        self.update = _Update(width, heads, dropout)

    def forward(self, particles: Tensor, rows: CloudRows, biases: list[Tensor]) -> Tensor:
        """Map (R, width) particles to (R, width)."""
        return self.update(particles, self.attention(self.norm(particles), rows, biases))


@final
class ClassBlock(nn.Module):
    """The class token of each cloud looks at itself and the particles (arXiv 2103.17239)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.queries = nn.Linear(width, width)
        self.keys_values = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.update = _Update(width, heads, dropout=0.0)

    def forward(self, tokens: list[Tensor], particles: Tensor, rows: CloudRows) -> list[Tensor]:
        """Map the (b, width) tokens of each block of clouds, given the (R, width) particles."""
        of_particles = rows.split(self.keys_values(self.norm(particles)))
        updated = []
        for token, of_block, bias in zip(tokens, of_particles, rows.biases, strict=True):
            of_token = self.keys_values(self.norm(token)).unsqueeze(1)
            both = torch.cat([of_token, of_block], dim=1).unflatten(2, (2, self.heads, -1))
            keys, values = both.permute(2, 0, 3, 1, 4).unbind()
            queries = self.queries(token).unflatten(1, (self.heads, 1, -1))
            mask = None if bias is None else functional.pad(bias, (1, 0))
            attended = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
            updated.append(self.update(token, self.out(attended.flatten(1))))
        return updated


@final
class ParticleTransformer(AttentiveClassifier):
    """Particle Transformer: 2,141,779 parameters with 7 inputs, 7 classes and the default sizes.

    Args:
        settings: sizes.
        inputs: F, features of a particle.
        classes: K.
    """

    def __init__(self, settings: ParticleTransformerTagger, inputs: int, classes: int) -> None:
        super().__init__()
        width, heads = settings.embedding[-1], settings.heads
        layers: list[nn.Module] = [nn.BatchNorm1d(inputs)]
        for before, after in zip((inputs, *settings.embedding[:-1]), settings.embedding, strict=True):
            layers += [nn.LayerNorm(before), nn.Linear(before, after), nn.GELU()]
        self.embedding = nn.Sequential(*layers)
        self.pairs = _PairEmbedding(settings.pair_embedding, heads)
        self.blocks = nn.ModuleList(ParticleBlock(width, heads, settings.dropout) for _ in range(settings.layers))
        self.class_blocks = nn.ModuleList(ClassBlock(width, heads) for _ in range(settings.class_layers))
        self.token = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, width), std=0.02))
        self.norm = nn.LayerNorm(width)
        self.last = nn.Linear(width, classes)

    def forward(self, particles: Tensor, momenta: Tensor, rows: CloudRows) -> Tensor:
        hidden = self.embedding(particles)
        biases = self.pairs(momenta, rows)
        for block in self.blocks:
            hidden = block(hidden, rows, biases)
        tokens = [self.token.expand(block.shape[0], -1) for block in rows.split(hidden)]
        for block in self.class_blocks:
            tokens = block(tokens, hidden, rows)
        return self.last(self.norm(rows.join_clouds(tokens)))

    def attention_weights(self, particles: Tensor, momenta: Tensor, rows: CloudRows) -> list[tuple[Tensor, ...]]:
        hidden, weights = self.embedding(particles), []
        biases = self.pairs(momenta, rows)
        for block in self.blocks:
            assert isinstance(block, ParticleBlock)
            weights.append(block.attention.weights(block.norm(hidden), rows, biases))
            hidden = block(hidden, rows, biases)
        return weights
