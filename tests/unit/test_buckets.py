"""Buckets bring clouds of equal multiplicity together, and back."""

import pytest
import torch

from cloudchamber.networks.buckets import Buckets
from cloudchamber.networks.packing import Packing

COUNTS = [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5], [7], [2, 2, 2], [1, 1], [30, 1]]


@pytest.fixture(params=COUNTS, ids=str)
def counts(request: pytest.FixtureRequest) -> list[int]:
    return request.param


def _named_rows(counts: list[int]) -> torch.Tensor:
    """Rows that say which cloud they belong to and which particle in it they are."""
    return torch.tensor([(cloud, particle) for cloud, count in enumerate(counts) for particle in range(count)]).float()


def test_each_bucket_holds_the_whole_clouds_of_its_size_and_no_other(counts: list[int]) -> None:
    buckets = Buckets(torch.tensor(counts))
    pieces = buckets.split(buckets.sort(_named_rows(counts)))
    assert [(len(piece), piece.shape[1]) for piece in pieces] == list(buckets.shapes)
    assert [piece.shape[1] for piece in pieces] == sorted(set(counts))
    found = []
    for piece in pieces:
        for cloud in piece:
            number = int(cloud[0, 0])
            assert (cloud[:, 0] == number).all()
            assert cloud[:, 1].tolist() == list(range(counts[number]))
            found.append(number)
    assert sorted(found) == list(range(len(counts)))


def test_owners_name_the_cloud_of_each_sorted_row(counts: list[int]) -> None:
    buckets = Buckets(torch.tensor(counts))
    assert buckets.owners.tolist() == buckets.sort(_named_rows(counts))[:, 0].tolist()


def test_restore_undoes_sort(counts: list[int]) -> None:
    buckets = Buckets(torch.tensor(counts))
    rows = _named_rows(counts)
    assert torch.equal(buckets.restore(buckets.sort(rows)), rows)


def test_buckets_are_views() -> None:
    buckets = Buckets(torch.tensor(COUNTS[0]))
    rows = buckets.sort(_named_rows(COUNTS[0]))
    for piece in buckets.split(rows):
        piece.zero_()
    assert not rows.any()


def test_gradients_find_their_particle(counts: list[int]) -> None:
    buckets = Buckets(torch.tensor(counts))
    rows = _named_rows(counts).requires_grad_()
    weights = torch.arange(1.0, 1.0 + len(rows))[:, None]
    pieces = buckets.split(buckets.sort(rows))
    (buckets.restore(torch.cat([piece.flatten(0, 1) for piece in pieces])) * weights).sum().backward()
    assert torch.equal(rows.grad, weights.expand(-1, 2))


def test_a_packing_makes_its_buckets_once_and_for_training_too() -> None:
    packing = Packing(torch.tensor(COUNTS[0]))
    with torch.inference_mode():
        first = packing.buckets
    rows = torch.ones(len(COUNTS[0]), 1, requires_grad=True)
    rows.index_select(0, packing.buckets.owners).sum().backward()
    assert packing.buckets is first
    assert rows.grad[:, 0].tolist() == COUNTS[0]
