"""Self-attention among the particles of clouds of equal size, as one dense array."""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.networks.cloud_rows import CloudRows

__all__ = ["SelfAttention", "attend"]

# Up to here torch's fused attention for CPUs loses to explicit products (1.6 times at 30 particles). In bfloat16 it
# wins again, but for its backward pass: training in mixed precision takes the products.
_FEW_PARTICLES = 64


def attend(block: Tensor, heads: int, bias: Tensor | None = None, dropout: float = 0.0) -> Tensor:
    """Return softmax(q k^T / sqrt(D) + bias) v within each cloud, head by head.

    Args:
        block: (b, n, 3 * H) queries, keys and values of b clouds with n particles each.
        heads: number of heads, each of width D = H / heads.
        bias: what broadcasts to (b, heads, n, n), added to the scores.
        dropout: probability of leaving out an entry of the softmax, drawn from torch's own generator.

    Returns:
        (b n, H) rows.
    """
    parts = block.unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    if bias is None and _by_products(block):
        queries, keys, values = parts.flatten(1, 2).unbind()
        # With beta = 0 the first argument is not read: it is the way to scale a batched product as it is made.
        unread, scale = queries.new_empty(()), queries.shape[2] ** -0.5
        scores = torch.baddbmm(unread, queries, keys.transpose(1, 2), beta=0, alpha=scale)
        weights = scores.softmax(dim=2)
        if dropout:
            weights = functional.dropout(weights, dropout)
        attended = torch.bmm(weights, values).unflatten(0, (-1, heads))
    else:
        queries, keys, values = parts.unbind()
        attended = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias, dropout_p=dropout)
    return attended.transpose(1, 2).flatten(2).flatten(0, 1)


def _by_products(block: Tensor) -> bool:
    """Return whether softmax and products are faster one by one than torch's fused attention."""
    if block.device.type != "cpu" or block.shape[1] > _FEW_PARTICLES:
        return False
    return block.dtype == torch.float32 or (block.dtype == torch.bfloat16 and torch.is_autocast_enabled("cpu"))


@final
class SelfAttention(nn.Module):
    """Multi-head self-attention within each cloud, with the parameters of ``nn.MultiheadAttention``.

    Args:
        width: H, of a particle.
        heads: number of heads.
        dropout: probability of leaving out an attention weight.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, particles: Tensor, rows: CloudRows, biases: Sequence[Tensor | None]) -> Tensor:
        """Map (R, H) particles to (R, H).

        Args:
            particles: the rows.
            rows: how they make up clouds.
            biases: for each block of clouds, what is added to its scores, or None.
        """
        dropout = self.dropout if self.training else 0.0
        blocks = rows.split(self.queries_keys_values(particles))
        return self.out(
            torch.cat([attend(block, self.heads, bias, dropout) for block, bias in zip(blocks, biases, strict=True)])
        )

    def weights(self, particles: Tensor, rows: CloudRows, biases: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
        """Return the (b, heads, n, n) softmax of each block: how much each particle looks at each other one."""
        softmaxes = []
        for block, bias in zip(rows.split(self.queries_keys_values(particles)), biases, strict=True):
            queries, keys, _ = block.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind()
            scores = queries @ keys.transpose(2, 3) * queries.shape[3] ** -0.5
            softmaxes.append((scores if bias is None else scores + bias).softmax(dim=3))
        return tuple(softmaxes)
