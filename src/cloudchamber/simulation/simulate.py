"""The step ``simulate``: one shard of a process, from collisions to a file in the layout of Delphes."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from cloudchamber import seeds
from cloudchamber.errors import SettingsError
from cloudchamber.progress import progress
from cloudchamber.settings.processes import ProcessSettings
from cloudchamber.simulation.atlas_card import ATLAS
from cloudchamber.simulation.collisions import collide
from cloudchamber.simulation.delphes_file import DelphesFile
from cloudchamber.simulation.detector import detect
from cloudchamber.simulation.flavour import b_tags, jet_flavours
from cloudchamber.simulation.objects import generated_jets, tower_jets
from cloudchamber.storage import atomic_path

__all__ = ["shard_events", "simulate"]

_BATCH = 250  # events; about 30 MB of arrays


def shard_events(events: int, shards: int, shard: int) -> range:
    """Return the numbers of the events of one shard; all shards together make ``range(events)``."""
    return range(events * shard // shards, events * (shard + 1) // shards)


def simulate(name: str, settings: ProcessSettings, seed: int, shard: int, output: str | Path) -> None:
    """Simulate one shard of a process and write it to ``output``.

    The same arguments give the same events and towers; shards are statistically independent. Where the process gives up
    events, those that are left are numbered without gaps, and the file says how many there were.

    Args:
        name: key of the process in the settings.
        settings: the process.
        seed: seed of the analysis.
        shard: which of the ``settings.shards`` files to make, from 0.
        output: the ROOT file.

    Raises:
        SettingsError: there is no such shard, or Pythia refuses the process or a command.
        StorageError: the file cannot be written.
    """
    if not 0 <= shard < settings.shards:
        raise SettingsError(f"processes.{name}.shards: no shard {shard} among {settings.shards}")
    numbers = shard_events(settings.events, settings.shards, shard)
    # 29 bits fit into the 1 to 900,000,000 that Pythia accepts.
    collision_seed = 1 + seeds.integer_seed(seed, "simulate", name, shard, bits=29)
    rng = seeds.generator(seed, "simulate", name, shard, "detector")
    first, with_jets = numbers.start, settings.towers and settings.generated_jets
    card = replace(ATLAS, jet_radius=settings.jet_radius)
    with (
        atomic_path(output) as aside,
        DelphesFile(aside, settings.towers, settings.b_tags, with_jets) as file,
        progress(f"simulate {name} {shard + 1}/{settings.shards}", len(numbers), "events") as report,
    ):
        for collisions in collide(name, settings, collision_seed, len(numbers), _BATCH):
            towers = detect(collisions.particles, rng, card)
            n_events = collisions.particles.n_events
            jets, jet_of = tower_jets(towers, n_events, card)
            flavours = jet_flavours(jets, collisions.heavy_quarks, card) if settings.b_tags else None
            file.append(
                numbers=first + np.arange(n_events),
                collisions=collisions if settings.particles == "all" else collisions.hard_process,
                towers=towers,
                jet_of=jet_of,
                jets=jets,
                gen_jets=generated_jets(collisions.particles, card) if with_jets else None,
                flavours=flavours,
                tags=None if flavours is None else b_tags(jets, flavours, rng, card),
            )
            first += n_events
            report.update(collisions.generated)
        if settings.keep is not None:
            kept = first - numbers.start
            file.state_generation(len(numbers), len(numbers) - kept)
