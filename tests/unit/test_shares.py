"""Shares of few entries: what all of ten do is not what all of them do, and the uncertainty says so."""

import numpy as np
import pytest
from scipy.stats import beta

from cloudchamber.classification.measures import (
    accuracy,
    balanced,
    class_shares,
    mean_separation,
    reliability,
    replicas,
    share,
)
from cloudchamber.classification.measures import separation as separation_of_areas
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.shares import mean_share, of_area, of_share, share_error
from cloudchamber.metrics.two_sample import area_under_curve
from cloudchamber.studies.assignment.efficiencies import event_efficiency, particle_efficiency
from cloudchamber.studies.neutrinos.measures import efficiency, purity, resampled
from cloudchamber.summary.comparison import Difference


@pytest.mark.parametrize(("counts", "n"), [(0, 1), (0, 10), (10, 10), (3, 10), (700, 1000)])
def test_the_error_of_a_share_is_that_of_its_posterior_for_a_flat_prior(counts: int, n: int) -> None:
    found = mean_share(np.arange(n) < counts)
    assert found.value == counts / n
    assert found.uncertainty == pytest.approx(beta(counts + 1, n - counts + 1).std(), rel=1e-12)


def test_the_error_of_many_numbers_is_that_of_their_mean(rng: np.random.Generator) -> None:
    values = rng.choice([0.0, 0.5, 1.0], 20_000, p=[0.2, 0.3, 0.5])
    assert share_error(values) == pytest.approx(values.std() / np.sqrt(len(values)), rel=1e-3)


def test_the_truth_is_within_two_errors(rng: np.random.Generator) -> None:
    """Of ten entries of which 95 % count, all do in 60 % of samples."""
    samples = rng.random((2000, 10)) < 0.95
    found = [mean_share(sample) for sample in samples]
    assert 0.55 < np.mean([item.value == 1 for item in found]) < 0.65
    assert np.mean([abs(item.value - 0.95) < 2 * item.uncertainty for item in found]) > 0.9


def test_shares_and_areas_between_the_bounds_stay_as_they_are() -> None:
    found = Estimate(0.9, 0.01)
    assert of_share(found, 10) == found == of_area(found, 10, 20)
    assert np.isnan(of_share(Estimate(float("nan"), float("nan")), 0).uncertainty)
    # Sums of weights are one but for rounding.
    assert of_share(Estimate(1 - 1e-15, 1e-17), 10).uncertainty == pytest.approx(share_error(np.ones(10)))
    assert of_share(Estimate(0.0, 0.0), 10).uncertainty == pytest.approx(share_error(np.zeros(10)))
    assert of_area(Estimate(1.0, 0.0), 10, 1000).uncertainty == pytest.approx(share_error(np.ones(10)), rel=1e-3)


def test_a_tagger_that_is_right_in_all_of_a_small_sample(rng: np.random.Generator) -> None:
    target = np.repeat([0, 1], 10)
    scores = np.log(np.where(np.eye(2)[target] > 0, 0.9, 0.1))
    weights = balanced(replicas(np.ones(20), 50, rng), target, 2)
    found = accuracy(scores.argmax(axis=1) == target, weights)
    assert found == (pytest.approx(1), pytest.approx(share_error(np.ones(20))))
    # Ten of ten and seven of ten are not told apart; 0.3 over an uncertainty of the second alone would be 2.1.
    seven = Estimate(0.7, np.sqrt(0.21 / 10))
    assert Difference(0.3, float(seven.uncertainty)).is_clear
    ten = mean_share(np.ones(10))
    assert not Difference(0.3, float(np.hypot(ten.uncertainty, seven.uncertainty))).is_clear
    shares = class_shares(scores.argmax(axis=1), target, weights, 2)
    for chosen in (0, 1):
        of_class = share(shares[:, 0, chosen], weights[0][target == 0])
        assert of_class == (pytest.approx(1 - chosen), pytest.approx(share_error(np.ones(10))))
    assert separation_of_areas(np.ones(51), weights[0], target == 1).uncertainty > 0
    bins = reliability(np.full(20, 0.9), np.ones(20, bool), weights, 10)
    assert bins.accuracy(9) == (pytest.approx(1), pytest.approx(share_error(np.ones(20))))


def test_the_mean_area_knows_of_a_class_that_is_told_apart_entirely(rng: np.random.Generator) -> None:
    target = np.repeat([0, 1, 2], [3, 500, 497])
    weights = np.ones(1000)
    areas = [np.ones(51), 0.8 + 1e-3 * rng.standard_normal(51), 0.7 + 1e-3 * rng.standard_normal(51)]
    found = mean_separation(areas, weights, target)
    assert found == (np.mean([area[0] for area in areas]), pytest.approx(share_error(np.ones(3)) / 3, rel=0.01))
    areas[0] = areas[1]
    assert mean_separation(areas, weights, target).uncertainty < 2e-3


def test_a_class_that_is_right_in_all_of_its_few_jets(rng: np.random.Generator) -> None:
    """As QCD in a bin of high mass: its share is one over few, beside another class of many."""
    target = np.repeat([0, 1], [3, 997])
    correct = (target == 0) | (rng.random(1000) < 0.9)
    weights = balanced(replicas(np.ones(1000), 200, rng), target, 2)
    without, found = accuracy(correct, weights), accuracy(correct, weights, target)
    assert without.uncertainty < 0.01
    assert found == (without.value, pytest.approx(share_error(np.ones(3)) / 2, rel=0.01))
    # All wrong is as little known, and where a class has both nothing is added.
    assert accuracy(correct & (target == 1), weights, target).uncertainty == pytest.approx(found.uncertainty)
    some = rng.random(1000) < 0.9
    some[:2] = [True, False]
    assert accuracy(some, weights, target).uncertainty == accuracy(some, weights).uncertainty
    # What an energy has no event of does not count.
    inside = target == 1
    of_one = weights * inside / (weights * inside).sum(axis=1, keepdims=True)
    assert accuracy(correct, of_one, target).uncertainty == accuracy(correct, of_one).uncertainty


def test_samples_that_do_not_overlap() -> None:
    found = area_under_curve(np.arange(10.0, 20.0), np.arange(10.0))
    assert found == (1, pytest.approx(np.sqrt(2) * share_error(np.ones(10))))


def test_assignments_that_are_all_right() -> None:
    every = np.ones((8, 2), bool)
    assert event_efficiency(every, every).uncertainty == share_error(np.ones(8))
    assert particle_efficiency(every, every, 2).uncertainty == share_error(np.ones(8))
    assert event_efficiency(~every, every).uncertainty == share_error(np.zeros(8))


def test_neutrinos_that_are_all_named_right(rng: np.random.Generator) -> None:
    target = np.repeat([0, 1, 2], 6)
    weights = resampled(target, np.zeros(0, int), 3, 50, rng).events
    for measure in (efficiency, purity):
        found = measure(target, target, weights, 1, np.ones(18, bool))
        assert found == (pytest.approx(1), pytest.approx(share_error(np.ones(6))))
