"""Showers as classifiers see them."""

from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.studies.showers.observables import Observables, observe
from cloudchamber.studies.showers.species import SPECIES, species_numbers

__all__ = ["JudgedShowers", "read_judged"]

# Of each sample.
_MOST = 20_000


@final
@dataclass(frozen=True)
class JudgedShowers:
    """Observables of one sample, (n, 2 + S) what their particles are, and (n,) int64 species."""

    observables: Observables
    particles: np.ndarray
    species: np.ndarray

    def __len__(self) -> int:
        return len(self.species)

    def rows(self, chosen: np.ndarray) -> "JudgedShowers":
        return JudgedShowers(self.observables[chosen], self.particles[chosen], self.species[chosen])


def read_judged(showers: PackedCloudFile, rows: np.ndarray, rng: np.random.Generator) -> JudgedShowers:
    """Return the showers of (n,) rows of a file, no more than classifiers are given; ``rng`` is of grids of cells."""
    rows = rows[:_MOST]
    species = species_numbers(showers.label("pdg")[rows], str(showers.path))
    energy = showers.feature("energy")[rows]
    particles = np.zeros((len(rows), 2 + len(SPECIES)), np.float32)
    particles[:, 0], particles[:, 1] = np.log(energy), showers.feature("direction_z")[rows]
    particles[np.arange(len(rows)), 2 + species] = 1
    return JudgedShowers(observe(showers, rows, rng), particles, species)
