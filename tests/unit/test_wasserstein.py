"""The Wasserstein distance against scipy, closed forms and brute force."""

import math

import numpy as np
import pytest
from scipy import stats

from cloudchamber.metrics.resampling import Sample, bootstrap_weights
from cloudchamber.metrics.wasserstein import wasserstein_distance


def distance(truth: np.ndarray, generated: np.ndarray) -> float:
    weights = [np.ones((2, len(values)), np.uint16) for values in (truth, generated)]
    return wasserstein_distance(Sample.of_jets(truth), Sample.of_jets(generated), *weights).value


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 7), (300, 300), (100, 1001)])
def test_scipy_finds_the_same_distance(rng, n, m):
    truth, generated = rng.normal(size=n), rng.exponential(size=m)
    assert distance(truth, generated) == pytest.approx(stats.wasserstein_distance(truth, generated), rel=1e-12)


def test_scipy_finds_the_same_distance_with_ties(rng):
    truth, generated = rng.poisson(3.0, 500).astype(float), rng.poisson(3.5, 800).astype(float)
    assert distance(truth, generated) == pytest.approx(stats.wasserstein_distance(truth, generated), rel=1e-12)


def test_a_shifted_copy_is_as_far_as_the_shift(rng):
    values = rng.normal(size=1000)
    assert distance(values, values + 0.37) == pytest.approx(0.37, rel=1e-12)
    assert distance(values, values - 0.37) == pytest.approx(0.37, rel=1e-12)
    assert distance(values, values) == 0.0


def test_gaussians_of_different_width_agree_with_the_closed_form(rng):
    n, narrow, wide = 50_000, 1.0, 1.3
    value = distance(rng.normal(0.0, narrow, n), rng.normal(0.0, wide, n))
    # W1 = E|X| (wide - narrow); to first order in the errors it is the difference of the two means of |x|.
    expected = (wide - narrow) * math.sqrt(2 / math.pi)
    deviation = math.sqrt((1 - 2 / math.pi) * (narrow**2 + wide**2) / n)
    assert value == pytest.approx(expected, abs=4 * deviation)


def test_uncertainty_of_shifted_gaussians_is_that_of_the_difference_of_means(rng):
    n, m, bootstraps = 4000, 2000, 400
    estimate = wasserstein_distance(
        Sample.of_jets(rng.normal(size=n)),
        Sample.of_jets(rng.normal(3.0, 1.0, m)),
        bootstrap_weights(n, bootstraps, rng),
        bootstrap_weights(m, bootstraps, rng),
    )
    expected = math.sqrt(1 / n + 1 / m)
    assert estimate.value == pytest.approx(3.0, abs=4 * expected)
    assert estimate.uncertainty == pytest.approx(expected, rel=4 / math.sqrt(2 * bootstraps))


def test_resampling_equals_repeating_the_particles_of_the_drawn_jets(rng):
    shapes, bootstraps = ((200, 4), (150, 6)), 5
    masks = [rng.random(shape) < 0.7 for shape in shapes]
    values = [rng.normal(size=shape) for shape in shapes]
    samples = [Sample.of_particles(*pair) for pair in zip(values, masks, strict=True)]
    weights = [bootstrap_weights(shape[0], bootstraps, rng) for shape in shapes]
    direct = [
        stats.wasserstein_distance(
            *(
                np.repeat(x, w, axis=0)[np.repeat(mask, w, axis=0)]
                for x, mask, w in zip(values, masks, drawn, strict=True)
            )
        )
        for drawn in zip(*weights, strict=True)
    ]
    estimate = wasserstein_distance(*samples, *weights)
    assert estimate.uncertainty == pytest.approx(np.std(direct, ddof=1), rel=1e-9)
    assert estimate.value == pytest.approx(
        stats.wasserstein_distance(values[0][masks[0]], values[1][masks[1]]), rel=1e-12
    )
