"""Histograms behind the figures: bins, fractions, their uncertainties, and the test of agreement."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from cloudchamber.figures.histograms import bin_edges, chi_squared, histogram, integer_edges
from cloudchamber.metrics.resampling import Sample, bootstrap_weights


def test_fractions_count_everything(rng: np.random.Generator) -> None:
    values = rng.normal(size=1000)
    edges = np.linspace(-1, 1, 9)
    counts = histogram(Sample.of_jets(values), edges).counts
    np.testing.assert_array_equal(counts[1:-1], np.histogram(values, edges)[0][1:-1])
    assert counts[0] == (values < edges[1]).sum()
    assert counts[-1] == (values >= edges[-2]).sum()


def test_a_sample_without_entries_is_drawn_as_nothing() -> None:
    found = histogram(Sample.of_particles(np.zeros((3, 2)), np.zeros((3, 2), bool)), np.array([0.0, 1.0, 2.0]))
    np.testing.assert_array_equal([found.fractions, found.errors], 0.0)


def test_errors_of_jets_are_binomial(rng: np.random.Generator) -> None:
    found = histogram(Sample.of_jets(rng.normal(size=500)), np.linspace(-2, 2, 6))
    assert found.fractions.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.errors, np.sqrt(found.fractions * (1 - found.fractions) / 500))


def test_errors_of_particles_know_that_jets_are_the_independent_units(rng: np.random.Generator) -> None:
    # Particles of a jet lie close together, so that errors of independent particles would be far too small.
    mask = np.arange(12) < rng.integers(4, 13, 400)[:, None]
    values = rng.normal(size=(400, 1)) + 0.1 * rng.normal(size=(400, 12))
    sample = Sample.of_particles(values, mask)
    edges = np.linspace(-2, 2, 6)
    found = histogram(sample, edges)
    cells = np.clip(np.digitize(values, edges) - 1, 0, 4)
    counts = np.stack([((cells == k) & mask).sum(axis=1) for k in range(5)], axis=1)
    resampled = bootstrap_weights(400, 2000, rng).astype(float) @ counts
    spread = (resampled / resampled.sum(axis=1, keepdims=True)).std(axis=0)
    # 2000 resamplings know a standard deviation to 1.6 %; the linearised error is right to order 1 / jets.
    np.testing.assert_allclose(found.errors, spread, rtol=0.08)
    naive = np.sqrt(found.fractions * (1 - found.fractions) / mask.sum())
    assert (found.errors > 2 * naive).all()


def test_bins_hold_the_reference_and_bound_the_others(rng: np.random.Generator) -> None:
    reference, wide = Sample.of_jets(rng.normal(size=4000)), Sample.of_jets(100 * rng.normal(size=4000))
    low, high = np.quantile(reference.values, [0.001, 0.999])
    edges = bin_edges(reference, [])
    assert (edges[0], edges[-1]) == pytest.approx((low, high))
    widened = bin_edges(reference, [wide])
    assert widened[-1] - widened[0] == pytest.approx(2 * (high - low))
    positive = Sample.of_jets(np.concatenate([[0.0], rng.lognormal(size=999)]))
    ratios = np.diff(np.log(bin_edges(positive, [], logarithmic=True)))
    np.testing.assert_allclose(ratios, ratios[0])
    whole = Sample.of_jets(np.array([3.0, 7.0, 5.0]))
    np.testing.assert_array_equal(integer_edges(whole, []), np.arange(2.5, 8.0))
    none_positive = Sample.of_jets(np.zeros(5))
    np.testing.assert_array_equal(bin_edges(positive, [none_positive], True), bin_edges(positive, [], True))
    constant = Sample.of_jets(np.full(10, 2.0))
    assert (np.diff(bin_edges(constant, [constant])) > 0).all()
    assert (np.diff(bin_edges(none_positive, [positive], True)) > 0).all()


def test_chi_squared_is_that_of_a_contingency_table(rng: np.random.Generator) -> None:
    first, second = rng.multinomial(3000, np.full(20, 0.05)), rng.multinomial(900, np.full(20, 0.05))
    oracle = chi2_contingency(np.stack([first, second]), correction=False)
    assert chi_squared(first, second) == (pytest.approx(oracle.statistic), oracle.dof)


def test_chi_squared_merges_empty_bins() -> None:
    value, freedom = chi_squared(np.array([50.0, 3, 0, 60, 1]), np.array([50.0, 3, 0, 60, 1]))
    assert (value, freedom) == (pytest.approx(0.0), 1)
