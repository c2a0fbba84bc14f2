"""Coordinates of particles relative to their jet, and what tells that others were given in their place."""

import sys
from collections.abc import Mapping

import numpy as np

from cloudchamber.cloud import Clouds, Column
from cloudchamber.errors import InputError

__all__ = [
    "RELATIVE_COLUMNS",
    "refuse_degrees",
    "refuse_other_axes",
    "refuse_other_masses",
    "refuse_other_sums",
    "refuse_other_units",
    "relative_points",
    "within_a_turn",
    "wrap",
]

RELATIVE_COLUMNS = (Column("eta_rel"), Column("phi_rel", "rad"), Column("pt_rel"))

# Coordinates that are another's are told by medians, since single values of a generated jet may be anything.
_FEW, _LARGEST_SUM, _LARGEST_PT = 0.01, 10.0, 2e4
# The median distance of the particles of a jet from its axis, in eta or phi: none is as wide.
_LARGEST_OFFSET = 0.4
# GeV and MeV are a thousand apart; few particles of a jet have a part of its mass.
_MASS_RATIO = 30.0
# In GeV.
_LEAST_MASS = 1.0
# A difference that lacks a whole turn, with room for the width of a jet.
_LARGEST_ANGLE = 2 * np.pi + 1


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


def within_a_turn(phi_rel: np.ndarray, real: np.ndarray, source: str) -> np.ndarray:
    """Return differences of azimuths, those beyond pi moved by whole turns, and say how many these were.

    Args:
        phi_rel: (N, P) [rad], zero in empty slots.
        real: (N, P) bool, true for particles.
        source: file or argument, for the line and the error.

    Raises:
        InputError: more than one in a hundred is beyond a turn, as degrees are.
    """
    refuse_degrees(phi_rel, real, f"{source}: phi_rel")
    size = np.abs(phi_rel)
    beyond = int((size > np.pi).sum())
    if not beyond:
        return phi_rel
    sys.stderr.write(f"{source}: phi_rel of {beyond} particles was beyond pi, and is moved by whole turns\n")
    return np.where(size > np.pi, wrap(phi_rel), phi_rel)


def refuse_degrees(phi: np.ndarray, real: np.ndarray, source: str) -> None:
    """Refuse azimuths, or differences of these, that are in degrees.

    Args:
        phi: (N, P) [rad], zero in empty slots.
        real: (N, P) bool, true for particles.
        source: what they are, for the error.

    Raises:
        InputError: more than one in a hundred is beyond a turn.
    """
    far, particles = int((np.abs(phi) > _LARGEST_ANGLE).sum()), int(real.sum())
    if far > _FEW * particles:
        raise InputError(f"{source} of {far} of {particles} particles is beyond a turn: expected rad")


def refuse_other_sums(sums: np.ndarray, source: str) -> None:
    """Refuse jets whose particles have their pT in GeV, by the (N,) sums of pt_rel.

    Raises:
        InputError: the median is far above one.
    """
    if (typical := float(np.median(sums))) > _LARGEST_SUM:
        raise InputError(
            f"{source}: pt_rel of a jet adds up to {typical:.3g} (median): expected units of the pT of the jet"
        )


def refuse_other_units(jet_pt: np.ndarray, source: str) -> None:
    """Refuse (N,) transverse momenta of jets that are in MeV.

    Raises:
        InputError: the median is above that of any collider.
    """
    if (typical := float(np.median(jet_pt))) > _LARGEST_PT:
        raise InputError(f"{source} is {typical:.3g} (median): expected the pT in GeV")


def refuse_other_axes(sums: np.ndarray, weighted: Mapping[str, np.ndarray], source: str) -> None:
    """Refuse jets whose particles lie about another place than their axis.

    Args:
        sums: (N,) of pt_rel over the particles of each jet.
        weighted: eta_rel and phi_rel by name, (N,) sums weighted by pt_rel.
        source: what they are, for the error.

    Raises:
        InputError: the median distance is that of no jet.
    """
    for name, of_jets in weighted.items():
        centre = np.divide(of_jets, sums, out=np.zeros_like(sums), where=sums > 0)
        if (typical := float(np.median(np.abs(centre)))) > _LARGEST_OFFSET:
            raise InputError(
                f"{source}: the particles of a jet lie {typical:.2g} from its axis in {name} (median): expected the "
                "difference to the axis"
            )


def refuse_other_masses(mass: np.ndarray, own: np.ndarray, source: str) -> None:
    """Refuse (N,) masses of jets that were not filled or have another unit than momenta, by (N,) of their particles.

    Raises:
        InputError: the median ratio is far from one, or most masses are not positive.
    """
    # Rounding makes the mass of few particles at one place zero, or slightly negative.
    massive = own > _LEAST_MASS
    unfilled = np.count_nonzero(massive & (mass <= 0))
    if 2 * unfilled > np.count_nonzero(massive):
        raise InputError(
            f"{source} is not positive for {unfilled} of {len(mass)} jets whose particles have a mass: it is not filled"
        )
    seen = (own > 0) & (mass > 0)
    ratio = float(np.median(mass[seen] / own[seen])) if seen.any() else 1.0
    if not 1 / _MASS_RATIO < ratio < _MASS_RATIO:
        raise InputError(
            f"{source} is {ratio:.2g} times the mass of the particles (median): expected the mass in the unit of the "
            "pT, which is GeV"
        )
