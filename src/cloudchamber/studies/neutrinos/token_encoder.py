"""Pre-norm transformer over the tokens of events."""

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.networks.attention import SelfAttention
from cloudchamber.networks.cloud_rows import PackedRows
from cloudchamber.studies.neutrinos.network_settings import TokenEncoderSettings

__all__ = ["TokenEncoder"]


@final
class _Layer(nn.Module):
    """x + attention(norm x), then x + feed-forward(norm x) with GELU."""

    def __init__(self, settings: TokenEncoderSettings) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(settings.width)
        self.attention = SelfAttention(settings.width, settings.heads, settings.dropout)
        self.norm = nn.LayerNorm(settings.width)
        self.first = nn.Linear(settings.width, settings.feed_forward)
        self.second = nn.Linear(settings.feed_forward, settings.width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, tokens: Tensor, rows: PackedRows) -> Tensor:
        """Map (R, width) tokens to (R, width)."""
        tokens = tokens + self.dropout(self.attention(self.attention_norm(tokens), rows, rows.biases))
        return tokens + self.dropout(self.second(functional.gelu(self.first(self.norm(tokens)))))


@final
class TokenEncoder(nn.Module):
    """Layers and a last norm. There is no position: a permutation of tokens permutes the result.

    Args:
        settings: sizes.
        context: whether tokens of an event see each other; else each sees itself alone, with the same parameters.
    """

    def __init__(self, settings: TokenEncoderSettings, context: bool = True) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.width)
        self.context = context

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map (B, T, width) tokens with their mask (B, T) to (B, T, width), zero in padded slots."""
        # A token that is an event of its own has nothing but itself to look at.
        seen = mask if self.context else mask.reshape(-1, 1)
        rows = PackedRows(seen)
        hidden = rows.pack(tokens.reshape(*seen.shape, -1))
        for layer in self.layers:
            hidden = layer(hidden, rows)
        return rows.pad(self.norm(hidden)).reshape(tokens.shape)

    def attention_weights(self, tokens: Tensor) -> Tensor:
        """Return the (layers, heads, T, T) attention among the (T, width) tokens of one event."""
        mask = torch.ones(1, len(tokens), dtype=torch.bool, device=tokens.device)
        rows = PackedRows(mask)
        hidden, weights = rows.pack(tokens[None]), []
        for layer in self.layers:
            assert isinstance(layer, _Layer)
            (softmax,) = layer.attention.weights(layer.attention_norm(hidden), rows, rows.biases)
            weights.append(softmax[0])
            hidden = layer(hidden, rows)
        return torch.stack(weights)
