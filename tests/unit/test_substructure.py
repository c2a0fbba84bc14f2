"""Substructure against FastJet and its contrib packages, hand calculations and toy jets."""

import math

import awkward as ak
import fastjet
import numpy as np
import pytest

from cloudchamber.jets.energy_correlation import d2, energy_correlations
from cloudchamber.jets.n_subjettiness import subjettiness, subjettiness_basis, subjettiness_ratio

Jets = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture
def jets(rng) -> Jets:
    """Padded jets of 4 to 25 particles, with the padding scattered over the slots."""
    n_jets, width = 400, 25
    multiplicity = rng.integers(4, width + 1, n_jets)
    present = rng.permuted(np.arange(width) < multiplicity[:, None], axis=1)
    pt = np.where(present, rng.exponential(size=(n_jets, width)) + 1e-3, 0.0)
    eta, phi = np.where(present, rng.normal(0.0, 0.4, (2, n_jets, width)), 0.0)
    return pt, eta, phi


def fastjet_clusters(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> fastjet.ClusterSequence:
    """One jet per cloud: kT with a radius beyond all particles."""
    counts = (pt > 0).sum(axis=1)
    pt, eta, phi = (values[pt > 0] for values in (pt, eta, phi))
    momenta = ak.zip({"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pt * np.sinh(eta), "E": pt * np.cosh(eta)})
    definition = fastjet.JetDefinition(fastjet.kt_algorithm, 50.0)
    return fastjet.ClusterSequence(ak.unflatten(momenta, counts), definition)


def test_fastjet_contrib_finds_the_same_subjettiness(jets):
    reference = fastjet_clusters(*jets).njettiness(
        measure_definition="NormalizedMeasure", axes_definition="KT_Axes", njets=[1, 2, 3], beta=1.0, R0=0.8
    )
    np.testing.assert_allclose(
        subjettiness(*jets), np.asarray(reference).reshape(len(jets[0]), 3), rtol=1e-9, atol=1e-13
    )


@pytest.mark.parametrize("width", [2, 3])
def test_fastjet_contrib_finds_the_same_subjettiness_of_the_smallest_jets(rng, width):
    pt, eta, phi = rng.uniform(0.1, 1.0, (50, width)), *rng.normal(0.0, 0.4, (2, 50, width))
    reference = fastjet_clusters(pt, eta, phi).njettiness(
        measure_definition="NormalizedMeasure", axes_definition="KT_Axes", njets=[1, 2], beta=1.0, R0=0.8
    )
    tau = subjettiness(pt, eta, phi)
    np.testing.assert_allclose(tau[:, :2], np.asarray(reference).reshape(50, 2), rtol=1e-9, atol=1e-12)
    assert (tau[:, width - 1 :] == 0).all()


@pytest.mark.parametrize("beta", [0.5, 1.0, 1.7, 2.0])
def test_fastjet_contrib_finds_the_same_basis(rng, beta):
    """Up to 45 axes for jets of 2 to 100 towers, so that many jets have fewer towers than axes."""
    multiplicity = np.tile([2, 7, 20, 44, 45, 46, 100], 6)
    present = rng.permuted(np.arange(110) < multiplicity[:, None], axis=1)
    pt = np.where(present, rng.exponential(size=present.shape) ** 2 + 1e-3, 0.0)
    eta, phi = np.where(present, rng.normal(0.0, 0.4, (2, *present.shape)), 0.0)
    own = subjettiness_basis(pt, eta, phi, 1.2, 45, (3.0, beta))
    assert own.shape == (42, 45, 2)
    reference = np.zeros((42, 45))
    for n in range(1, 46):
        rows = multiplicity >= n
        of_n = fastjet_clusters(pt[rows], eta[rows], phi[rows]).njettiness(
            measure_definition="NormalizedMeasure", axes_definition="KT_Axes", njets=[n], beta=beta, R0=1.2
        )
        reference[rows, n - 1] = np.asarray(of_n).ravel()
    # FastJet's azimuths and sums round, and a power below one makes much of a small distance.
    np.testing.assert_allclose(own[:, :, 1], reference, rtol=1e-9, atol=1e-13 if beta >= 1 else 1e-8)


def test_numbers_of_the_basis_are_those_of_each_part(jets):
    basis = subjettiness_basis(*jets, 0.8, 6, (0.5, 1.0, 2.0))
    np.testing.assert_array_equal(basis[:, :3, 1], subjettiness(*jets))
    np.testing.assert_array_equal(basis[:, :4, 2], subjettiness_basis(*jets, 0.8, 4, (2.0,))[:, :, 0])
    np.testing.assert_allclose(
        basis * 0.8 ** np.array([0.5, 1.0, 2.0]), subjettiness_basis(*jets, 1.0, 6, (0.5, 1.0, 2.0)), rtol=1e-12
    )


def test_three_prongs_by_hand():
    """Two collinear particles and one away: with two axes only the pair is apart from its axis."""
    pt, eta, phi = np.array([[1.0, 1.0, 2.0]]), np.array([[0.0, 0.0, 0.0]]), np.array([[0.1, -0.1, 1.0]])
    tau = subjettiness_basis(pt, eta, phi, 1.0, 3, (1.0, 2.0))[0]
    np.testing.assert_allclose(tau[1], [(0.1 + 0.1) / 4, (0.01 + 0.01) / 4], rtol=1e-12)
    assert (tau[2] == 0).all()


def test_fastjet_contrib_finds_the_same_energy_correlations(jets):
    clusters = fastjet_clusters(*jets)
    e2, e3 = energy_correlations(*jets)
    for own, function, points in ((e2, "generic", 2), (e3, "generic", 3), (d2(e2, e3), "d2", 2)):
        reference = clusters.exclusive_jets_energy_correlator(
            njets=1, beta=1, npoint=points, func=function, normalized=True
        )
        np.testing.assert_allclose(own, np.asarray(reference).ravel(), rtol=1e-9)


def test_two_particles_by_hand():
    pt, eta, phi = np.array([[3.0, 0.0, 1.0]]), np.array([[0.3, 0.0, 0.3]]), np.array([[0.1, 0.0, 0.5]])
    e2, e3 = energy_correlations(pt, eta, phi)
    assert e2 == pytest.approx(0.75 * 0.25 * 0.4, rel=1e-12)
    assert e3 == 0.0
    assert d2(e2, e3) == 0.0
    tau = subjettiness(pt, eta, phi, radius=1.0)
    # The axis is the sum of two particles of equal rapidity; its azimuth is that of the summed vectors.
    axis_phi = math.atan2(3 * math.sin(0.1) + math.sin(0.5), 3 * math.cos(0.1) + math.cos(0.5))
    assert tau[0, 0] == pytest.approx((3 * (axis_phi - 0.1) + (0.5 - axis_phi)) / 4, rel=1e-12)
    assert (tau[0, 1:] == 0).all()


def test_equilateral_triangle_by_hand():
    side = 0.2
    eta, phi = np.array([[0.0, side, side / 2]]), np.array([[0.0, 0.0, side * math.sqrt(3) / 2]])
    e2, e3 = energy_correlations(np.ones((1, 3)), eta, phi)
    assert e2 == pytest.approx(3 * side / 9, rel=1e-12)
    assert e3 == pytest.approx(side**3 / 27, rel=1e-12)
    assert d2(e2, e3) == pytest.approx(1.0, rel=1e-12)


def test_jets_without_enough_particles_have_defined_values():
    pt = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    eta = phi = np.zeros((3, 3))
    tau = subjettiness(pt, eta, phi)
    e2, e3 = energy_correlations(pt, eta, phi)
    for values in (
        tau[:2],
        subjettiness_ratio(tau, 2),
        subjettiness_ratio(tau, 3),
        e2,
        e3,
        d2(e2, e3),
    ):
        assert np.abs(values).max() == 0


def prongs(rng: np.random.Generator, n_prongs: int, width: float) -> Jets:
    """Jets of 24 particles around ``n_prongs`` well separated directions."""
    centres = np.array([(0.0, 0.3), (0.3, -0.2), (-0.35, -0.1)])[:n_prongs]
    particles = centres[np.arange(24) % n_prongs] + rng.normal(0.0, width, (100, 24, 2))
    return rng.uniform(0.5, 1.0, (100, 24)), particles[..., 0], particles[..., 1]


def test_ratios_tell_the_number_of_prongs(rng):
    width = 1e-4
    one, two, three = (subjettiness(*prongs(rng, n, width)) for n in (1, 2, 3))
    assert one.max() < 5 * width
    assert subjettiness_ratio(two, 2).max() < 1e-2
    assert subjettiness_ratio(three, 3).max() < 1e-2
    assert subjettiness_ratio(three, 2).min() > 0.1
    assert subjettiness_ratio(one, 2).min() > 0.2


def test_d2_tells_two_prongs_from_one(rng):
    two, one = (d2(*energy_correlations(*prongs(rng, n, 1e-2))) for n in (2, 1))
    assert two.max() < 0.5 * one.min()


def test_the_order_of_particles_and_padding_do_not_matter(rng, jets):
    order = rng.permuted(np.tile(np.arange(25), (400, 1)), axis=1)
    shuffled = [np.pad(np.take_along_axis(values, order, axis=1), ((0, 0), (0, 5))) for values in jets]
    np.testing.assert_allclose(subjettiness(*shuffled), subjettiness(*jets), rtol=1e-10, atol=1e-13)
    for own, other in zip(energy_correlations(*shuffled), energy_correlations(*jets), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-10)


def test_rotation_across_the_seam_of_the_azimuth_changes_nothing(jets):
    pt, eta, phi = jets
    turned = np.where(pt > 0, (phi + math.pi) % (2 * math.pi), 0.0)
    np.testing.assert_allclose(subjettiness(pt, eta, turned), subjettiness(*jets), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(energy_correlations(pt, eta, turned), energy_correlations(*jets), rtol=1e-9)


def test_the_scale_of_momenta_cancels(jets):
    pt, eta, phi = jets
    np.testing.assert_allclose(subjettiness(1e3 * pt, eta, phi), subjettiness(*jets), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(energy_correlations(1e3 * pt, eta, phi), energy_correlations(*jets), rtol=1e-9)


def test_radius_divides_the_subjettiness(jets):
    np.testing.assert_allclose(subjettiness(*jets, radius=0.4), 2 * subjettiness(*jets, radius=0.8), rtol=1e-12)
