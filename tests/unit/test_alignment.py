"""Aligned jets: where the prongs are, which jets are left out, and the axes against fastjet."""

import fastjet
import numpy as np
import pytest

from cloudchamber.cloud import Clouds, Column
from cloudchamber.jets.alignment import CORNERS, aligned, nearest_prong
from cloudchamber.jets.kt_clustering import exclusive_axes
from cloudchamber.jets.relative import RELATIVE_COLUMNS


def _clouds(jets: list[np.ndarray]) -> Clouds:
    """Return jets of (n, 3) eta, phi and pt of particles."""
    width = max(len(jet) for jet in jets)
    points = np.zeros((len(jets), width, 3), np.float32)
    mask = np.zeros((len(jets), width), bool)
    for row, jet in enumerate(jets):
        points[row, : len(jet)], mask[row, : len(jet)] = jet, True
    number = np.arange(len(jets), dtype=np.float32)[:, None]
    return Clouds(points, mask, number, np.zeros((len(jets), 0), np.int64), RELATIVE_COLUMNS, (Column("number"),))


def _jet(prongs: np.ndarray, shares: tuple[float, ...] = (0.5, 0.3, 0.2)) -> np.ndarray:
    """Return a jet with a particle at each of the (n, 2) places."""
    return np.column_stack([prongs, shares[: len(prongs)]])


def _triangles(rng: np.random.Generator, jets: int) -> np.ndarray:
    """Return (jets, 3, 2) corners of triangles that are far from a line: turned, stretched and mirrored ones."""
    turns = rng.uniform(0, 2 * np.pi, jets)
    cos, sin = np.cos(turns), np.sin(turns)
    rotations = np.stack([np.stack([cos, -sin], 1), np.stack([sin, cos], 1)], 1)
    sizes = rng.uniform(0.1, 0.3, (jets, 1, 1)) * np.where(rng.random((jets, 1, 1)) < 0.5, [1, 1], [-1, 1])
    return (CORNERS * sizes) @ rotations + rng.normal(0, 0.05, (jets, 1, 2))


def test_prongs_lie_at_the_corners_by_their_momentum(rng: np.random.Generator) -> None:
    order = rng.permuted(np.tile(np.arange(3), (50, 1)), axis=1)
    shares = np.array([0.5, 0.3, 0.2])
    jets = [
        _jet(corners[places], tuple(shares[places])) for corners, places in zip(_triangles(rng, 50), order, strict=True)
    ]
    turned = aligned(_clouds(jets))
    assert len(turned) == 50
    for jet, places in zip(turned.points, order, strict=True):
        np.testing.assert_allclose(jet[:, :2], CORNERS[places], atol=1e-5)


def test_particles_belong_to_the_prong_that_they_lie_at(rng: np.random.Generator) -> None:
    order = rng.permutation(3)
    corners = _triangles(rng, 1)[0]
    beside = np.column_stack([corners + 0.001, np.full(3, 1e-3)])
    jet = np.vstack([_jet(corners[order], tuple(np.array([0.5, 0.3, 0.2])[order])), beside])
    alone = _jet(corners[:1])
    prongs = nearest_prong(_clouds([jet, alone]))
    np.testing.assert_array_equal(prongs[0], [*order, 0, 1, 2])
    assert prongs[1, 0] == 0


def test_one_affine_map_takes_all_of_a_jet(rng: np.random.Generator) -> None:
    corners = _triangles(rng, 1)[0]
    # A soft particle half way between two prongs, and one in the middle of all, go to the same places of the triangle.
    soft = np.array([corners[:2].mean(axis=0), corners.mean(axis=0)])
    jet = np.vstack([_jet(corners), np.column_stack([soft, [1e-7, 1e-7]])])
    found = aligned(_clouds([jet])).points[0, 3:, :2]
    np.testing.assert_allclose(found, [CORNERS[:2].mean(axis=0), [0, 0]], atol=1e-4)


def test_jets_on_a_line_and_of_two_particles_are_left_out() -> None:
    line = np.array([[-0.2, -0.1], [0.0, 0.0], [0.2, 0.1]])
    flat = np.array([[-0.2, 0.0], [0.0, 0.02], [0.2, 0.0]])
    jets = [_jet(line), _jet(0.2 * CORNERS), _jet(0.2 * CORNERS[:2]), _jet(flat), _jet(np.zeros((3, 2)))]
    turned = aligned(_clouds(jets))
    np.testing.assert_array_equal(turned.features[:, 0], [1])
    assert len(aligned(_clouds(jets[:1]))) == 0


def test_padding_and_momenta_stay(rng: np.random.Generator) -> None:
    jets = [_jet(0.2 * CORNERS), np.vstack([_jet(0.1 * CORNERS), [0.0, 0.0, 1e-6]])]
    turned = aligned(_clouds(jets))
    np.testing.assert_array_equal(turned.mask.sum(axis=1), [3, 4])
    assert not turned.points[0, 3].any(), "padding moved"
    np.testing.assert_array_equal(turned.points[:, :3, 2], np.float32([[0.5, 0.3, 0.2]] * 2))


@pytest.mark.parametrize("n_axes", [1, 2, 3])
def test_axes_are_those_of_fastjet(n_axes: int, rng: np.random.Generator) -> None:
    pt, eta, phi = rng.exponential(10, (40, 12)), rng.normal(0, 0.3, (40, 12)), rng.normal(0, 0.3, (40, 12))
    found = exclusive_axes(pt, eta, phi, n_axes)
    definition = fastjet.JetDefinition(fastjet.kt_algorithm, 1000.0)
    for jet in range(len(pt)):
        particles = [
            fastjet.PseudoJet(z * np.cos(p), z * np.sin(p), z * np.sinh(e), z * np.cosh(e))
            for z, e, p in zip(pt[jet], eta[jet], phi[jet], strict=True)
        ]
        sequence = fastjet.ClusterSequence(particles, definition)
        expected = sorted(((j.pt(), j.rap(), j.phi_std()) for j in sequence.exclusive_jets(n_axes)), reverse=True)
        np.testing.assert_allclose(found[jet], expected, rtol=1e-9, atol=1e-12)
