"""Compiled forces of pairs: against all pairs, antisymmetric, in cells as without."""

import numpy as np
import pytest
from systems_of_tests import BOX, TRAPPED_DISKS, system

from cloudchamber.studies.active_matter.pair_forces import PairForces
from cloudchamber.studies.active_matter.phases import cluster_sizes, distribution, local_densities


def box(number: int) -> tuple[PairForces, np.ndarray]:
    length = float(np.sqrt(number * np.pi / 0.8))
    positions = np.random.default_rng(number).uniform(-length / 2, length / 2, (number, 2))
    return PairForces(1.0, 7.5, 3.0, length), positions


@pytest.mark.parametrize("number", [2, 30, 400])
def test_forces_are_those_of_all_pairs_to_the_tolerance_of_the_cut_off(number: int) -> None:
    """The box of 2 and of 30 disks is too small for cells, that of 400 has some."""
    pairs, positions = box(number)
    beyond = np.exp(-7.5) / 7.5
    exact = pairs.all_pairs(positions)
    near = 12
    assert np.abs(pairs.forces(positions) - exact).max() < near * beyond
    # With a cut-off where nothing is left of the force both are the same.
    assert PairForces(1.0, 7.5, 7.0, pairs.length).forces(positions) == pytest.approx(exact, abs=1e-12)


def test_forces_of_pairs_are_opposite() -> None:
    pairs, positions = box(400)
    assert np.abs(pairs.forces(positions).sum(axis=0)).max() < 1e-12
    two = np.array([[0.0, 0.0], [1.2, 0.7]])
    first, second = pairs.forces(two)
    assert np.array_equal(first, -second)
    assert first @ (two[0] - two[1]) > 0


def test_forces_follow_disks_across_the_box() -> None:
    pairs, positions = box(400)
    assert pairs.length is not None
    shift = np.array([0.37, -0.81]) * pairs.length
    moved = (positions + shift + pairs.length / 2) % pairs.length - pairs.length / 2
    assert pairs.forces(moved) == pytest.approx(pairs.forces(positions), abs=1e-10)
    order = np.random.default_rng(1).permutation(400)
    assert pairs.forces(positions[order]) == pytest.approx(pairs.forces(positions)[order], abs=1e-12)


@pytest.mark.parametrize("values", [BOX, TRAPPED_DISKS])
def test_divergence_is_the_derivative_of_the_force(values: dict[str, object]) -> None:
    one = system(values)
    positions = one.initial_positions(np.random.default_rng(4), 1)
    found = one.force_divergence(positions)  # type: ignore[attr-defined]
    step = 1e-5
    for disk in (0, 3, 11):
        slope = 0.0
        for axis in range(2):
            moved = positions.copy()
            moved[0, disk, axis] += step
            above = one.force(moved)[0, disk, axis]
            moved[0, disk, axis] -= 2 * step
            slope += (above - one.force(moved)[0, disk, axis]) / (2 * step)
        assert found[0, disk] == pytest.approx(slope, abs=1e-4)


def test_forces_are_minus_the_gradient_of_an_energy() -> None:
    """Around a closed way no work is done: without that the moment identity would not hold."""
    one = system(TRAPPED_DISKS)
    rng = np.random.default_rng(5)
    start = one.initial_positions(rng, 1)[0]
    along, across = 0.5 * rng.standard_normal((2, *start.shape))
    angles = np.linspace(0, 2 * np.pi, 4001)
    way = start + np.cos(angles)[:, None, None] * along + np.sin(angles)[:, None, None] * across
    middle = one.force(0.5 * (way[1:] + way[:-1]))
    work = middle * np.diff(way, axis=0)
    assert abs(work.sum()) < 1e-4 * np.abs(work).sum()


def test_neighbours_are_counted_with_the_disk_itself() -> None:
    pairs = PairForces(1.0, 7.5, 3.0, None)
    line = np.stack([np.arange(5) * 2.0, np.zeros(5)], axis=1)
    assert list(pairs.counts(line, 2.4)) == [2, 3, 3, 3, 2]


def test_clusters_and_densities_of_a_picture_that_is_known() -> None:
    """A row of disks that goes around the box, a pair and a single one."""
    length = 32.0
    row = np.stack([np.arange(16) * 2.0 - 16, np.zeros(16)], axis=1)
    others = np.array([[0.0, 9.0], [1.0, 10.0], [-9.0, -9.0]])
    disks = np.concatenate([row, others])
    assert sorted(cluster_sizes(disks, length, 2.1)) == [1, 2, 16]
    densities = local_densities(disks, length)
    assert densities.mean() == pytest.approx(len(disks) * np.pi / length**2)
    assert len(densities) == 16


@pytest.mark.parametrize("length", [24.0, 26.9, 65.5, 113.4])
def test_the_distribution_of_packing_fractions_has_no_peaks_of_its_bins(length: float) -> None:
    """All numbers of disks from 0 to 23 alike: a box of 65.5 had twice as much between 0.75 and 0.8."""
    of_one = np.pi * (int(length / 8) / length) ** 2
    centres, density = distribution(of_one * np.arange(24), length)
    assert density == pytest.approx(1 / (24 * of_one))
    assert (density * (centres[1] - centres[0])).sum() == pytest.approx(1.0)
    assert centres.mean() == pytest.approx(of_one * 11.5)
