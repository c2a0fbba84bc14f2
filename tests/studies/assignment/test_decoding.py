"""The best assignment of all particles against brute force."""

from itertools import product

import numpy as np
import pytest

from cloudchamber.studies.assignment.decoding import best_choices


def random_scores(rng: np.random.Generator, events: int, n: int, order: int) -> np.ndarray:
    """Scores in which a jet that stands twice is forbidden."""
    values = rng.normal(size=(events,) + (n,) * order)
    for entry in np.ndindex(*(n,) * order):
        if len(set(entry)) < order:
            values[(slice(None), *entry)] = -1e9
    return values


@pytest.mark.parametrize(("n", "orders"), [(6, (3, 3)), (7, (3, 3)), (5, (2, 3)), (7, (2, 2, 2)), (4, (1, 1, 2))])
def test_it_is_the_best_of_all(n: int, orders: tuple[int, ...]) -> None:
    rng = np.random.default_rng(n)
    scores = [random_scores(rng, 4, n, order) for order in orders]
    jets, values = best_choices(scores)
    for event in range(4):
        allowed = [[e for e in np.ndindex(*s.shape[1:]) if s[(event, *e)] > -1e8] for s in scores]
        best = max(
            sum(float(s[(event, *entry)]) for s, entry in zip(scores, choice, strict=True))
            for choice in product(*allowed)
            if len({jet for entry in choice for jet in entry}) == sum(orders)
        )
        assert values[event].sum() == pytest.approx(best)
        assert len(set(jets[event])) == sum(orders)
        start = 0
        for score, order, value in zip(scores, orders, values[event], strict=True):
            assert score[(event, *jets[event, start : start + order])] == pytest.approx(value)
            start += order


def test_padded_jets_are_never_chosen() -> None:
    scores = [random_scores(np.random.default_rng(1), 3, 8, 3) for _ in range(2)]
    for score in scores:
        score[:, 6:] = score[:, :, 6:] = score[:, :, :, 6:] = -1e9
    assert best_choices(scores)[0].max() == 5


def test_too_few_jets_give_none() -> None:
    jets, values = best_choices([random_scores(np.random.default_rng(2), 2, 5, 3) for _ in range(2)])
    assert (jets == -1).all()
    assert np.isneginf(values).all()


def test_four_tops_are_found() -> None:
    rng = np.random.default_rng(3)
    truth = np.stack([rng.permutation(12) for _ in range(3)])
    scores = []
    for top in range(4):
        score = random_scores(rng, 3, 12, 3)
        for event in range(3):
            score[(event, *truth[event, 3 * top : 3 * top + 3])] = 20.0
        scores.append(score)
    assert np.array_equal(best_choices(scores)[0], truth)
