"""The step from beam and detector to one raw file of events."""

from itertools import product
from pathlib import Path

from cloudchamber import seeds
from cloudchamber.errors import SettingsError
from cloudchamber.progress import progress
from cloudchamber.storage import atomic_path, provenance
from cloudchamber.studies.neutrinos.detector import detect
from cloudchamber.studies.neutrinos.event_file import EventWriter
from cloudchamber.studies.neutrinos.interactions import interact
from cloudchamber.studies.neutrinos.names import INTERACTIONS, STAND_IN
from cloudchamber.studies.neutrinos.settings import BeamSettings, SimulationSettings

__all__ = ["events_of_shard", "simulate"]


def simulate(settings: SimulationSettings, shard: int, seed: int, output: Path) -> None:
    """Write one shard of events as ROOT, interaction after interaction and energy after energy.

    Args:
        settings: beam and detector.
        shard: number of the shard, from 0.
        seed: of everything random; each shard has streams of its own.
        output: the ROOT file.

    Raises:
        InputError: Pythia is not installed.
        SettingsError: there is no such shard, or Pythia refuses the beam.
        StorageError: the file cannot be written.
    """
    beam = settings.beam
    if not 0 <= shard < beam.shards:
        raise SettingsError(f"neutrinos.simulation.beam.shards: no shard {shard} among {beam.shards}")
    wanted = events_of_shard(beam, shard)
    rng = seeds.generator(seed, "neutrinos", "detector", shard)
    about = {
        "source": STAND_IN,
        "simulation": settings.model_dump(mode="json"),
        "provenance": provenance("neutrinos simulate", settings.model_dump(mode="json"), [], seed),
    }
    first = sum(sum(events_of_shard(beam, before).values()) for before in range(shard))
    with (
        atomic_path(output) as aside,
        EventWriter(aside, about) as writer,
        progress("simulation", sum(wanted.values()), "events") as bar,
    ):
        for (name, energy), events in wanted.items():
            # 29 bits fit into the 1 to 900,000,000 that Pythia accepts.
            own = 1 + seeds.integer_seed(seed, "neutrinos", name, str(energy), shard, bits=29)
            for interactions in interact(name, energy, beam, events, own):
                writer.append(detect(interactions, first, settings.detector, rng))
                first += len(interactions)
                bar.update(len(interactions))


def events_of_shard(beam: BeamSettings, shard: int) -> dict[tuple[str, float], int]:
    """Return how many events of each interaction and energy a shard has."""
    kinds = list(product(INTERACTIONS, beam.energies))
    found = {}
    for number, kind in enumerate(kinds):
        of_kind = beam.events // len(kinds) + (number < beam.events % len(kinds))
        found[kind] = of_kind // beam.shards + (shard < of_kind % beam.shards)
    return found
