"""The kernel physics distance against its definition and jetnet's values."""

import json
from pathlib import Path

import numpy as np
import pytest
from oracles.features import DRAW_SEED, KPD_BATCHES, KPD_SIZE, feature_samples

from cloudchamber.errors import InputError
from cloudchamber.metrics.kernel_distance import kernel_physics_distance, squared_discrepancy

ORACLE = Path(__file__).parents[1] / "data/oracles/physics_distances.json"


def by_definition(x: np.ndarray, y: np.ndarray) -> float:
    """Means over pairs, none of a row with itself."""

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return (a @ b / len(a) + 1) ** 4

    def within(sample: np.ndarray) -> float:
        return np.mean([kernel(a, b) for i, a in enumerate(sample) for j, b in enumerate(sample) if i != j])

    return within(x) + within(y) - 2 * np.mean([kernel(a, b) for a in x for b in y])


@pytest.mark.parametrize(("n", "m"), [(2, 2), (7, 40), (40, 3)])
def test_the_discrepancy_is_that_of_the_pairs(rng, n, m):
    x, y = rng.normal(size=(n, 3)), rng.normal(0.5, 1.0, (m, 3))
    assert squared_discrepancy(x, y) == pytest.approx(by_definition(x, y), rel=1e-10)


def test_pieces_do_not_change_the_discrepancy(rng):
    x, y = rng.normal(size=(700, 3)), rng.normal(0.5, 1.0, (600, 3))
    kernels = [(a @ b.T / 3 + 1) ** 4 for a, b in ((x, x), (y, y), (x, y))]
    within = [(kernel.sum() - kernel.trace()) / (len(kernel) * (len(kernel) - 1)) for kernel in kernels[:2]]
    assert squared_discrepancy(x, y) == pytest.approx(sum(within) - 2 * kernels[2].mean(), rel=1e-10)


def test_the_discrepancy_of_one_distribution_is_zero_on_average(rng):
    values = [squared_discrepancy(*rng.normal(size=(2, 50, 2))) for _ in range(400)]
    assert min(values) < 0
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))


@pytest.mark.parametrize("name", ["same", "wrong"])
def test_jetnet_finds_the_same(name):
    oracle, samples = json.loads(ORACLE.read_text()), feature_samples()
    scale = np.abs(samples["truth"]).max(axis=0)
    estimate = kernel_physics_distance(
        samples["truth"] / scale,
        samples[name] / scale,
        np.random.default_rng(DRAW_SEED),
        largest=KPD_SIZE,
        batches=KPD_BATCHES,
    )
    np.testing.assert_allclose(estimate, oracle[f"kpd_{name}"], rtol=1e-7, atol=1e-12)


def test_batches_hold_at_most_half_of_the_smaller_sample(rng):
    # With batches of two each of a pair of jets, the values repeat those of the few possible batches.
    truth, generated = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    possible = [
        squared_discrepancy(truth[[i, j]], generated[[k, m]])
        for i in range(4)
        for j in range(4)
        for k in range(5)
        for m in range(5)
    ]
    value = kernel_physics_distance(truth, generated, rng, batches=1).value
    assert np.isclose(possible, value).any()


def test_too_few_jets_are_an_error(rng):
    with pytest.raises(InputError, match="4 jets or more of each sample, not 3"):
        kernel_physics_distance(rng.normal(size=(3, 2)), rng.normal(size=(100, 2)), rng)
