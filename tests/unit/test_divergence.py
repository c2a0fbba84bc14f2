"""KL divergence against closed forms, brute force and the statistics of finite samples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm, poisson

from cloudchamber.metrics.divergence import divergence_of_counts, expected_floor, kl_divergence
from cloudchamber.metrics.probable_bins import bin_counts, bin_edges
from cloudchamber.metrics.resampling import Sample, bootstrap_weights

GAUSSIANS = [((0.0, 1.0), (0.0, 1.0)), ((0.3, 1.0), (0.0, 1.0)), ((0.0, 0.8), (0.0, 1.0)), ((-0.2, 0.9), (0.1, 1.1))]


def gaussian_divergence(generated: tuple[float, float], truth: tuple[float, float]) -> float:
    (mean_q, sigma_q), (mean_p, sigma_p) = generated, truth
    return math.log(sigma_p / sigma_q) + (sigma_q**2 + (mean_q - mean_p) ** 2) / (2 * sigma_p**2) - 0.5


def bin_probabilities(gaussian: tuple[float, float], edges: np.ndarray) -> np.ndarray:
    return np.diff(norm.cdf(np.concatenate([[-np.inf], edges, [np.inf]]), *gaussian))


def divergence(truth: np.ndarray, generated: np.ndarray, bins: int) -> float:
    samples = Sample.of_jets(truth), Sample.of_jets(generated)
    weights = (np.ones((2, sample.n_jets), np.uint16) for sample in samples)
    return kl_divergence(*samples, bins, *weights).value


@pytest.mark.parametrize(("generated", "truth"), GAUSSIANS)
def test_fine_bins_approach_the_closed_form_of_gaussians_from_below(generated, truth):
    edges = norm.ppf(np.arange(1, 1000) / 1000, *truth)
    entries = 1e12
    binned = divergence_of_counts(
        entries * bin_probabilities(generated, edges), entries * bin_probabilities(truth, edges)
    )
    exact = gaussian_divergence(generated, truth)
    assert 0.99 * exact - 1e-12 <= binned <= exact + 1e-12


@pytest.mark.parametrize(("generated", "truth"), GAUSSIANS)
def test_samples_agree_with_the_binned_closed_form_above_the_floor(rng, generated, truth):
    n, m, bins = 40_000, 30_000, 100
    p = np.full(bins, 1 / bins)
    q = bin_probabilities(generated, norm.ppf(np.arange(1, bins) / bins, *truth))
    exact = np.sum(q * np.log(q / p))
    first_order = (q @ np.log(q / p) ** 2 - exact**2) / m + (p @ (q / p) ** 2 - 1) / n
    second_order = (bins - 1) / 2 * (1 / n + 1 / m) ** 2
    value = divergence(rng.normal(*truth, n), rng.normal(*generated, m), bins)
    assert value - expected_floor(bins, n, m) == pytest.approx(exact, abs=4 * math.sqrt(first_order + second_order))


def test_identical_samples_have_no_divergence(rng):
    values = rng.normal(size=1000)
    assert divergence(values, values.copy(), 50) == 0.0


def test_direction_is_generated_from_truth():
    truth, generated = np.array([50, 50]), np.array([90, 10])
    expected = 0.9 * math.log(0.9 / 0.5) + 0.1 * math.log(0.1 / 0.5)
    assert divergence_of_counts(generated, truth) == pytest.approx(expected, rel=1e-12)
    assert divergence_of_counts(truth, generated) != pytest.approx(expected, rel=0.1)


def test_bins_without_generated_entries_add_nothing():
    assert divergence_of_counts(np.array([0, 10]), np.array([5, 5])) == pytest.approx(math.log(2))


def test_a_bin_without_true_entries_counts_as_half_an_entry_and_the_others_as_they_are():
    generated, truth = np.array([1, 1, 2]), np.array([0, 3, 1])
    # p = 1/9, 6/9, 2/9 and q = 1/4, 1/4, 2/4, so that q / p = 9/4, 3/8, 9/4.
    expected = 3 / 4 * math.log(9 / 4) + 1 / 4 * math.log(3 / 8)
    assert divergence_of_counts(generated, truth) == pytest.approx(expected, rel=1e-12)


def test_where_many_are_generated_an_empty_bin_of_truth_counts_as_one_of_them():
    # With half an entry, p = 1 / 201 would be the share of the one generated entry in 201, and the divergence zero.
    generated, truth = np.array([200, 1]), np.array([100, 0])
    p = np.array([100, 100 / 201]) / (100 + 100 / 201)
    expected = 200 / 201 * math.log(200 / 201 / p[0]) + 1 / 201 * math.log(1 / 201 / p[1])
    assert divergence_of_counts(generated, truth) == pytest.approx(expected, rel=1e-9)
    assert expected > 0


def test_mean_between_equal_distributions_is_the_expected_floor(rng):
    n, m, bins, repeats = 3000, 2000, 20, 400
    values = [divergence(rng.normal(size=n), rng.normal(size=m), bins) for _ in range(repeats)]
    error = np.std(values, ddof=1) / math.sqrt(repeats)
    assert np.mean(values) == pytest.approx(expected_floor(bins, n, m), abs=4 * error)


def test_bins_are_equally_populated_for_a_continuous_feature(rng):
    values = rng.exponential(size=10_000)
    assert set(bin_counts(values, bin_edges(values, 100))) == {100}


def test_values_outside_the_range_of_truth_fall_into_the_outer_bins(rng):
    edges = bin_edges(rng.uniform(size=1000), 10)
    counts = bin_counts(np.array([-1e9, -1.0, 2.0, 1e9, 3.0]), edges)
    assert counts[0] == 2
    assert counts[-1] == 3
    assert counts.sum() == 5


# Any feature with equal values: from one value to far more values than bins.
_features = st.integers(0, 60).flatmap(
    lambda largest: arrays(np.float64, st.integers(1, 200), elements=st.integers(0, largest).map(float))
)
_bins = st.integers(1, 50)


@given(_features, _bins)
def test_equal_values_share_a_bin_and_those_that_fill_one_have_it_alone(truth, bins):
    edges = bin_edges(truth, bins)
    counts = bin_counts(truth, edges)
    assert (np.diff(edges) > 0).all()
    assert counts.sum() == len(truth)
    assert len(counts) <= 3 * bins
    values, times = np.unique(truth, return_counts=True)
    for value in values[times >= max(2, len(truth) / bins)]:
        beside = bin_counts(np.array([np.nextafter(value, -np.inf), value, np.nextafter(value, np.inf)]), edges)
        assert sorted(beside, reverse=True)[:3] == [1, 1, 1]
    assert np.count_nonzero(counts) <= min(2 * bins, len(values))


@given(_features, _bins)
def test_a_sample_has_no_divergence_from_itself_and_any_other_shares_have_some(truth, bins):
    edges = bin_edges(truth, bins)
    assert divergence(truth, np.repeat(truth, 3), bins) == pytest.approx(0.0, abs=1e-12)
    for moved in (truth.min() - 1, truth.max() + 1, np.nextafter(np.median(truth), np.inf)):
        generated = np.concatenate([np.repeat(truth, 3), [moved]])
        shares = [bin_counts(values, edges) / len(values) for values in (truth, generated)]
        assert (divergence(truth, generated, bins) > 0) == (np.abs(shares[0] - shares[1]).max() > 1e-12)


@given(_features, _bins, st.floats(-100.0, 100.0))
def test_the_divergence_grows_with_the_share_that_leaves_its_bin(truth, bins, there):
    edges = bin_edges(truth, bins)
    _, of_value = np.unique(np.searchsorted(edges, truth), return_inverse=True)
    home = np.flatnonzero(of_value == of_value[0])
    if np.searchsorted(edges, there) == np.searchsorted(edges, truth[0]):
        return
    values = [0.0]
    for number in range(1, len(home) + 1, 1 + len(home) // 8):
        generated = truth.copy()
        generated[home[:number]] = there
        values.append(divergence(truth, generated, bins))
    assert (np.diff(values) > 0).all()


@given(_features, st.integers(1, 300), st.sampled_from([0.5, -1000.0, 1000.0]))
def test_a_discrete_feature_that_takes_none_of_its_true_values_has_a_divergence(truth, n_generated, shift):
    bins = len(np.unique(truth))
    generated = np.resize(truth, n_generated) + shift
    assert divergence(truth, generated, max(bins, 2)) > 0 or bins == len(truth) > 1


@given(arrays(np.float64, st.integers(2, 100), elements=st.floats(-1e6, 1e6), unique=True), _bins)
def test_a_feature_without_equal_values_has_the_quantiles_as_edges(truth, bins):
    ranks = (np.arange(1, bins) * len(truth) + bins - 1) // bins - 1
    edges = np.unique(np.sort(truth)[ranks])
    np.testing.assert_array_equal(bin_edges(truth, bins), edges[edges < truth.max()])


def test_truth_at_its_largest_value_and_jets_that_are_all_elsewhere():
    truth = np.where(np.arange(4000) < 20, 10.0, 30.0)
    weights = [np.ones((2, 4000), np.uint16)] * 2
    # All jets below the peak, where 0.5 % of truth are; or above it, where half an entry is.
    for elsewhere, share in ((10.0, 20 / 4000), (20.0, 20 / 4000), (31.0, 0.5 / 4000.5)):
        value, _ = kl_divergence(Sample.of_jets(truth), Sample.of_jets(np.full(4000, elsewhere)), 100, *weights)
        assert value == pytest.approx(-math.log(share), rel=1e-12)


def test_a_constant_is_told_from_what_lies_on_either_side():
    truth, weights = Sample.of_jets(np.full(1000, 30.0)), [np.ones((2, 1000), np.uint16)] * 2
    assert kl_divergence(truth, truth, 100, *weights) == (0.0, 0.0)
    for there in (np.nextafter(30.0, 0.0), np.nextafter(30.0, 99.0)):
        value, _ = kl_divergence(truth, Sample.of_jets(np.full(1000, there)), 100, *weights)
        assert value == pytest.approx(math.log(1000.5 / 0.5), rel=1e-12)


def test_an_atom_in_a_continuous_feature_has_a_bin_of_its_own(rng):
    # A tenth of the jets has exactly zero, as ratios of substructure have for jets of few particles.
    truth = np.where(rng.random(20_000) < 0.1, 0.0, rng.exponential(size=20_000))
    counts = bin_counts(truth, bin_edges(truth, 50))
    assert counts[:2].tolist() == [0, np.count_nonzero(truth == 0)]
    without = np.where(truth == 0, 1e-6, truth)
    assert divergence(truth, without, 50) > 100 * expected_floor(len(counts), 20_000, 20_000)


def test_a_discrete_feature_agrees_with_its_probabilities(rng):
    n, m = 50_000, 50_000
    truth, generated = rng.poisson(20.0, n).astype(float), rng.poisson(20.5, m).astype(float)
    edges = bin_edges(truth, 100)
    limits = np.concatenate([[-1], edges, [1000]])
    p, q = (np.diff(poisson.cdf(limits, mean)) for mean in (20.0, 20.5))
    p, q = p[p > 0], q[p > 0]
    exact = np.sum(q * np.log(q / p))
    deviation = math.sqrt((q @ np.log(q / p) ** 2 - exact**2) / m + (p @ (q / p) ** 2 - 1) / n)
    measured = divergence(truth, generated, 100)
    assert measured - expected_floor(len(p), n, m) == pytest.approx(exact, abs=4 * deviation)


def test_uncertainty_is_that_of_first_order_where_samples_differ(rng):
    n, m, bins = 20_000, 10_000, 50
    truth, generated = rng.normal(size=n), rng.normal(0.5, 1.0, m)
    q = bin_probabilities((0.5, 1.0), norm.ppf(np.arange(1, bins) / bins))
    p = np.full(bins, 1 / bins)
    exact = np.sum(q * np.log(q / p))
    expected = math.sqrt((q @ np.log(q / p) ** 2 - exact**2) / m + (p @ (q / p) ** 2 - 1) / n)
    estimate = kl_divergence(
        Sample.of_jets(truth),
        Sample.of_jets(generated),
        bins,
        bootstrap_weights(n, 400, rng),
        bootstrap_weights(m, 400, rng),
    )
    assert estimate.uncertainty == pytest.approx(expected, rel=4 / math.sqrt(2 * 400))


def test_uncertainty_between_equal_distributions_is_sqrt_3_too_large(rng):
    n, bins, bootstraps, repeats = 2000, 20, 100, 40
    variances = []
    for _ in range(repeats):
        estimate = kl_divergence(
            Sample.of_jets(rng.normal(size=n)),
            Sample.of_jets(rng.normal(size=n)),
            bins,
            bootstrap_weights(n, bootstraps, rng),
            bootstrap_weights(n, bootstraps, rng),
        )
        variances.append(estimate.uncertainty**2)
    spread = (bins - 1) / 2 * (2 / n) ** 2
    error = np.std(variances, ddof=1) / math.sqrt(repeats)
    assert np.mean(variances) == pytest.approx(3 * spread, abs=4 * error)


def test_resampling_equals_repeating_the_particles_of_the_drawn_jets(rng):
    n_jets, width, bootstraps, bins = 9000, 3, 4, 30
    masks = rng.random((2, n_jets, width)) < 0.6
    values = rng.normal(size=(2, n_jets, width))
    truth, generated = (Sample.of_particles(*pair) for pair in zip(values, masks, strict=True))
    weights = [bootstrap_weights(n_jets, bootstraps, rng) for _ in range(2)]
    edges = bin_edges(truth.values, bins)
    direct = []
    for drawn in zip(*weights, strict=True):
        counts = [
            bin_counts(np.repeat(x, w, axis=0)[np.repeat(mask, w, axis=0)], edges)
            for x, mask, w in zip(values, masks, drawn, strict=True)
        ]
        direct.append(divergence_of_counts(counts[1], counts[0]))
    estimate = kl_divergence(truth, generated, bins, *weights)
    assert estimate.uncertainty == pytest.approx(np.std(direct, ddof=1), rel=1e-9)
    assert estimate.value == divergence(truth.values, generated.values, bins)


def test_copies_of_a_particle_do_not_make_the_uncertainty_smaller(rng):
    truth, generated = rng.normal(size=(2, 500))
    weights = [bootstrap_weights(500, 20, rng) for _ in range(2)]
    once = kl_divergence(Sample.of_jets(truth), Sample.of_jets(generated), 10, *weights)
    copies = [
        Sample.of_particles(np.repeat(x[:, None], 7, axis=1), np.ones((500, 7), bool)) for x in (truth, generated)
    ]
    assert kl_divergence(*copies, 10, *weights) == pytest.approx(once, rel=1e-9)


def test_a_resampling_that_empties_true_bins_counts_half_an_entry_in_each():
    truth, generated = Sample.of_jets(np.arange(4.0)), Sample.of_jets(np.arange(4.0))
    weights = np.array([[4, 0, 0, 0], [1, 1, 1, 1]], np.uint16)
    estimate = kl_divergence(truth, generated, 4, weights, np.ones((2, 4), np.uint16))
    # p = 8/11, 1/11, 1/11, 1/11 against four quarters; the other resampling is the sample itself, which agrees.
    resampled = math.log(11 / 32) / 4 + 3 / 4 * math.log(11 / 4)
    assert estimate.uncertainty == pytest.approx(resampled / math.sqrt(2), rel=1e-12)
    assert estimate.value == 0.0


def test_bootstrap_weights_draw_as_many_jets_as_there_are(rng):
    weights = bootstrap_weights(1000, 50, rng)
    assert (weights.sum(axis=1) == 1000).all()
    # Binomial(1000, 1 / 1000): variance 0.999 per jet.
    assert weights.var() == pytest.approx(0.999, abs=5 * math.sqrt(3 / weights.size))
