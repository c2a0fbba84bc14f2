"""Rows of particles, packed and padded: there and back, sums and means of clouds."""

import torch
from small_taggers import unequal_jets

from cloudchamber.networks.cloud_rows import PackedRows, PaddedRows


def test_rows_go_there_and_back() -> None:
    towers, jet, mask = unequal_jets()
    for rows in (PackedRows(mask), PaddedRows(mask)):
        packed = rows.pack(towers)
        assert torch.equal(rows.pad(packed), towers)
        torch.testing.assert_close(rows.sum(packed), towers.sum(dim=1))
        torch.testing.assert_close(rows.mean(packed), towers.sum(dim=1) / mask.sum(dim=1, keepdim=True))
        assert torch.equal(rows.pad(rows.spread(jet)), jet.unsqueeze(1) * mask.unsqueeze(2))
        blocks = [block[:, 0] for block in rows.split(rows.spread(jet))]
        assert torch.equal(rows.join_clouds(blocks), jet)
    assert len(PackedRows(mask).pack(towers)) == int(mask.sum())


def test_sums_of_half_precision_keep_their_digits() -> None:
    mask = torch.ones(1, 301, dtype=torch.bool)
    rows = torch.full((301, 1), 1.0, dtype=torch.bfloat16)
    # In bfloat16 the sum would be even beyond 256, or stand still there where each step is rounded.
    assert float(PackedRows(mask).sum(rows)) == 301
