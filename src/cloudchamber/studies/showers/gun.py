"""Particles that begin showers, drawn as the settings of the gun say."""

import numpy as np

from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.source_settings import GunSettings
from cloudchamber.studies.showers.species import LEAST_KINETIC_ENERGY, SPECIES

__all__ = ["draw_particles", "showers_of_shard"]


def showers_of_shard(settings: GunSettings, shard: int) -> int:
    """Return how many showers a shard has: they are dealt out as evenly as it goes."""
    return settings.showers // settings.shards + (shard < settings.showers % settings.shards)


def draw_particles(settings: GunSettings, number: int, rng: np.random.Generator) -> Particles:
    """Return particles with species in turns, and energies and directions at random.

    Args:
        settings: of the gun.
        number: of particles.
        rng: generator.
    """
    low, high = settings.energy
    if settings.spectrum == "uniform":
        energy = rng.uniform(low, high, number)
    else:
        energy = np.exp(rng.uniform(np.log(low), np.log(high), number))
    codes = np.array([SPECIES[name].pdg for name in settings.species], np.int64)
    # Settings say so already; rounding may not.
    masses = np.array([SPECIES[name].mass for name in settings.species])
    place = np.arange(number) % len(codes)
    cosine = rng.uniform(np.cos(np.radians(settings.theta_max)), 1.0, number)
    sine, phi = np.sqrt(1 - cosine**2), rng.uniform(0, 2 * np.pi, number)
    direction = np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=1)
    return Particles(np.maximum(energy, masses[place] + LEAST_KINETIC_ENERGY), direction, codes[place])
