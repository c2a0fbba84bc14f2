"""Electromagnetic and hadronic cascades as spots: minimum ionising particles that cross a strip.

The number of spots is Poisson with the mean of visible energy over the loss of such a particle in a plane, in each view
for itself. Profiles are those in use for parametrisations (Review of Particle Physics, "Passage of particles"; the
lateral form is that of Grindhammer and Peters, hep-ex/0001020); widths and the hadronic part are choices made here.
"""

import numpy as np

from cloudchamber.studies.neutrinos.deposits import Deposits, joined, place
from cloudchamber.studies.neutrinos.energy_loss import IRON
from cloudchamber.studies.neutrinos.settings import DetectorSettings
from cloudchamber.studies.neutrinos.tracks import Starts

__all__ = ["electromagnetic", "hadronic"]

# Critical energy of iron [GeV], and the scale of the longitudinal profile.
_CRITICAL, _SCALE = 0.0217, 0.5
# Share of the visible energy of a hadronic cascade's hadronic part, and its fluctuation at 1 GeV.
_HADRON_RESPONSE, _FLUCTUATION = 0.75, 0.4
# Electromagnetic share of a hadronic cascade: one less energy to this power (Wigmans), and its spread.
_POWER, _SPREAD = -0.18, 0.15
# Of the hadronic part: shape and scale of the depth, width across, in interaction lengths.
_DEPTH_SHAPE, _DEPTH_SCALE, _WIDTH = 1.3, 0.8, 0.12


def electromagnetic(
    starts: Starts, photons: np.ndarray, detector: DetectorSettings, rng: np.random.Generator
) -> Deposits:
    """Return the deposits of electrons and photons; a photon goes 9/7 of a radiation length before, on average.

    Args:
        starts: where they start.
        photons: (N,) bool, which are photons.
        detector: size and material.
        rng: generator.
    """
    gap = np.where(photons, rng.exponential(9 / 7 * detector.radiation_length, len(starts)), 0.0)
    peak = np.where(photons, 0.5, -0.5)
    profile = _profile(starts.energy, peak, detector.radiation_length)
    return _spots(starts, starts.energy, gap, *profile, detector, rng, detector.moliere_radius / 3)


def hadronic(starts: Starts, detector: DetectorSettings, rng: np.random.Generator) -> Deposits:
    """Return the deposits of hadrons that interact where they start: an electromagnetic and a hadronic part."""
    energy = starts.energy
    mean = np.where(energy > 1, 1 - np.maximum(energy, 1.0) ** _POWER, 0.0)
    share = np.clip(rng.normal(mean, _SPREAD), 0.0, 1.0) * (energy > 1)
    bright = share * energy
    relative = _FLUCTUATION / np.sqrt(np.maximum(energy, 0.1))
    dim = (1 - share) * energy * _HADRON_RESPONSE * rng.gamma(1 / relative**2, relative**2)
    none = np.zeros(len(starts))
    # Some neutral pions share the electromagnetic energy.
    profile = _profile(bright / 3, 0.5 + none, detector.radiation_length)
    first = _spots(starts, bright, none, *profile, detector, rng, detector.moliere_radius / 3)
    length = detector.interaction_length
    shape, scale = none + _DEPTH_SHAPE, none + _DEPTH_SCALE * length
    second = _spots(starts, dim, none, shape, scale, detector, rng, _WIDTH * length)
    return joined([first, second])


def _profile(energy: np.ndarray, peak: np.ndarray, radiation_length: float) -> tuple[np.ndarray, np.ndarray]:
    """Return shape and scale [cm] of the gamma distribution of the depth, for the depth of the largest density.

    That depth is ln(energy / critical energy) + ``peak`` in radiation lengths.
    """
    depth = np.maximum(np.log(np.maximum(energy, _CRITICAL) / _CRITICAL) + peak, 0.2)
    return 1 + _SCALE * depth, np.full(len(energy), radiation_length / _SCALE)


def _spots(
    starts: Starts,
    energy: np.ndarray,
    gap: np.ndarray,
    shape: np.ndarray,
    scale: np.ndarray,
    detector: DetectorSettings,
    rng: np.random.Generator,
    width: float,
) -> Deposits:
    """Return spots about the directions of cascades.

    Args:
        starts: where they start.
        energy: (N,) visible [GeV].
        gap: (N,) way before the first spot [cm].
        shape, scale: (N,) of the gamma distribution of the depth; the scale in cm.
        detector, rng: as above.
        width: of the lateral form 2 r w^2 / (r^2 + w^2)^2 [cm].
    """
    mip = IRON.minimum * detector.density * detector.plane_pitch
    counts = rng.poisson(np.maximum(energy, 0.0)[:, None] / mip, (len(starts), 2))
    owner = np.repeat(np.arange(2 * len(starts)), counts.ravel())
    row, view = owner // 2, owner % 2
    depth = gap[row] + rng.gamma(shape[row], scale[row])
    uniform = rng.random(len(row))
    radius = width * np.sqrt(uniform / (1 - uniform))
    phi = rng.uniform(0, 2 * np.pi, len(row))
    first, second = _across(starts.direction)
    position = starts.position[row] + depth[:, None] * starts.direction[row]
    position += (radius * np.cos(phi))[:, None] * first[row] + (radius * np.sin(phi))[:, None] * second[row]
    return place(starts.particle[row], position, view, np.ones(len(row)), detector)


def _across(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two unit vectors perpendicular to each of (N, 3) directions and to each other."""
    along = np.abs(direction).argmin(axis=1)
    axis = np.eye(3)[along]
    first = np.cross(direction, axis)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return first, np.cross(direction, first)
