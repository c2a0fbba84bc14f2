"""Measures of taggers against closed forms, plain counting, and other definitions of the same numbers."""

import math

import numpy as np
import pytest
from scipy import stats

from cloudchamber.classification import measures
from cloudchamber.classification.measures import Estimate, accuracy, balanced, estimate
from cloudchamber.classification.roc import SortedScores
from cloudchamber.classification.significance import mcnemar, normal_p_value, paired_difference
from cloudchamber.metrics.two_sample import area_under_curve

K = 5


@pytest.fixture
def target(rng) -> np.ndarray:
    """Classes of different sizes."""
    return rng.permutation(np.repeat(np.arange(K), [300, 200, 400, 250, 350]))


def unit_weights(target: np.ndarray, n_classes: int = K) -> np.ndarray:
    return balanced(np.ones((1, len(target))), target, n_classes)


def test_balanced_weights_give_each_class_the_same_total(rng, target):
    weights = balanced(rng.exponential(size=(3, len(target))), target, K)
    for row in weights:
        np.testing.assert_allclose(np.bincount(target, row), 1 / K, rtol=1e-12)
    assert np.isnan(balanced(np.ones((1, 3)), np.array([0, 0, 1]), 3)).all()


def test_accuracy_is_the_mean_of_weighted_class_accuracies(rng, target):
    weights, correct = rng.exponential(size=len(target)), rng.random(len(target)) < 0.6
    plain = np.mean([weights[(target == k) & correct].sum() / weights[target == k].sum() for k in range(K)])
    assert accuracy(correct, balanced(weights[None], target, K)).value == pytest.approx(plain, rel=1e-12)


def test_uncertainty_of_accuracy_is_binomial(rng):
    target = np.arange(4000) % 4
    correct = rng.random(4000) < 0.7
    replicas = measures.replicas(np.ones(4000), 400, rng)
    np.testing.assert_array_equal(replicas[0], 1)
    found = accuracy(correct, balanced(replicas, target, 4))
    assert found.uncertainty == pytest.approx(math.sqrt(0.21 / 4000), rel=4 / math.sqrt(2 * 400))


def test_perfect_and_guessing_taggers(rng, target):
    weights = unit_weights(target)
    perfect = np.where(np.eye(K, dtype=bool)[target], 0.0, -50.0)
    (curve,) = measures.one_vs_rest(perfect, target, weights, 2)
    assert curve.area == pytest.approx(1.0, rel=1e-12)
    assert measures.inverse(Estimate(measures.background_efficiency(curve), 0.0)).value == math.inf
    np.testing.assert_allclose(measures.class_shares(perfect.argmax(1), target, weights, K)[0], np.eye(K), atol=1e-12)
    blind = np.full((len(target), K), -math.log(K))
    (curve,) = measures.one_vs_rest(blind, target, weights, 2)
    assert curve.area == pytest.approx(0.5, rel=1e-12)
    assert measures.background_efficiency(curve) == pytest.approx(0.5, rel=1e-12)
    guesses = accuracy(rng.integers(K, size=len(target)) == target, weights).value
    assert guesses == pytest.approx(1 / K, abs=4 * math.sqrt(0.16 / 1200))


