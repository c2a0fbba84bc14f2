"""Relative coordinates against a plain loop, and their symmetries."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prepared_jets import raw_jets

from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.relative import RELATIVE_COLUMNS, relative_points, wrap

TURN = 2 * math.pi


def _shifted(clouds: Clouds, eta: float = 0.0, phi: float = 0.0, scale: float = 1.0) -> Clouds:
    """Return the clouds with all particles and jets moved and scaled; padded slots stay zero."""
    points, features = clouds.points.astype(np.float64), clouds.features.astype(np.float64)
    points += np.array([0.0, eta, phi]) * clouds.mask[:, :, None]
    features += [0.0, eta, phi, 0.0]
    points[:, :, 0] *= scale
    features[:, 0] *= scale
    return replace(clouds, points=points.astype(np.float32), features=features.astype(np.float32))


@given(st.floats(-1e3, 1e3))
def test_wrapped_angles_are_the_same_angles_in_one_turn(phi: float) -> None:
    wrapped = float(wrap(np.array(phi)))
    assert -math.pi <= wrapped <= math.pi
    turns = (phi - wrapped) / TURN
    assert turns == pytest.approx(round(turns), abs=1e-12)


@given(st.floats(-3.1, 3.1))
def test_an_angle_inside_the_turn_stays(phi: float) -> None:
    assert float(wrap(np.array(phi))) == pytest.approx(phi, abs=1e-15)


def test_the_definition(rng: np.random.Generator) -> None:
    clouds = raw_jets(50, 7, rng)
    relative = relative_points(clouds)
    assert relative.dtype == np.float32
    assert [column.name for column in RELATIVE_COLUMNS] == ["eta_rel", "phi_rel", "pt_rel"]
    crossed = 0
    for jet in range(len(clouds)):
        jet_pt, jet_eta, jet_phi = (float(clouds.feature(name)[jet]) for name in ("jet_pt", "jet_eta", "jet_phi"))
        for slot in range(7):
            if not clouds.mask[jet, slot]:
                assert not relative[jet, slot].any()
                continue
            pt, eta, phi = (float(value) for value in clouds.points[jet, slot])
            # The angle between two directions in the plane, by their sine and cosine.
            difference = math.atan2(math.sin(phi - jet_phi), math.cos(phi - jet_phi))
            crossed += abs(difference - (phi - jet_phi)) > 1
            assert relative[jet, slot] == pytest.approx([eta - jet_eta, difference, pt / jet_pt], abs=1e-6, rel=1e-6)
    assert crossed, "no jet of this test lies across the seam of phi"


@given(st.floats(-3, 3), st.floats(-10, 10), st.floats(0.1, 10))
def test_moving_turning_and_scaling_the_event_changes_nothing(eta: float, phi: float, scale: float) -> None:
    clouds = raw_jets(10, 5, np.random.default_rng(8))
    before, after = relative_points(clouds), relative_points(_shifted(clouds, eta, phi, scale))
    # The moved coordinates are float32 numbers below 16.
    assert np.abs(after - before).max() < 4 * 16 * 2.0**-24


def test_momenta_add_up_to_the_jet(rng: np.random.Generator) -> None:
    clouds = raw_jets(50, 7, rng)
    assert relative_points(clouds)[:, :, 2].sum(axis=1) == pytest.approx(1.0, abs=1e-6)


def test_jets_without_momentum_or_axis_are_refused(rng: np.random.Generator) -> None:
    clouds = raw_jets(5, 4, rng)
    features = clouds.features.copy()
    features[2:4, 0] = [0.0, -1.0]
    with pytest.raises(InputError, match="2 of 5 jets have a transverse momentum that is not positive"):
        relative_points(replace(clouds, features=features))
    with pytest.raises(InputError, match="no feature 'jet_eta' among"):
        relative_points(replace(clouds, feature_columns=clouds.feature_columns[:1], features=clouds.features[:, :1]))
