"""The step from the settings of the gun to a raw file of parametrised showers."""

from pathlib import Path

import numpy as np

from cloudchamber import seeds
from cloudchamber.progress import progress
from cloudchamber.storage import atomic_path, provenance
from cloudchamber.studies.showers.edm4hep_file import COLLECTIONS, Edm4hepWriter, section_of_layers
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.gun import draw_particles, showers_of_shard
from cloudchamber.studies.showers.parametrised import Truth, simulate_showers
from cloudchamber.studies.showers.shower_file import TRUTH
from cloudchamber.studies.showers.source_settings import ParametrisedSource
from cloudchamber.studies.showers.steps import steps_of

__all__ = ["simulate"]

_BATCH = 200
# Of light [mm/ns].
_SPEED = 299.792458


def simulate(settings: ParametrisedSource, geometry: str, shard: int, seed: int, output: Path) -> None:
    """Write one shard of parametrised showers as ROOT, in the layout of EDM4hep.

    Args:
        settings: the gun.
        geometry: name of the stack of layers.
        shard: number of the shard, from 0; showers are dealt out to shards as evenly as it goes.
        seed: of everything random; each shard has streams of its own.
        output: the ROOT file.

    Raises:
        StorageError: the file cannot be written.
    """
    gun = settings.gun
    number = showers_of_shard(gun, shard)
    stack, rng = geometry_of(geometry), seeds.generator(seed, "showers", "parametrised", shard)
    particles = draw_particles(gun, number, rng)
    about = {
        "geometry": geometry,
        "source": "parametrised",
        "provenance": provenance("showers simulate", settings.model_dump(mode="json"), [], seed),
    }
    names = list(COLLECTIONS.values())
    with (
        atomic_path(output) as aside,
        Edm4hepWriter(aside, names, about, [column.name for column in TRUTH]) as writer,
        progress("simulation", number, "showers") as bar,
    ):
        for start in range(0, number, _BATCH):
            some = particles[start : start + _BATCH]
            deposits, truth = simulate_showers(some, stack, rng)
            steps = steps_of(some, deposits, stack, _truth_columns(truth))
            light = np.linalg.norm(steps.position, axis=1) / _SPEED
            writer.append(steps, section_of_layers(stack)[deposits.layer], light, some.pdg[deposits.shower])
            bar.update(len(some))


def _truth_columns(truth: Truth) -> np.ndarray:
    """Return (N, 4) what showers were drawn from, in the order of ``TRUTH``."""
    return np.stack([getattr(truth, column.name) for column in TRUTH], axis=1)
