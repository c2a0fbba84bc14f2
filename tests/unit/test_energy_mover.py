"""The energy mover's distance against linear programming, recorded results of energyflow, and closed forms."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from cloudchamber.cloud import Clouds, Column
from cloudchamber.errors import InputError
from cloudchamber.metrics.coverage import coverage_and_mmd, sizes_of_batches
from cloudchamber.metrics.energy_mover import energy_movers_distances

ORACLE = Path(__file__).parents[1] / "data/oracles/coverage_mmd.json"


def clouds_of(points: np.ndarray) -> Clouds:
    """Jets of (N, P, 3) particles with pt_rel, eta_rel and phi_rel; all slots are real ones."""
    points = np.asarray(points, np.float32)
    return Clouds(
        points=points,
        mask=np.ones(points.shape[:2], bool),
        features=np.zeros((len(points), 0), np.float32),
        labels=np.zeros((len(points), 0), np.int64),
        point_columns=tuple(Column(name) for name in ("pt_rel", "eta_rel", "phi_rel")),
    )


def random_jets(rng: np.random.Generator, n_jets: int, width: int, spread: float = 0.3) -> Clouds:
    """Jets of 1 to ``width`` particles, with slots without a momentum among them, and of different total pT."""
    pt = rng.exponential(size=(n_jets, width)) * (rng.random((n_jets, width)) < 0.8)
    pt[:, 0] += 0.1
    pt *= rng.uniform(0.5, 1.0, (n_jets, 1)) / pt.sum(axis=1, keepdims=True)
    return clouds_of(np.concatenate([pt[:, :, None], rng.normal(0.0, spread, (n_jets, width, 2))], axis=2))


def programme(one: np.ndarray, other: np.ndarray, radius: float) -> float:
    """The definition as a linear programme in the moved momenta f_ij."""
    cost = np.hypot(one[:, None, 1] - other[:, 1], one[:, None, 2] - other[:, 2])
    n, m = cost.shape
    given_away = np.kron(np.eye(n), np.ones(m))
    taken = np.kron(np.ones(n), np.eye(m))
    total = min(one[:, 0].sum(), other[:, 0].sum())
    solution = linprog(
        cost.ravel() / radius,
        A_ub=np.concatenate([given_away, taken]),
        b_ub=np.concatenate([one[:, 0], other[:, 0]]) * (1 + 1e-12),
        A_eq=np.ones((1, n * m)),
        b_eq=[total],
    )
    assert solution.status == 0
    return solution.fun + abs(one[:, 0].sum() - other[:, 0].sum())


def distance(one: list, other: list, radius: float = 1.0) -> float:
    return energy_movers_distances(clouds_of([one]), clouds_of([other]), radius).item()


@pytest.mark.parametrize(("widths", "radius"), [((1, 4), 1.0), ((6, 6), 0.7), ((9, 14), 1.0), ((14, 5), 2.0)])
def test_linear_programming_finds_the_same_distance(rng, widths, radius):
    first, second = (random_jets(rng, 6, width) for width in widths)
    expected = [
        [programme(one, other, radius) for other in second.points.astype(np.float64)]
        for one in first.points.astype(np.float64)
    ]
    np.testing.assert_allclose(energy_movers_distances(first, second, radius), expected, rtol=1e-8)


def test_linear_programming_finds_the_same_distance_where_many_flows_are_best(rng):
    """Equal momenta on a grid: most paths are as short as another."""
    points = np.concatenate([np.full((8, 9, 1), 0.125), rng.integers(0, 3, (8, 9, 2))], axis=2)
    jets = clouds_of(points)
    expected = [[programme(one, other, 1.0) for other in points] for one in points]
    np.testing.assert_allclose(energy_movers_distances(jets, jets), expected, rtol=1e-8, atol=1e-12)


def test_energyflow_and_jetnet_find_the_same():
    if not ORACLE.exists():
        pytest.skip(f"no recorded values at {ORACLE}")
    oracle = json.loads(ORACLE.read_text())
    columns = [oracle["columns"].index(name) for name in ("pt_rel", "eta_rel", "phi_rel")]
    truth, generated = (clouds_of(np.array(oracle[name])[:, :, columns]) for name in ("truth", "generated"))
    distances = energy_movers_distances(generated, truth)
    np.testing.assert_allclose(distances, oracle["emd_generated_truth"], atol=2e-7)
    coverage, mmd = coverage_and_mmd(truth, generated, np.random.default_rng(3), jets=len(truth), batches=1)
    assert coverage.value == pytest.approx(oracle["coverage"], rel=1e-12)
    assert mmd.value == pytest.approx(oracle["mmd"], abs=1e-7)


def test_one_particle_each_moves_what_the_lighter_one_has():
    assert distance([[0.5, 0.0, 0.0]], [[0.75, 0.3, -0.4]]) == pytest.approx(0.5 * 0.5 + 0.25, rel=1e-6)
    assert distance([[0.75, 0.3, -0.4]], [[0.5, 0.0, 0.0]], radius=0.5) == pytest.approx(0.5 * 1.0 + 0.25, rel=1e-6)


def test_a_jet_without_momentum_is_as_far_as_the_other_is_heavy():
    assert distance([[0.0, 0.0, 0.0]], [[0.5, 1.0, 2.0], [0.25, 0.0, 0.0]]) == 0.75
    assert distance([[-1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]) == 0.0


def test_a_shift_of_the_whole_jet_costs_its_length(rng):
    jets = random_jets(rng, 20, 30)
    points = jets.points + np.float32([0.0, 0.03, -0.04])
    expected = 0.05 * jets.points[:, :, 0].sum(axis=1)
    np.testing.assert_allclose(np.diag(energy_movers_distances(jets, clouds_of(points))), expected, rtol=1e-5)


def test_neither_order_nor_collinear_splitting_nor_negative_momenta_matter(rng):
    first, second = random_jets(rng, 5, 12), random_jets(rng, 5, 12)
    expected = energy_movers_distances(first, second)
    permuted = clouds_of(first.points[:, rng.permutation(12)])
    np.testing.assert_allclose(energy_movers_distances(permuted, second), expected, rtol=1e-12)
    halves = np.concatenate([first.points, first.points], axis=1) * np.float32([0.5, 1.0, 1.0])
    np.testing.assert_allclose(energy_movers_distances(clouds_of(halves), second), expected, rtol=1e-9)
    negative = np.concatenate([first.points, np.full((5, 3, 3), -0.5)], axis=1)
    np.testing.assert_allclose(energy_movers_distances(clouds_of(negative), second), expected, rtol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_it_is_a_metric(seed, width):
    jets = random_jets(np.random.default_rng(seed), 5, width)
    # R = 1 is at least half of any distance.
    jets.points[:, :, 1:] = np.clip(jets.points[:, :, 1:], -0.7, 0.7)
    distances = energy_movers_distances(jets, jets)
    np.testing.assert_allclose(distances, distances.T, atol=1e-12)
    np.testing.assert_allclose(np.diag(distances), 0.0, atol=1e-12)
    through = distances[:, :, None] + distances[None, :, :]
    assert (distances[:, None, :] <= through + 1e-12).all()


def at(*positions: float) -> Clouds:
    """Jets of one particle, which are as far apart as their positions."""
    return clouds_of([[[1.0, position, 0.0]] for position in positions])


def test_coverage_counts_true_jets_that_are_nearest_to_a_generated_one(rng):
    coverage, mmd = coverage_and_mmd(at(0.0, 1.0, 2.0, 3.0), at(0.1, 0.2, 2.9, -0.3), rng, jets=4, batches=1)
    assert coverage.value == 0.5
    assert mmd.value == pytest.approx((0.1 + 0.8 + 0.9 + 0.1) / 4, rel=1e-6)
    assert math.isnan(coverage.uncertainty)
    assert math.isnan(mmd.uncertainty)


def test_copies_of_truth_cover_it_and_a_single_mode_covers_one_jet(rng):
    truth = random_jets(rng, 20, 8)
    coverage, mmd = coverage_and_mmd(truth, truth[rng.permutation(20)], rng, jets=20, batches=1)
    assert (coverage.value, mmd.value) == (1.0, pytest.approx(0.0, abs=1e-12))
    mode = truth[np.zeros(20, np.int64)]
    assert coverage_and_mmd(truth, mode, rng, jets=20, batches=1)[0].value == 1 / 20


def test_the_uncertainty_is_the_spread_of_repeated_means(rng):
    truth, generated = at(*rng.normal(size=400)), at(*rng.normal(size=400))
    repeats = [coverage_and_mmd(truth, generated, rng, jets=10, batches=5) for _ in range(300)]
    for metric in zip(*repeats, strict=True):
        values, claimed = np.array(metric).T
        assert values.std(ddof=1) == pytest.approx(math.sqrt((claimed**2).mean()), rel=0.2)


@pytest.mark.parametrize("there", [20, 60, 500])
def test_the_uncertainty_of_a_small_sample_is_the_spread_over_samples(there, rng):
    """Batches that share their jets differ too little: with all jets in each of them the uncertainty was zero."""
    size, batches = sizes_of_batches(50, 5, there)
    repeats = []
    for _ in range(300):
        truth, generated = at(*rng.normal(size=there)), at(*rng.normal(size=there))
        repeats.append(coverage_and_mmd(truth, generated, rng, size, batches))
    for metric in zip(*repeats, strict=True):
        values, claimed = np.array(metric).T
        assert values.std(ddof=1) == pytest.approx(math.sqrt((claimed**2).mean()), rel=0.2)


@pytest.mark.parametrize(
    ("there", "expected"),
    [(1000, (50, 5)), (250, (50, 5)), (249, (49, 5)), (10, (2, 5)), (9, (2, 4)), (4, (2, 2))],
)
def test_no_jet_is_in_two_batches(there, expected):
    assert sizes_of_batches(50, 5, there) == expected


def test_three_jets_are_too_few():
    with pytest.raises(InputError, match="coverage needs 4 jets or more of each sample, not 3"):
        sizes_of_batches(50, 5, 3)


def test_the_generator_decides_the_batches(rng):
    truth, generated = random_jets(rng, 60, 6), random_jets(rng, 60, 6)
    results = [coverage_and_mmd(truth, generated, np.random.default_rng(seed), 20, 2) for seed in (1, 1, 2)]
    assert results[0] == results[1] != results[2]


def test_fewer_jets_than_all_batches_take_are_an_error(rng):
    with pytest.raises(InputError, match="2 batches of 10 jets, but there are only 19 generated jets"):
        coverage_and_mmd(random_jets(rng, 30, 3), random_jets(rng, 19, 3), rng, jets=10, batches=2)
