"""The step ``simulate-geant4``: from the settings of the gun to a raw file of showers by Geant4, and their times."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cloudchamber import seeds
from cloudchamber.hardware import processor
from cloudchamber.progress import progress
from cloudchamber.storage import atomic_path, provenance, write_rows
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.edm4hep_file import COLLECTIONS, Edm4hepWriter, section_of_layers
from cloudchamber.studies.showers.geant4.data_folder import data_folder
from cloudchamber.studies.showers.geant4.stack_simulation import ShowerSteps
from cloudchamber.studies.showers.geant4.worker import geant4_worker
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.gun import draw_particles, showers_of_shard
from cloudchamber.studies.showers.source_settings import Geant4Source
from cloudchamber.studies.showers.steps import Steps, momenta_of

__all__ = ["simulate_geant4"]

_BATCH = 20


def simulate_geant4(
    settings: Geant4Source,
    geometry: str,
    tables: Path | None,
    shard: int,
    seed: int,
    output: Path,
    times: Path,
) -> None:
    """Write one shard of showers by Geant4 as ROOT, in the layout of EDM4hep.

    Args:
        settings: the gun, the data of Geant4 and its range cut.
        geometry: name of the stack of layers.
        tables: file of substitute tables, where the settings take these.
        shard: number of the shard, from 0; showers are dealt out to shards as evenly as it goes.
        seed: of everything random; each shard has streams of its own.
        output: the ROOT file; which tables were used stands in its object "about".
        times: CSV with "pdg", "energy" [GeV], "seconds" of CPU time and "processor" of each shower.

    Raises:
        InputError: the package is not installed, its data are not there, or Geant4 aborts.
        StorageError: a file cannot be written.
    """
    stack, number = geometry_of(geometry), showers_of_shard(settings.gun, shard)
    particles = draw_particles(settings.gun, number, seeds.generator(seed, "showers", "geant4", shard))
    # A long of C++ has 31 bits on some platforms, and zero is no seed.
    of_geant4 = 1 + seeds.integer_seed(seed, "showers", "geant4", "tracking", shard, bits=30)
    sections = section_of_layers(stack)
    rows, name = [], processor()
    with (
        data_folder(settings, tables) as folder,
        geant4_worker(folder, geometry, settings.gun.theta_max, settings.range_cut, of_geant4) as geant4,
    ):
        about = {
            "geometry": geometry,
            "source": settings.words,
            "geant4": {"version": geant4.version, "tables": settings.tables, "range_cut_mm": settings.range_cut},
            "provenance": provenance(
                "showers simulate-geant4", settings.model_dump(mode="json"), [tables] if tables else [], seed
            ),
        }
        with (
            atomic_path(output) as aside,
            Edm4hepWriter(aside, list(COLLECTIONS.values()), about) as writer,
            progress("simulation", number, "showers") as bar,
        ):
            for start in range(0, number, _BATCH):
                some = particles[start : start + _BATCH]
                showers = []
                for pdg, energy, direction in zip(some.pdg, some.energy, some.direction, strict=True):
                    steps, seconds = geant4.shower(int(pdg), float(energy), direction.tolist())
                    showers.append(steps)
                    rows.append({"pdg": int(pdg), "energy": float(energy), "seconds": seconds, "processor": name})
                    bar.update()
                whole = _joined(some, showers, stack.surface)
                writer.append(
                    whole,
                    sections[stack.layers_at(whole.position[:, 2])],
                    np.concatenate([shower.time for shower in showers]),
                    np.concatenate([shower.pdg for shower in showers]),
                )
    write_rows(times, rows)


def _joined(particles: Particles, showers: Sequence[ShowerSteps], surface: float) -> Steps:
    mass, momentum = momenta_of(particles)
    return Steps(
        event=np.repeat(np.arange(len(showers)), [len(shower.energy) for shower in showers]),
        position=np.concatenate([shower.position for shower in showers]),
        energy=np.concatenate([shower.energy for shower in showers]),
        pdg=particles.pdg,
        mass=mass,
        momentum=momentum,
        vertex=np.tile([0.0, 0.0, surface], (len(particles), 1)),
        truth=np.zeros((len(particles), 0)),
    )
