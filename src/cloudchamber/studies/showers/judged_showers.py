"""Showers as classifiers see them."""

from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.studies.showers.observables import Observables, observe
from cloudchamber.studies.showers.species import SPECIES, species_numbers

__all__ = ["JudgedShowers", "in_order_of", "read_judged"]

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


def in_order_of(asked: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the rows of generated showers in the order in which their particles were asked for, which is random.

    The first showers of a sample are then a fair share of it, also where it was written species by species.

    Args:
        asked: (A,) rows of the true showers with these particles.
        numbers: (n,) which of them each generated shower is of; others come last.
    """
    order = np.argsort(asked, kind="stable")
    place = order[np.minimum(np.searchsorted(asked, numbers, sorter=order), len(asked) - 1)]
    return np.argsort(np.where(asked[place] == numbers, place, len(asked)), kind="stable")


def read_judged(showers: PackedCloudFile, rows: np.ndarray, rng: np.random.Generator) -> JudgedShowers:
    """Return the showers of (n,) rows of a file, no more than classifiers are given; ``rng`` is of grids of cells."""
    rows = rows[:_MOST]
    species = species_numbers(showers.label("pdg")[rows], str(showers.path))
    energy = showers.feature("energy")[rows]
    particles = np.zeros((len(rows), 2 + len(SPECIES)), np.float32)
    particles[:, 0], particles[:, 1] = np.log(energy), showers.feature("direction_z")[rows]
    particles[np.arange(len(rows)), 2 + species] = 1
    return JudgedShowers(observe(showers, rows, rng), particles, species)
