"""The separation power of CaloChallenge against closed forms."""

import numpy as np
import pytest

from cloudchamber.metrics.resampling import Sample, bootstrap_weights
from cloudchamber.metrics.separation import separation, separation_power


def test_limits_and_symmetry() -> None:
    first, second = np.array([1.0, 2.0, 0.0]), np.array([0.0, 0.0, 3.0])
    assert separation(first, first) == 0
    assert separation(first, second) == pytest.approx(1.0)
    third = np.array([2.0, 2.0, 2.0])
    assert separation(first, third) == pytest.approx(separation(third, first))
    # h1 = (1/3, 2/3, 0), h2 = (1/3, 1/3, 1/3): (0 + 1/9 + 1/3) / 2
    assert separation(first, third) == pytest.approx(0.5 * (1 / 9 + 1 / 3))
    assert separation(5 * first, third) == pytest.approx(separation(first, third))


def test_samples_of_one_distribution_have_the_bias_of_their_size(rng: np.random.Generator) -> None:
    """Of n entries each in K bins the mean is about (K - 1) / (2 n) for equal samples."""
    edges = np.linspace(0, 1, 11)
    values = []
    for _ in range(200):
        sides = [Sample.of_jets(rng.random(400)) for _ in range(2)]
        weights = [bootstrap_weights(400, 2, rng) for _ in range(2)]
        values.append(separation_power(*sides, edges, *weights).value)
    assert np.mean(values) == pytest.approx(9 / (2 * 400), rel=0.1)


def test_the_uncertainty_is_the_spread(rng: np.random.Generator) -> None:
    edges = np.linspace(-4, 4, 21)
    found = []
    for _ in range(60):
        sides = [Sample.of_jets(rng.normal(mean, size=500)) for mean in (0.0, 0.7)]
        found.append(separation_power(*sides, edges, *(bootstrap_weights(500, 60, rng) for _ in range(2))))
    assert np.std([item.value for item in found]) == pytest.approx(
        np.mean([item.uncertainty for item in found]), rel=0.3
    )


@pytest.mark.parametrize("moved", [0.0, 0.1, 0.5, 1.0])
def test_what_lies_beyond_the_edges_is_none_of_their_bins(moved: float, rng: np.random.Generator) -> None:
    """Truth on one value, of which a share of the generated ones is off: 0 only where none is."""
    truth = np.full(400, 3.0)
    for elsewhere in (-5.0, 60.0):
        generated = np.where(np.arange(400) < moved * 400, elsewhere, 3.0)
        sides = [Sample.of_jets(values) for values in (truth, generated)]
        weights = [bootstrap_weights(400, 5, rng) for _ in range(2)]
        found = separation_power(*sides, np.array([2.5, 3.5]), *weights)
        # h1 = (1, 0), h2 = (1 - moved, moved)
        assert found.value == pytest.approx(0.5 * (moved**2 / (2 - moved) + moved))
