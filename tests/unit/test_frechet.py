"""The Frechet physics distance against closed forms and jetnet's values."""

import json
from pathlib import Path

import numpy as np
import pytest
from oracles.features import DRAW_SEED, FPD_BATCHES, FPD_SIZES, feature_samples

from cloudchamber.errors import InputError
from cloudchamber.metrics.frechet import frechet_distance, frechet_physics_distance

ORACLE = Path(__file__).parents[1] / "data/oracles/physics_distances.json"


def with_moments(rng: np.random.Generator, mean: np.ndarray, covariance: np.ndarray, n: int = 300) -> np.ndarray:
    """Return a sample that has exactly these moments."""
    values = rng.normal(size=(n, len(mean)))
    values -= values.mean(axis=0)
    whitened = values @ np.linalg.inv(np.linalg.cholesky(np.cov(values, rowvar=False))).T
    return mean + whitened @ np.linalg.cholesky(covariance).T


def test_gaussians_that_commute_agree_with_the_closed_form(rng):
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    spreads = np.array([[1.0, 2.0, 0.5], [1.5, 0.2, 0.7]])
    means = rng.normal(size=(2, 3))
    samples = [
        with_moments(rng, mean, rotation * spread**2 @ rotation.T) for mean, spread in zip(means, spreads, strict=True)
    ]
    expected = ((means[0] - means[1]) ** 2).sum() + ((spreads[0] - spreads[1]) ** 2).sum()
    assert frechet_distance(*samples) == pytest.approx(expected, rel=1e-9)


def test_gaussians_in_the_plane_agree_with_the_closed_form(rng):
    covariances = np.array([[[2.0, 0.9], [0.9, 1.0]], [[0.5, -0.3], [-0.3, 1.7]]])
    samples = [with_moments(rng, np.zeros(2), covariance) for covariance in covariances]
    # tr M^(1/2) = (tr M + 2 det M^(1/2))^(1/2) in two dimensions.
    product = covariances[0] @ covariances[1]
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(covariances.sum(axis=0)) - 2 * root
    assert frechet_distance(*samples) == pytest.approx(expected, rel=1e-9)


def test_features_that_depend_on_each_other_are_no_trouble(rng):
    values = rng.normal(size=(200, 2))
    doubled = [np.concatenate([sample, sample], axis=1) for sample in (values, values + 0.3)]
    assert frechet_distance(*doubled) == pytest.approx(4 * 0.3**2, rel=1e-6)


@pytest.mark.parametrize("name", ["same", "wrong"])
def test_jetnet_finds_the_same(name):
    oracle, samples = json.loads(ORACLE.read_text()), feature_samples()
    for sample, mean in oracle["means"].items():
        assert samples[sample].mean() == pytest.approx(mean, rel=1e-9), "the features differ from the recorded ones"
    scale = np.abs(samples["truth"]).max(axis=0)
    estimate = frechet_physics_distance(
        samples["truth"] / scale,
        samples[name] / scale,
        np.random.default_rng(DRAW_SEED),
        largest=FPD_SIZES[1],
        points=10,
        batches=FPD_BATCHES,
    )
    value, error = oracle[f"fpd_{name}"]
    # jetnet's fit stops short of the bound at zero by its own tolerance.
    assert estimate.value == pytest.approx(value, rel=1e-4, abs=1e-4)
    assert estimate.uncertainty == pytest.approx(error, rel=1e-2)


def test_extrapolation_removes_most_of_the_bias(rng):
    truth, same = rng.normal(size=(2, 4000, 5))
    estimate = frechet_physics_distance(truth, same, rng, largest=400)
    biased = frechet_distance(truth[:400], same[:400])
    assert biased > 0.01
    assert abs(estimate.value) < 0.3 * biased
    assert 0 < estimate.uncertainty < biased


def test_a_shift_is_found(rng):
    truth, shifted = rng.normal(size=(2, 3000, 4))
    estimate = frechet_physics_distance(truth, shifted + np.array([0.5, 0.0, 0.0, 0.0]), rng)
    # Of the difference of means, twice the shift times its error of (2 / 3000)^(1/2).
    assert estimate.value == pytest.approx(0.25, abs=4 * 2 * 0.5 * np.sqrt(2 / 3000))


def test_too_few_jets_are_an_error(rng):
    with pytest.raises(InputError, match="10 jets or more of each sample, not 9"):
        frechet_physics_distance(rng.normal(size=(100, 3)), rng.normal(size=(9, 3)), rng)
    assert np.isfinite(frechet_physics_distance(rng.normal(size=(10, 36)), rng.normal(size=(10, 36)), rng)).all()
