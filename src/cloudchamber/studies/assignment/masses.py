"""Invariant masses of assigned jets."""

import numpy as np

from cloudchamber.studies.assignment.event_file import Events

__all__ = ["four_momenta", "top_pair_masses", "top_transverse_momenta"]


def top_pair_masses(events: Events, jets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the (N, 2) masses of both W and of both tops [GeV], not a number where a jet is missing.

    Args:
        events: N events.
        jets: (N, 6) jets of b, q1, q2 of both tops, -1 for none.
    """
    momenta = _chosen(events, jets).reshape(len(jets), 2, 3, 4)
    return _mass(momenta[:, :, 1:].sum(axis=2)), _mass(momenta.sum(axis=2))


def top_transverse_momenta(events: Events, jets: np.ndarray) -> np.ndarray:
    """Return the (N, 2) transverse momenta of both tops [GeV]; arguments as of :func:`top_pair_masses`."""
    momenta = _chosen(events, jets).reshape(len(jets), 2, 3, 4).sum(axis=2)
    pt: np.ndarray = np.hypot(momenta[:, :, 0], momenta[:, :, 1])
    return pt


def four_momenta(jets: np.ndarray) -> np.ndarray:
    """Return (..., 4) float64 px, py, pz and E [GeV] of (..., 5) jets: pt, eta, phi, mass, b-tag."""
    pt, eta, phi, mass = np.moveaxis(np.asarray(jets, np.float64)[..., :4], -1, 0)
    px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
    energy = np.sqrt(np.maximum(px**2 + py**2 + pz**2 + mass * np.abs(mass), 0.0))
    return np.stack([px, py, pz, energy], axis=-1)


def _chosen(events: Events, jets: np.ndarray) -> np.ndarray:
    """Return (N, T, 4) four-momenta of the chosen jets, not a number for none."""
    momenta = four_momenta(np.take_along_axis(events.jets, np.maximum(jets, 0)[:, :, None], axis=1))
    return np.where(jets[:, :, None] >= 0, momenta, np.nan)


def _mass(momenta: np.ndarray) -> np.ndarray:
    squared = momenta[..., 3] ** 2 - (momenta[..., :3] ** 2).sum(axis=-1)
    mass: np.ndarray = np.sqrt(np.maximum(squared, 0.0))
    return mass
