"""The assignment of noise to the particles of a cloud."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from cloudchamber.generative.coupling import assigned_noise
from cloudchamber.networks.packing import Packing


def _drawn(counts: list[int], seed: int, features: int = 3) -> tuple[torch.Tensor, torch.Tensor, Packing]:
    generator = torch.Generator().manual_seed(seed)
    clean, noise = (torch.randn(sum(counts), features, generator=generator) for _ in range(2))
    return clean, noise, Packing(torch.tensor(counts))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 10_000))
def test_the_cost_is_the_least_of_all_permutations(counts: list[int], seed: int) -> None:
    clean, noise, packing = _drawn(counts, seed)
    matched = assigned_noise(clean, noise, packing)
    for x, z, of_x in zip(clean.split(counts), noise.split(counts), matched.split(counts), strict=True):
        # The noise of a cloud is that of before in another order, and no other cloud's.
        assert torch.equal(of_x.sort(dim=0).values, z.sort(dim=0).values)
        costs = (x[:, None] - z).double().square().sum(dim=2).numpy()
        best = costs[linear_sum_assignment(costs)].sum()
        assert float((x - of_x).double().square().sum()) == pytest.approx(best, rel=1e-5)


def test_in_one_dimension_it_sorts() -> None:
    clean, noise, packing = _drawn([50], 3, features=1)
    matched = assigned_noise(clean, noise, packing)
    order = clean[:, 0].argsort()
    assert torch.equal(matched[order, 0], noise[:, 0].sort().values)


def test_equal_points_are_matched_too() -> None:
    clean, noise = torch.zeros(5, 3), torch.ones(5, 3)
    assert torch.equal(assigned_noise(clean, noise, Packing(torch.tensor([5]))), noise)


def test_the_noise_stays_normal_given_the_cloud() -> None:
    """Over many draws each particle's noise leans to it, but the noise of a whole cloud has the mean of any noise."""
    clean = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
    packing = Packing(torch.full((4000,), 8))
    noise = torch.randn(4000 * 8, 3, generator=torch.Generator().manual_seed(2))
    matched = assigned_noise(clean.repeat(4000, 1), noise, packing).reshape(4000, 8, 3)
    assert (matched * clean).sum(dim=(1, 2)).mean() > 3
    sums = matched.sum(dim=1)
    assert np.abs(sums.mean(dim=0).numpy()).max() < 4 * np.sqrt(8 / 4000)
    assert sums.var(dim=0).numpy() == pytest.approx(8, rel=0.1)
