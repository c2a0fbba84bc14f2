"""Coordinates of particles relative to their jet."""

import numpy as np

from cloudchamber.cloud import Clouds, Column
from cloudchamber.errors import InputError

__all__ = ["RELATIVE_COLUMNS", "relative_points", "wrap"]

RELATIVE_COLUMNS = (Column("eta_rel"), Column("phi_rel", "rad"), Column("pt_rel"))


def wrap(phi: np.ndarray) -> np.ndarray:
    """Return angles [rad] moved by whole turns into [-pi, pi)."""
    return (phi + np.pi) % (2 * np.pi) - np.pi


def relative_points(clouds: Clouds) -> np.ndarray:
    """Return the (N, P, 3) float32 coordinates (eta_rel, phi_rel, pt_rel) of jets, zero in padded slots.

    eta_rel and phi_rel are the differences to the jet axis, phi_rel wrapped into [-pi, pi); pt_rel is the particle's
    transverse momentum over that of the whole jet, constituents beyond the padded length included
    (the convention of JetNet, arXiv 2106.11535). It is zero where the particles of a jet have no momentum, which is a
    unit of nothing. Points that are in these coordinates already are returned unchanged.

    Raises:
        InputError: the clouds have no jet axis, or the transverse momentum of a jet is not positive and that of its
            particles is.
    """
    if clouds.point_columns == RELATIVE_COLUMNS:
        return clouds.points
    jet_pt = clouds.feature("jet_pt").astype(np.float64)
    bad = ~(jet_pt > 0) & (clouds.point("pt") != 0).any(axis=1)
    if bad.any():
        raise InputError(
            f"{int(bad.sum())} of {len(clouds)} jets have a transverse momentum that is not positive, and particles "
            "with some"
        )
    eta = clouds.point("eta") - clouds.feature("jet_eta").astype(np.float64)[:, None]
    phi = wrap(clouds.point("phi") - clouds.feature("jet_phi").astype(np.float64)[:, None])
    pt = clouds.point("pt") / np.where(jet_pt > 0, jet_pt, 1.0)[:, None]
    points = np.stack([eta, phi, pt], axis=-1).astype(np.float32)
    points[~clouds.mask] = 0.0
    return points
