"""Parametrised showers of all species: many at once, with the truth that they were drawn from.

Electromagnetic showers are those of :mod:`electromagnetic`. Hadronic ones have the longitudinal form of Bock,
Hansl-Kozanecka and Shah (NIM 186 (1981) 533) with the parameters that Kulchitsky and Vinogradov give (hep-ex/9903019):
a = 0.786 + 0.427 ln E, d = 0.978 and w = 1.032 - 0.159 ln E, where each term is a unit gamma density, so that w is the
mean electromagnetic part, kept within 0 and 1. What one shower needs beyond a mean profile are choices of this study,
and no published constants; they stand below as names. They make showers to test models with, and say nothing of
physics.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import gammainc

from cloudchamber.studies.showers import electromagnetic
from cloudchamber.studies.showers.deposits import Deposits, Particles, across, joined
from cloudchamber.studies.showers.geometry import Geometry
from cloudchamber.studies.showers.materials import Medium
from cloudchamber.studies.showers.species import SPECIES, species_numbers

__all__ = ["Truth", "simulate_showers"]

# Electromagnetic part of a hadronic shower: a Beta distribution with this sum of its parameters.
_CONCENTRATION = 6.0
# Mean number of electromagnetic showers inside of a hadronic one: 1 + this times ln E.
_SUB_SHOWERS, _MOST_SUB_SHOWERS = 0.8, 6
# Distance of their axes from that of the hadron [interaction lengths]: standard deviation in each direction.
_OFFSET = 0.05
_LEAST_SUB_ENERGY = 0.1
# Spots of the rest: number per GeV, radius of their tail in interaction lengths, visible energy over that of electrons.
_HADRONIC_SPOTS, _HADRONIC_RADIUS, _HADRON_RESPONSE = 12.0, 0.3, 0.7
# Width of the energy of a minimum ionising particle in a layer, over its mean.
_MIP_WIDTH = 0.15
_MEV = 1e-3


@final
@dataclass(frozen=True)
class Truth:
    """What N showers were drawn from.

    Attributes:
        start: (N,) depth of the first interaction along the axis: radiation lengths where the shower is
        electromagnetic,
            interaction lengths where it is hadronic.
        peak, alpha: (N,) of electromagnetic showers; not a number for hadronic ones.
        electromagnetic: (N,) part of the energy in electromagnetic showers.
    """

    start: np.ndarray
    peak: np.ndarray
    alpha: np.ndarray
    electromagnetic: np.ndarray


def simulate_showers(particles: Particles, geometry: Geometry, rng: np.random.Generator) -> tuple[Deposits, Truth]:
    """Draw one shower for each particle.

    Args:
        particles: what begins the showers.
        geometry: where.
        rng: generator of everything random.

    Returns:
        Deposits in the order of the particles, and what they were drawn from. Energy behind the last layer is lost.
    """
    kinds = [list(SPECIES.values())[number] for number in species_numbers(particles.pdg, "particles")]
    hadronic = np.array([kind.hadronic for kind in kinds], bool)
    charged = np.array([kind.charge != 0 for kind in kinds], bool)
    photons = particles.pdg == SPECIES["photon"].pdg
    baryons = np.array([kind.baryons * kind.mass for kind in kinds])
    n = len(particles)
    light = np.flatnonzero(~hadronic)
    start = electromagnetic.start_depths(n, photons, rng)
    parts, profiles = [], np.full((2, n), np.nan)
    if len(light):
        deposits, drawn = _electromagnetic(particles, light, particles.energy[light], start[light], geometry, rng)
        parts.append(deposits)
        profiles[:, light] = drawn.peak, drawn.alpha
    share = np.ones(n)
    heavy = np.flatnonzero(hadronic)
    if len(heavy):
        available = np.maximum(particles.energy[heavy] - baryons[heavy], 0.05)
        # A first interaction behind the last layer leaves a track, and no shower.
        start[heavy] = rng.exponential(1.0, len(heavy))
        share[heavy] = _electromagnetic_share(available, rng)
        parts.append(_tracks(particles, heavy[charged[heavy]], start, geometry, rng))
        parts += _hadronic(particles, heavy, available, share[heavy], start[heavy], geometry, rng)
    deposits = joined(parts)
    kept = deposits.energy > 0
    deposits = Deposits(**{name: getattr(deposits, name)[kept] for name in Deposits.__annotations__})
    return deposits, Truth(start, profiles[0], profiles[1], share)


def _medium(geometry: Geometry) -> Medium:
    """Return the medium of the first layer, whose constants stand for those of the stack."""
    return geometry.plates[0].medium


def _radiated(geometry: Geometry, depth: np.ndarray) -> np.ndarray:
    """Return radiation lengths at depths in interaction lengths."""
    return np.interp(depth, geometry.interaction_depths, geometry.radiation_depths)


def _electromagnetic(
    particles: Particles,
    showers: np.ndarray,
    energy: np.ndarray,
    start: np.ndarray,
    geometry: Geometry,
    rng: np.random.Generator,
    offset: np.ndarray | None = None,
) -> tuple[Deposits, electromagnetic.Profiles]:
    """Return the deposits of electromagnetic showers of (n,) energies that begin at depths along the axis.

    Args:
        particles: of all showers.
        showers: (n,) rows of the particles that they belong to.
        energy: (n,) [GeV].
        start: (n,) radiation lengths along the axis.
        geometry: where.
        rng: generator.
        offset: (n, 2) [mm] of their axes from those of the particles, perpendicular to them.
    """
    medium = _medium(geometry)
    profiles = electromagnetic.draw_profiles(energy, medium, rng)
    slant = 1 / particles.direction[showers, 2]
    edges = geometry.radiation_depths * slant[:, None] - start[:, None]
    mean = energy[:, None] * profiles.fractions(edges)
    # The variance of a layer is c^2 per GeV; a Gamma distribution keeps it positive.
    variance = electromagnetic.RESOLUTION**2
    deposited = rng.gamma(np.maximum(mean / variance, 1e-12), variance)
    number = rng.poisson(electromagnetic.spot_number(energy)[:, None] * profiles.spot_fractions(edges))
    visible = deposited * geometry.sampling_fractions
    # A layer without a spot and with energy enough to be read out has one.
    number = np.where((number == 0) & (visible > _MEV * geometry.thresholds), 1, number)
    of, layer = np.nonzero(number)
    spots = number[of, layer]
    spot_energy = np.repeat(visible[of, layer] / spots, spots)
    row, layer = np.repeat(of, spots), np.repeat(layer, spots)
    middle = 0.5 * (edges[:, 1:] + edges[:, :-1])
    tau = np.maximum(middle[row, layer], 0.0) / profiles.peak[row]
    core, tail, share = electromagnetic.radial_parameters(energy[row], tau, medium)
    scale = np.where(rng.random(len(row)) < share, core, tail)
    uniform = rng.random(len(row))
    moliere = np.array([plates.medium.moliere_radius for plates in geometry.plates])
    filled = np.array([plates.absorber_mm + plates.active_mm for plates in geometry.plates])
    # Gaps of air let particles move apart for longer than the material alone.
    radius = (moliere * geometry.pitches / filled)[layer] * scale * np.sqrt(uniform / (1 - uniform))
    phi = rng.uniform(0, 2 * np.pi, len(row))
    if offset is not None:
        along, across_ = radius * np.cos(phi) + offset[row, 0], radius * np.sin(phi) + offset[row, 1]
        radius, phi = np.hypot(along, across_), np.arctan2(across_, along)
    x, y = across(geometry, particles, showers[row], layer, radius, phi)
    return Deposits(showers[row], x, y, layer, spot_energy), profiles


def _electromagnetic_share(energy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    mean = np.clip(1.032 - 0.159 * np.log(np.maximum(energy, 0.1)), 0.02, 0.98)
    return rng.beta(mean * _CONCENTRATION, (1 - mean) * _CONCENTRATION)


def _tracks(
    particles: Particles, showers: np.ndarray, start: np.ndarray, geometry: Geometry, rng: np.random.Generator
) -> Deposits:
    """Return what charged hadrons leave in the layers in front of their first interaction."""
    slant = 1 / particles.direction[showers, 2]
    reached = geometry.interaction_depths[1:] * slant[:, None] < start[showers][:, None]
    of, layer = np.nonzero(reached)
    shower = showers[of]
    # Moyal's form of the distribution of energy losses, with mean one.
    gumbel = -np.log(rng.chisquare(1, len(of)))
    factor = np.maximum(1 + _MIP_WIDTH * (gumbel - 1.27), 0.3)
    energy = _MEV * geometry.mip_energies[layer] * slant[of] * factor
    x, y = across(geometry, particles, shower, layer, np.zeros(len(of)), np.zeros(len(of)))
    return Deposits(shower, x, y, layer, energy)


def _hadronic(
    particles: Particles,
    showers: np.ndarray,
    energy: np.ndarray,
    share: np.ndarray,
    start: np.ndarray,
    geometry: Geometry,
    rng: np.random.Generator,
) -> list[Deposits]:
    """Return what is left behind the first interaction: electromagnetic showers inside, and the rest."""
    slant = 1 / particles.direction[showers, 2]
    log_energy = np.log(np.maximum(energy, 1.0))
    number = np.minimum(1 + rng.poisson(_SUB_SHOWERS * log_energy), _MOST_SUB_SHOWERS)
    there = np.arange(_MOST_SUB_SHOWERS) < number[:, None]
    pieces = np.where(there, rng.exponential(1.0, there.shape), 0.0)
    pieces = pieces / pieces.sum(axis=1, keepdims=True) * (share * energy)[:, None]
    # The first at the first interaction, the others where the products of others interact.
    further = np.cumsum(np.where(np.arange(_MOST_SUB_SHOWERS) > 0, rng.exponential(0.4, there.shape), 0.0), axis=1)
    depth = (start[:, None] + further) / slant[:, None]
    large = there & (pieces > _LEAST_SUB_ENERGY) & (depth < geometry.interaction_depths[-1])
    of, place = np.nonzero(large)
    length = np.array([plates.medium.interaction_length for plates in geometry.plates])
    filled = np.array([plates.absorber_mm + plates.active_mm for plates in geometry.plates])
    stretched = length * geometry.pitches / filled
    layer = np.minimum(np.searchsorted(geometry.interaction_depths, depth[of, place]) - 1, geometry.layers - 1)
    offset = rng.normal(size=(len(of), 2)) * (_OFFSET * stretched[np.maximum(layer, 0)] * (place > 0))[:, None]
    begins = _radiated(geometry, depth[of, place]) * slant[of]
    inside, _ = _electromagnetic(particles, showers[of], pieces[of, place], begins, geometry, rng, offset)
    rest = energy - np.where(large, pieces, 0.0).sum(axis=1)
    shape = 0.786 + 0.427 * log_energy
    edges = geometry.interaction_depths * slant[:, None] - start[:, None]
    fractions = np.diff(gammainc(shape[:, None], 0.978 * np.maximum(edges, 0.0)), axis=1)
    spots = rng.poisson(_HADRONIC_SPOTS * rest[:, None] * fractions)
    of, layer = np.nonzero(spots)
    each = spots[of, layer]
    row, layer = np.repeat(of, each), np.repeat(layer, each)
    mean = _HADRON_RESPONSE / _HADRONIC_SPOTS * geometry.sampling_fractions[layer]
    uniform = rng.random(len(row))
    scale = np.where(rng.random(len(row)) < 0.6, 0.2, 1.0) * _HADRONIC_RADIUS
    radius = scale * stretched[layer] * np.sqrt(uniform / (1 - uniform))
    x, y = across(geometry, particles, showers[row], layer, radius, rng.uniform(0, 2 * np.pi, len(row)))
    return [inside, Deposits(showers[row], x, y, layer, rng.exponential(mean))]
