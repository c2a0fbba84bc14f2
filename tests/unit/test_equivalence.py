"""Equivalence of models: hand-computed values, and how often the test errs."""

import numpy as np
import pytest

from cloudchamber.metrics.equivalence import equivalence


def test_values_by_hand() -> None:
    found = equivalence(np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]))
    # Differences 2, -1, -1: mean 0, standard deviation sqrt(3), error 1; the reference has a standard deviation of 1.
    assert found.difference == pytest.approx(0.0)
    assert found.error == pytest.approx(1.0)
    assert found.margin == pytest.approx(2 * np.sqrt(2))
    assert found.bound == pytest.approx(2.919986)  # the 95 % quantile of Student's t with two degrees of freedom
    assert not found.equal


def test_a_difference_beyond_the_spread_is_rarely_called_equal(rng: np.random.Generator) -> None:
    # On the margin itself: the true difference is twice the standard deviation of one between two trainings.
    reference = rng.normal(0.0, 1.0, (4000, 10))
    model = reference + 2 * np.sqrt(2) + rng.normal(0.0, 0.3, (4000, 10))
    far = [equivalence(*pair).equal for pair in zip(model + 1.5, reference, strict=True)]
    close = [equivalence(*pair).equal for pair in zip(model - 2.5, reference, strict=True)]
    assert np.mean(far) < 0.05
    assert np.mean(close) > 0.95


@pytest.mark.parametrize(("model", "reference"), [([1.0], [1.0]), ([1.0, 2.0], [1.0, 2.0, 3.0])])
def test_too_few_seeds_are_refused(model: list[float], reference: list[float]) -> None:
    with pytest.raises(ValueError, match="two seeds"):
        equivalence(np.array(model), np.array(reference))
