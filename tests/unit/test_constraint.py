"""The sum of the particles as a constraint: what it imposes, what it must leave alone, and where it shows."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.cloud import Clouds, Column
from cloudchamber.generative.constraint import rescaled
from cloudchamber.jets.kinematics import jet_kinematics, momenta, relative_sum
from cloudchamber.jets.observables import observe
from cloudchamber.jets.relative import RELATIVE_COLUMNS
from cloudchamber.networks.packing import padded


@dataclass(frozen=True)
class Jets:
    particles: np.ndarray
    multiplicity: np.ndarray
    wanted: np.ndarray

    @classmethod
    def of_seed(cls, seed: int, jets: int = 40) -> "Jets":
        rng = np.random.default_rng(seed)
        multiplicity = rng.integers(4, 30, jets)
        particles = rng.normal(0, 0.3, (multiplicity.sum(), 3)).astype(np.float32)
        particles[:, 2] = rng.exponential(0.05, len(particles))
        return cls(particles, multiplicity, rng.uniform(0.9, 1.0, jets))

    def clouds(self, particles: np.ndarray) -> Clouds:
        points, mask = padded(particles, self.multiplicity, 30)
        pt = np.full((len(self.multiplicity), 1), 1000, np.float32)
        labels = np.zeros((len(pt), 0), np.int64)
        return Clouds(points, mask, pt, labels, RELATIVE_COLUMNS, (Column("jet_pt", "GeV"),))


@given(st.integers(0, 2**32 - 1))
def test_the_particles_add_up_to_what_is_wanted(seed: int) -> None:
    jets = Jets.of_seed(seed, jets=5)
    found = rescaled(jets.particles, jets.multiplicity, jets.wanted)
    np.testing.assert_allclose(jet_kinematics(*momenta(jets.clouds(found)))[0], jets.wanted, rtol=2e-6)


def test_directions_substructure_and_mass_over_pt_stay() -> None:
    jets = Jets.of_seed(1)
    found = rescaled(jets.particles, jets.multiplicity, jets.wanted)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[:, :2], jets.particles[:, :2])
    before, after = (observe(jets.clouds(particles)) for particles in (jets.particles, found))
    for name in ("tau21", "tau32", "d2"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-5)
    ratio = [table["jet_mass"] / table["jet_pt"] for table in (before, after)]
    np.testing.assert_allclose(*ratio, rtol=1e-5)


def test_it_is_the_vector_sum_and_not_the_scalar_one() -> None:
    # Two particles at right angles in azimuth: the vector sum of (1, 1) is sqrt(2).
    particles = np.array([[0, np.pi / 4, 1.0], [0, -np.pi / 4, 1.0]])
    found = rescaled(particles, np.array([2]), np.array([1.0]))
    np.testing.assert_allclose(found[:, 2], np.sqrt(0.5))


def test_particles_without_momentum_count_for_nothing() -> None:
    particles = np.array([[0, 0, 0.25], [0, 0, -0.5], [0.1, 0, -0.5]])
    found = rescaled(particles, np.array([2, 1]), np.array([1.0, 1.0]))
    # The first jet is doubled twice, its second particle stays one that counts for nothing; the second jet has no sum.
    np.testing.assert_array_equal(found[:, 2], [1.0, -2.0, -0.5])


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_jet_that_is_not_finite_changes_no_other_one(broken: float) -> None:
    jets = Jets.of_seed(2)
    particles = jets.particles.copy()
    particles[0, 2] = broken
    found = rescaled(particles, jets.multiplicity, jets.wanted)
    first = jets.multiplicity[0]
    assert not np.isfinite(found[:first]).all()
    np.testing.assert_array_equal(
        found[first:], rescaled(jets.particles, jets.multiplicity, jets.wanted)[first:], strict=True
    )


def test_a_jet_that_lost_nothing_has_a_sum_of_exactly_one() -> None:
    jets = Jets.of_seed(3)
    clouds = jets.clouds(rescaled(jets.particles, jets.multiplicity, np.ones(len(jets.wanted))))
    assert np.ptp(jet_kinematics(*momenta(clouds))[0]) > 0, "rounding to single precision shows"
    np.testing.assert_array_equal(relative_sum(clouds), 1.0)
    np.testing.assert_array_equal(observe(clouds)["jet_pt_rel"], 1.0)
