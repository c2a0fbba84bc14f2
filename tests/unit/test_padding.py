"""Sorting, truncation and padding against numpy's stable sort."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cloudchamber.preparation.padding import pad

PT = st.floats(-1e9, 1e9, width=32)


@st.composite
def clouds(draw, unique=False):
    counts = draw(st.lists(st.integers(0, 150), max_size=5))
    pt = draw(hnp.arrays(np.float32, sum(counts), elements=PT, unique=unique))
    columns = np.stack([pt, np.arange(len(pt), dtype=np.float32)])
    return columns, np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))


def sorted_clouds(columns, offsets):
    """The clouds as a list, sorted by numpy."""
    parts = [columns[:, low:high] for low, high in pairwise(offsets)]
    return [part[:, np.argsort(-part[0], kind="stable")] for part in parts]


@given(clouds(), st.integers(1, 160))
@settings(max_examples=150, deadline=None)
def test_unpadding_gives_the_sorted_truncated_input(cloud, width):
    columns, offsets = cloud
    padded = pad(columns, offsets, width)
    assert padded.points.shape == (len(offsets) - 1, width, 2)
    assert padded.points.dtype == np.float32
    for i, expected in enumerate(sorted_clouds(columns, offsets)):
        kept = min(expected.shape[1], width)
        np.testing.assert_array_equal(padded.mask[i], np.arange(width) < kept)
        np.testing.assert_array_equal(padded.points[i, :kept].T, expected[:, :width])
        assert not padded.points[i, kept:].any()
        sums = expected[0].sum(dtype=np.float64), expected[0, :width].sum(dtype=np.float64)
        np.testing.assert_allclose(padded.pt_sums[i], sums, rtol=1e-9, atol=1e-3)


@given(clouds(unique=True), st.integers(1, 160), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_order_of_the_input_does_not_matter(cloud, width, seed):
    columns, offsets = cloud
    order = np.arange(columns.shape[1])
    generator = np.random.default_rng(seed)
    for low, high in pairwise(offsets):
        generator.shuffle(order[low:high])
    first, second = pad(columns, offsets, width), pad(columns[:, order], offsets, width)
    np.testing.assert_array_equal(first.points, second.points)
    np.testing.assert_array_equal(first.mask, second.mask)


@pytest.mark.parametrize("n", [5, 47, 48, 300])
def test_equal_pt_keeps_its_order(n, rng):
    """Both sorts, below and above the length at which they change, are stable; both zeros are equal."""
    pt = rng.choice(np.array([-1.0, -0.0, 0.0, 2.5], np.float32), n)
    columns = np.stack([pt, np.arange(n, dtype=np.float32)])
    (expected,) = sorted_clouds(columns, np.array([0, n]))
    np.testing.assert_array_equal(pad(columns, np.array([0, n]), n).points[0, :, 1], expected[1])


def test_columns_of_other_types_become_float32():
    padded = pad(np.array([[1, 3, 2]], dtype=">i4"), np.array([0, 3]), 4)
    np.testing.assert_array_equal(padded.points[0, :, 0], np.float32([3, 2, 1, 0]))


def test_no_clouds_at_all():
    padded = pad(np.empty((3, 0), np.float32), np.array([0]), 7)
    assert padded.points.shape == (0, 7, 3)
    assert padded.mask.shape == (0, 7)
