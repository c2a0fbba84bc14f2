"""Attention among points of near layers of a shower, as dense blocks of rows that are sorted by layer.

A point sees the points of its own layer and of some layers on each side. Rows are sorted by shower and layer, so that
what a run of rows sees lies in one run of rows too. Runs of equal length are queries; those that see about equally many
rows make one batch of dense products, in which a mask leaves out what is beyond the window of a single row. The work is
that of the window and not of the whole shower, without an attention that is compiled for masks.
"""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

__all__ = ["LayerWindows"]

_STEP = 16


@final
@dataclass(frozen=True)
class _Batch:
    """b runs of q queries with k keys each.

    Attributes:
        shape: b, q, k.
        bias: (b, 1, q, k) zero, or minus infinity where a query does not see a key.
    """

    shape: tuple[int, int, int]
    bias: Tensor


@final
class LayerWindows:
    """Which rows see each other, made once for all blocks and evaluations of a network on the same showers.

    Args:
        counts: (B, L) int64 points of each shower in each layer; rows are ordered by shower and layer.
        window: layers on each side of its own that a point sees.

    Attributes:
        layers: (M,) int64 layer of each row.

    Example:
        >>> windows = LayerWindows(torch.tensor([[2, 0, 1]]), window=1)
        >>> values = torch.tensor([[1.0], [3.0], [7.0]])
        >>> windows.attend(torch.cat([torch.zeros(3, 2), values], dim=1), heads=1).flatten()
        tensor([2., 2., 7.])
    """

    def __init__(self, counts: Tensor, window: int) -> None:
        showers, layers = counts.shape
        device = counts.device
        flat = counts.flatten()
        numbers = torch.arange(layers, device=device)
        self.layers = numbers.repeat(showers).repeat_interleave(flat)
        reach = min(window, layers)
        ends = torch.cat([flat.new_zeros(1), flat.cumsum(0)])
        cells = (torch.arange(showers, device=device) * layers)[:, None]
        first = ends[(cells + (numbers - reach).clamp(min=0)).flatten()]
        last = ends[(cells + (numbers + reach + 1).clamp(max=layers)).flatten()]
        first, last = first.repeat_interleave(flat), last.repeat_interleave(flat)
        totals = counts.sum(dim=1)
        length = _run_length(totals, window, layers)
        runs = (totals + length - 1) // length
        begin = (totals.cumsum(0) - totals).repeat_interleave(runs)
        place = torch.arange(len(begin), device=device) - (runs.cumsum(0) - runs).repeat_interleave(runs)
        start = begin + place * length
        stop = torch.minimum(start + length, (begin + totals.repeat_interleave(runs)))
        # Limits rise with the row, so that those of the ends of a run hold for all of it.
        seen_from, seen_to = first[start], last[stop - 1]
        sizes = ((seen_to - seen_from + _STEP - 1) // _STEP) * _STEP
        self._batches: list[_Batch] = []
        queries, keys_of = [], []
        places = torch.empty(len(self.layers), dtype=torch.int64, device=device)
        written = 0
        for size in sizes.unique().tolist():
            chosen = sizes == size
            rows = start[chosen, None] + torch.arange(length, device=device)
            there = rows < stop[chosen, None]
            rows = torch.where(there, rows, start[chosen, None])
            position = seen_from[chosen, None] + torch.arange(size, device=device)
            keys = torch.where(position < seen_to[chosen, None], position, seen_from[chosen, None])
            sees = (position[:, None, :] >= first[rows][:, :, None]) & (position[:, None, :] < last[rows][:, :, None])
            bias = torch.zeros(sees.shape, device=device).masked_fill_(~sees, -torch.inf)[:, None]
            self._batches.append(_Batch((len(rows), length, int(size)), bias))
            queries.append(rows.flatten())
            keys_of.append(keys.flatten())
            places[rows[there]] = written + torch.arange(there.numel(), device=device).view(there.shape)[there]
            written += there.numel()
        self._places = places
        none = places.new_zeros(0)
        self._queries, self._keys = torch.cat([none, *queries]), torch.cat([none, *keys_of])

    def attend(self, products: Tensor, heads: int) -> Tensor:
        """Return softmax(q k^T / sqrt(D)) v over the rows that each row sees, head by head.

        Args:
            products: (M, 3 H) queries, keys and values.
            heads: each of width D = H / heads.

        Returns:
            (M, H).
        """
        width = products.shape[1] // 3
        scale = (width // heads) ** -0.5
        # One gather for all batches: each would fill zeros for its own gradient.
        queries = (products[:, :width] * scale).index_select(0, self._queries)
        seen = products[:, width:].index_select(0, self._keys)
        of_batches = zip(
            self._batches,
            queries.split([b * q for b, q, _ in (batch.shape for batch in self._batches)]),
            seen.split([b * k for b, _, k in (batch.shape for batch in self._batches)]),
            strict=True,
        )
        pieces = []
        for batch, some, others in of_batches:
            b, q, k = batch.shape
            of_queries = some.view(b, q, heads, -1).transpose(1, 2)
            keys, values = others.view(b, k, 2, heads, -1).permute(2, 0, 3, 1, 4).unbind()
            scores = torch.matmul(of_queries, keys.transpose(2, 3)) + batch.bias.to(products.dtype)
            pieces.append(torch.matmul(scores.softmax(dim=3), values).transpose(1, 2).reshape(b * q, width))
        return torch.cat([products[:0, :width], *pieces]).index_select(0, self._places)


def _run_length(totals: Tensor, window: int, layers: int) -> int:
    """Return how many rows make a run: what was fastest on a CPU at 150, 300 and 1,000 points."""
    if window >= layers:
        return 64
    mean = float(totals.double().mean()) if len(totals) else 0.0
    return 32 if mean > 600 else 24