def test_a_known_confusion_comes_back(target):
    """Every fourth jet of a class is taken for the next class."""
    position = np.array([np.sum(target[:i] == k) for i, k in enumerate(target)])
    chosen = np.where(position % 4 == 0, (target + 1) % K, target)
    shares = measures.class_shares(chosen, target, unit_weights(target), K)[0]
    expected = np.zeros((K, K))
    for k in range(K):
        wrong = math.ceil(np.sum(target == k) / 4) / np.sum(target == k)
        expected[k, k], expected[k, (k + 1) % K] = 1 - wrong, wrong
    np.testing.assert_allclose(shares, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("shift", [0.3, 1.5])
def test_gaussian_scores_have_the_known_curve(rng, shift):
    n = 40_000
    is_signal = np.arange(2 * n) < n
    curve = SortedScores(rng.normal(size=2 * n) + shift * is_signal, is_signal).roc(np.ones(2 * n))
    assert curve.area == pytest.approx(stats.norm.cdf(shift / math.sqrt(2)), abs=0.008)
    signal = np.array([0.2, 0.5, 0.8])
    np.testing.assert_allclose(curve.background_at(signal), stats.norm.sf(stats.norm.isf(signal) + shift), atol=0.01)


def test_area_agrees_with_ranks_also_where_scores_are_tied(rng):
    signal, background = rng.poisson(3.0, 400).astype(float), rng.poisson(2.5, 600).astype(float)
    scores = SortedScores(np.concatenate([signal, background]), np.arange(1000) < 400)
    assert scores.roc(np.ones(1000)).area == pytest.approx(area_under_curve(signal, background).value, rel=1e-12)
    # A weight of n is the same as n copies.
    copies = rng.integers(0, 4, 1000)
    repeated = [np.repeat(part, n) for part, n in ((signal, copies[:400]), (background, copies[400:]))]
    assert scores.roc(copies.astype(float)).area == pytest.approx(area_under_curve(*repeated).value, rel=1e-12)


def test_one_against_all_others_counts_the_others_alike(rng, target):
    scores = rng.normal(size=(len(target), K)) + 2 * np.eye(K)[target]
    weights = rng.exponential(size=len(target))
    (curve,) = measures.one_vs_rest(scores, target, balanced(weights[None], target, K), 1)
    areas = []
    for other in (0, 2, 3, 4):
        rows = (target == 1) | (target == other)
        areas.append(SortedScores(scores[rows, 1], target[rows] == 1).roc(weights[rows]).area)
    assert curve.area == pytest.approx(np.mean(areas), rel=1e-10)


def test_rejection_propagates_the_uncertainty():
    assert measures.inverse(Estimate(0.05, 0.005)) == pytest.approx((20.0, 2.0))


def test_calibration_error_by_hand():
    probability = np.array([0.55, 0.65, 0.95, 0.95])
    correct = np.array([True, False, True, True])
    weights = np.array([[0.3, 0.3, 0.2, 0.2]])
    found = measures.reliability(probability, correct, weights, 2)
    np.testing.assert_allclose(found.share, [[0.0, 1.0]])
    assert measures.calibration_error(found).value == pytest.approx(abs(0.7 - (0.6 * 0.6 + 0.4 * 0.95)))
    of_tenths = measures.reliability(probability, correct, weights, 10)
    expected = 0.3 * 0.45 + 0.3 * 0.65 + 0.4 * 0.05
    assert measures.calibration_error(of_tenths).value == pytest.approx(expected)
    assert of_tenths.accuracy(9).value == pytest.approx(1.0)
    assert of_tenths.confidence(5).value == pytest.approx(0.55)
    assert math.isnan(of_tenths.accuracy(0).value)


def test_true_probabilities_have_an_error_near_the_floor(rng):
    probability = rng.uniform(0.2, 1.0, 3000)
    weights = np.full(3000, 1 / 3000)
    floor = measures.calibrated_error(probability, weights, 15, 200, rng)
    # The mean of |Gaussian| of each bin, which all have about the same number of jets.
    in_bin = np.minimum((probability * 15).astype(int), 14)
    variance = np.bincount(in_bin, probability * (1 - probability))
    expected = (np.sqrt(variance) * math.sqrt(2 / math.pi)).sum() / 3000
    assert floor.value == pytest.approx(expected, abs=0.1 * floor.uncertainty + 0.05 * floor.value)
    true = measures.reliability(probability, rng.random(3000) < probability, weights[None], 15)
    assert measures.calibration_error(true).value == pytest.approx(floor.value, abs=5 * floor.uncertainty)
    boastful = measures.reliability(probability, rng.random(3000) < probability - 0.15, weights[None], 15)
    assert measures.calibration_error(boastful).value == pytest.approx(0.15, abs=0.04)


@pytest.mark.parametrize(("only_first", "only_second"), [(0, 0), (3, 3), (1, 9), (12, 5), (400, 470)])
def test_mcnemar_sums_up_the_binomial_distribution(only_first, only_second):
    n, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n
    assert mcnemar(only_first, only_second) == pytest.approx(min(1.0, 2 * tail), rel=1e-9)


def test_mcnemar_goes_over_to_chi_squared():
    exact = stats.binomtest(980, 2100).pvalue
    assert mcnemar(980, 1120) == pytest.approx(exact, rel=0.01)
    assert mcnemar(5000, 5000) == 1.0


def test_mcnemar_finds_nothing_too_often_neither_too_rarely(rng):
    """Under the hypothesis p-values below 5 % happen in at most 5 % of cases, and not much more rarely."""
    counts, times = np.unique(rng.binomial(300, 0.5, 10_000), return_counts=True)
    significant = np.array([mcnemar(first, 300 - first) < 0.05 for first in counts])
    assert 0.03 < times[significant].sum() / 10_000 < 0.055


def test_paired_difference_is_less_uncertain_than_two_independent_ones(rng):
    target = np.arange(3000) % 3
    first = rng.random(3000) < 0.8
    second = np.where(rng.random(3000) < 0.05, ~first, first)
    weights = balanced(measures.replicas(np.ones(3000), 300, rng), target, 3)
    found = paired_difference(first, second, weights)
    assert found.value == pytest.approx(first.mean() - second.mean(), abs=1e-12)
    discordant = np.mean(first != second)
    assert found.uncertainty == pytest.approx(math.sqrt((discordant - found.value**2) / 3000), rel=0.2)
    independent = math.hypot(*(accuracy(side, weights).uncertainty for side in (first, second)))
    assert found.uncertainty < 0.5 * independent


def test_p_value_of_a_difference():
    assert normal_p_value(Estimate(-1.959964, 1.0)) == pytest.approx(0.05, rel=1e-5)
    assert normal_p_value(Estimate(0.0, 0.0)) == 1.0
    assert normal_p_value(Estimate(0.1, 0.0)) == 0.0


def test_estimates_leave_out_resamplings_without_a_value():
    assert estimate(np.array([1.0, 2.0, np.nan, 4.0])) == (1.0, pytest.approx(math.sqrt(2.0)))
