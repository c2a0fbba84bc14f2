"""Splits: every cloud in exactly one part, every event in exactly one part, fractions of events exact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.errors import InputError
from cloudchamber.preparation.splits import split_by_event
from cloudchamber.settings import SplitSettings

PARTS = ("train", "validation", "test")


@st.composite
def _events(draw: st.DrawFn) -> np.ndarray:
    """Return (N, 2) file and event numbers of at least 20 events with one to three clouds each, in any order."""
    n_events = draw(st.integers(20, 60))
    clouds = draw(st.lists(st.integers(1, 3), min_size=n_events, max_size=n_events))
    numbers = np.stack([np.arange(n_events) % 3, np.arange(n_events) // 3], axis=1)
    rows = np.repeat(numbers, clouds, axis=0)
    return rows[np.random.default_rng(draw(st.integers(0, 2**32))).permutation(len(rows))]


fractions = st.tuples(st.floats(0.1, 0.6), st.floats(0.1, 0.3))


@given(_events(), fractions, st.integers(0, 1000))
def test_each_cloud_and_each_event_is_in_exactly_one_part(
    events: np.ndarray, shares: tuple[float, float], seed: int
) -> None:
    settings = SplitSettings(train=shares[0], validation=shares[1])
    parts = split_by_event(events, settings, np.random.default_rng(seed))
    assert tuple(parts) == PARTS
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(len(events)))
    names = [{tuple(row) for row in events[rows].tolist()} for rows in parts.values()]
    assert sum(len(some) for some in names) == len(set.union(*names))
    n_events = len(np.unique(events, axis=0))
    assert len(names[0]) == round(shares[0] * n_events)
    assert len(names[1]) == round(shares[1] * n_events)


@given(_events(), st.integers(0, 1000))
def test_the_generator_decides(events: np.ndarray, seed: int) -> None:
    first, second = (split_by_event(events, SplitSettings(), np.random.default_rng(seed)) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in PARTS)
    other = split_by_event(events, SplitSettings(), np.random.default_rng(seed + 1))
    assert not all(np.array_equal(np.sort(first[name]), np.sort(other[name])) for name in PARTS)


def test_parts_are_in_random_order_and_fair() -> None:
    events = np.arange(3000)[:, None]
    parts = split_by_event(events, SplitSettings(train=0.5, validation=0.25), np.random.default_rng(3))
    for rows in parts.values():
        order = np.corrcoef(rows, np.arange(len(rows)))[0, 1]
        assert abs(order) < 5 / np.sqrt(len(rows))
        # The mean position of a part is that of all, within five standard errors of uniform numbers.
        assert abs(rows.mean() / 3000 - 0.5) < 5 / np.sqrt(12 * len(rows))


@pytest.mark.parametrize("n_events", [0, 1, 2, 4])
def test_an_empty_part_is_refused(n_events: int) -> None:
    events = np.arange(n_events)[:, None]
    with pytest.raises(InputError, match=r"the \w+ part of \d clouds from \d events is empty"):
        split_by_event(events, SplitSettings(train=0.5, validation=0.1), np.random.default_rng(1))
