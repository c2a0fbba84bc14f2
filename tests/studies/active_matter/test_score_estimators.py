"""Estimates from scores: crossed squares, errors of blocks, checks of exact and wrong scores, denoising."""

import numpy as np
import pytest
from systems_of_tests import SPRINGS, TRAP, system

from cloudchamber.studies.active_matter.blocks import block_mean, jackknife
from cloudchamber.studies.active_matter.crossing import crossed_square, left_out, plug_in_square
from cloudchamber.studies.active_matter.denoising import linear_production, smoothed_production
from cloudchamber.studies.active_matter.score_checks import score_checks


def test_crossed_squares_are_without_the_bias_of_independent_errors() -> None:
    rng = np.random.default_rng(6)
    true = rng.standard_normal((4000, 1, 2))
    diffusions = np.array([0.5, 2.0])
    velocities = true + 0.5 * rng.standard_normal((3, *true.shape))
    exact = plug_in_square(true, diffusions).sum(axis=(1, 2)).mean()
    plug_in = plug_in_square(velocities[0], diffusions).sum(axis=(1, 2)).mean()
    crossed = crossed_square(velocities, diffusions).sum(axis=(1, 2)).mean()
    assert plug_in - exact == pytest.approx(0.25 * (1 / 0.5 + 1 / 2.0), abs=0.1)
    assert crossed == pytest.approx(exact, abs=0.03)
    # By pairs, written out.
    pairs = [(velocities[a] * velocities[b] / diffusions) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert crossed_square(velocities, diffusions) == pytest.approx(np.mean(pairs, axis=0))
    without = left_out(velocities, diffusions, np.array([True, True]))
    assert without[2] == pytest.approx(pairs[0].sum(axis=(1, 2)).mean())
    assert jackknife(without) > 0
    assert np.isnan(left_out(velocities[:2], diffusions, np.array([True, True]))).all()


def test_squares_leave_out_channels_without_noise() -> None:
    square = crossed_square(np.ones((2, 3, 1, 2)), np.array([0.0, 0.5]))
    assert np.array_equal(square, np.broadcast_to([0.0, 2.0], (3, 1, 2)))


def test_errors_of_blocks_know_of_correlations() -> None:
    rng = np.random.default_rng(8)
    per_block = rng.standard_normal(400)
    values, blocks = np.repeat(per_block, 25), np.repeat(np.arange(400), 25)
    mean = block_mean(values, blocks)
    assert mean.value == pytest.approx(per_block.mean())
    assert mean.of_blocks == pytest.approx(per_block.std(ddof=1) / 20)
    assert np.isnan(block_mean(values[:25], blocks[:25]).of_blocks)
    assert mean.uncertainty == mean.of_blocks
    # A table has an empty field where there is no number.
    assert block_mean(values[:25], blocks[:25]).columns()["uncertainty"] == ""


def test_checks_vanish_for_an_exact_score_and_not_for_a_wrong_one() -> None:
    one = system(TRAP)
    exact = one.exact(1.0)
    assert exact is not None
    covariance = np.array([[0.8666666666666667, 2 / 3], [2 / 3, 1.0]])
    states = np.random.default_rng(9).multivariate_normal(np.zeros(2), covariance, 20_000)[:, None]
    slopes = np.broadcast_to([-1.0, -0.5], states.shape)
    found = {}
    for name, factor in (("exact", 1.0), ("wrong", 1.2)):
        score = factor * exact.score(states)
        velocity = one.drift(states, 1.0) - one.diffusions * score
        inverse = np.diag(np.linalg.inv(covariance))
        divergence = np.broadcast_to(slopes[0] + factor * one.diffusions * inverse, states.shape)
        checks = score_checks(states, score, velocity, divergence, slopes, one.diffusions, np.arange(20_000))
        found[name] = dict(checks)
    for name, value in found["exact"].items():
        assert abs(value.value) < max(4 * value.of_blocks, 1e-10), name
    assert found["wrong"]["stein_identity"].value > 0.1
    assert abs(found["wrong"]["stein_divergence"].value) > 0.1
    assert found["wrong"]["flow_residual"].value > 0.05


def test_smoothed_scores_have_the_closed_form_of_their_bias() -> None:
    """7.14 and 16.5 at 0.2 and 0.5 for springs, from the reference; nothing at no noise."""
    one = system(SPRINGS)
    exact = one.exact(1.0)
    assert exact is not None
    basis = np.eye(16).reshape(16, 8, 2)
    drift = -one.drift(basis, 1.0).reshape(16, 16).T
    inverse = -exact.score(basis).reshape(16, 16).T
    covariance, diffusions = np.linalg.inv(inverse), np.tile(one.diffusions, 8)
    for sigma, expected in ((1e-6, 5.171717), (0.2, 7.14), (0.5, 16.54)):
        assert smoothed_production(sigma, drift, diffusions, covariance) == pytest.approx(expected, rel=1e-3)
    assert linear_production(-inverse, drift, diffusions, covariance) == pytest.approx(5.171717, rel=1e-6)
