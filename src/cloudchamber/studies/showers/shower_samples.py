"""Observables of the showers of one model, or of truth, and the particles that they are of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber import seeds
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.studies.showers.names import FEWEST_JUDGED
from cloudchamber.studies.showers.observables import Observables, observe
from cloudchamber.studies.showers.shower_file import open_showers, refuse_other_showers
from cloudchamber.studies.showers.species import SPECIES

__all__ = [
    "FEWEST",
    "TRUTH",
    "ShowerSample",
    "chosen_showers",
    "energy_bins",
    "generated_sample",
    "of_species",
    "true_sample",
]

TRUTH = "truth"
# Showers that a number is computed from.
FEWEST = FEWEST_JUDGED // 2
# Training showers among which copies are looked for.
_SEARCHED = 20_000


@final
@dataclass(frozen=True)
class ShowerSample:
    """Showers of one model and their particles: (n,) pdg and energy [GeV]."""

    name: str
    sampler: str
    seed: int
    meta: Mapping[str, Any]
    observables: Observables
    pdg: np.ndarray
    energy: np.ndarray


def true_sample(showers: PackedCloudFile, part: str, seed: int) -> ShowerSample:
    """Return the showers of a part of a file; of "train" as many as copies are looked for among."""
    rows = showers.part(part)
    rows = rows[:_SEARCHED] if part == "train" else rows
    found = observe(showers, rows, seeds.generator(seed, "showers", "cells", part))
    return ShowerSample(TRUTH, "", 0, {}, found, showers.label("pdg")[rows], showers.feature("energy")[rows])


def generated_sample(item: Mapping[str, Any], source: Path, seed: int) -> ShowerSample:
    """Return the showers of a sample: "name", "sampler", "seed" and "path".

    Raises:
        InputError: it was made for the particles of others than those of the file ``source``.
    """
    with open_showers(item["path"]) as showers:
        refuse_other_showers(showers, source)
        rows = np.arange(len(showers))
        rng = seeds.generator(seed, "showers", "cells", item["name"], item["sampler"], item["seed"])
        found = observe(showers, rows, rng)
        return ShowerSample(
            item["name"],
            item["sampler"],
            int(item["seed"]),
            showers.meta.get("sampler", {}),
            found,
            showers.label("pdg"),
            showers.feature("energy"),
        )


def of_species(sample: ShowerSample, name: str) -> ShowerSample:
    """Return the showers of one species."""
    return chosen_showers(sample, np.flatnonzero(sample.pdg == SPECIES[name].pdg))


def chosen_showers(sample: ShowerSample, rows: np.ndarray) -> ShowerSample:
    """Return the showers of (n,) rows."""
    return ShowerSample(
        sample.name,
        sample.sampler,
        sample.seed,
        sample.meta,
        sample.observables[rows],
        sample.pdg[rows],
        sample.energy[rows],
    )


def energy_bins(
    sample: ShowerSample, edges: tuple[float, ...]
) -> Iterator[tuple[tuple[float, float] | None, ShowerSample]]:
    """Yield the showers of all energies, then those of each bin with showers enough; the last holds its upper edge."""
    yield None, sample
    for low, high in pairwise(edges):
        above = sample.energy <= high if high == edges[-1] else sample.energy < high
        rows = np.flatnonzero((sample.energy >= low) & above)
        if len(rows) >= FEWEST:
            yield (low, high), chosen_showers(sample, rows)
