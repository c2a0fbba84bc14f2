"""Areas under ROC curves against scipy, counting pairs, and Gaussians with a known area."""

import math

import numpy as np
import pytest
from scipy import stats

from cloudchamber.metrics.shares import share_error
from cloudchamber.metrics.two_sample import area_under_curve, chance


@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 50), (400, 300)])
def test_the_area_is_the_mann_whitney_statistic(rng, n, m):
    signal, background = rng.normal(0.3, 1.0, n), rng.normal(size=m)
    expected = stats.mannwhitneyu(signal, background).statistic / (n * m)
    assert area_under_curve(signal, background).value == pytest.approx(expected, rel=1e-12)


def test_counting_pairs_gives_area_and_uncertainty_with_ties(rng):
    signal, background = rng.poisson(3.0, 40).astype(float), rng.poisson(2.5, 60).astype(float)
    wins = (signal[:, None] > background) + 0.5 * (signal[:, None] == background)
    area = area_under_curve(signal, background)
    assert area.value == pytest.approx(wins.mean(), rel=1e-12)
    variance = wins.mean(axis=1).var(ddof=1) / 40 + wins.mean(axis=0).var(ddof=1) / 60
    assert area.uncertainty == pytest.approx(math.sqrt(variance), rel=1e-12)


def test_exchanging_the_samples_mirrors_the_area(rng):
    signal, background = rng.normal(0.3, 1.0, 70), rng.normal(size=50)
    one, other = area_under_curve(signal, background), area_under_curve(background, signal)
    assert one.value + other.value == pytest.approx(1.0, rel=1e-12)
    assert one.uncertainty == pytest.approx(other.uncertainty, rel=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.4, 1.5])
def test_shifted_gaussians_have_the_known_area(rng, shift):
    area = area_under_curve(rng.normal(shift, 1.0, 20_000), rng.normal(size=30_000))
    assert area.value == pytest.approx(stats.norm.cdf(shift / math.sqrt(2)), abs=4 * area.uncertainty)
    assert area.uncertainty < 0.004


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_the_uncertainty_is_the_spread_of_repeated_areas(rng, shift):
    areas = [area_under_curve(rng.normal(shift, 1.0, 80), rng.normal(size=120)) for _ in range(400)]
    values, claimed = np.array(areas).T
    assert values.std(ddof=1) == pytest.approx(math.sqrt((claimed**2).mean()), rel=4 / math.sqrt(2 * 400))


def test_separate_samples_have_the_area_one_with_the_uncertainty_of_shares_of_both():
    found = area_under_curve(np.array([2.0, 3.0]), np.array([0.0, 1.0]))
    assert found == (1.0, pytest.approx(np.sqrt(2) * share_error(np.ones(2))))


def test_chance_is_the_spread_of_areas_of_equal_samples(rng):
    areas = [area_under_curve(rng.normal(size=30), rng.normal(size=50)).value for _ in range(600)]
    expected = chance(30, 50)
    assert expected.value == 0.5
    assert np.std(areas, ddof=1) == pytest.approx(expected.uncertainty, rel=4 / math.sqrt(2 * 600))
    assert np.mean(areas) == pytest.approx(0.5, abs=4 * expected.uncertainty / math.sqrt(600))


def test_pairs_have_no_uncertainty_from_what_both_have_in_common(rng):
    common = rng.normal(size=500)
    assert area_under_curve(common, common, paired=True) == pytest.approx((0.5, 0.0), abs=1e-12)
    areas = [
        area_under_curve(common + rng.normal(0.1, 0.3, 200), common + rng.normal(0.0, 0.3, 200), paired=True)
        for common in rng.normal(size=(400, 200))
    ]
    values, claimed = np.array(areas).T
    assert values.std(ddof=1) == pytest.approx(math.sqrt((claimed**2).mean()), rel=4 / math.sqrt(2 * 400))
    apart = area_under_curve(rng.normal(size=200), rng.normal(size=200))
    assert claimed.mean() < 0.5 * apart.uncertainty
