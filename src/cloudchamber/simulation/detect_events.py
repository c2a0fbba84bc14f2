"""The step ``detect``: events of another generator through the detector into a file in the layout of Delphes."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.progress import progress
from cloudchamber.readers.generated_event import GeneratedEvent
from cloudchamber.readers.hepmc import WEIGHT, HepMCFile, open_hepmc
from cloudchamber.settings.detection import DetectionSettings
from cloudchamber.simulation.atlas_card import ATLAS
from cloudchamber.simulation.charges import charges
from cloudchamber.simulation.collisions import Collisions, HeavyQuarks
from cloudchamber.simulation.delphes_file import DelphesFile
from cloudchamber.simulation.detector import detect
from cloudchamber.simulation.objects import generated_jets, tower_jets
from cloudchamber.simulation.particles import Particles
from cloudchamber.storage import atomic_path

__all__ = ["detect_events"]

_BATCH = 250


def detect_events(source: Path, settings: DetectionSettings, seed: int, output: Path) -> None:
    """Pass the stable particles of a file of HepMC through the detector.

    Towers, jets and particles are as in :func:`cloudchamber.simulation.simulate.simulate`, without the hard process and
    without b-tags: what partons there were, generators say in ways of their own. Numbers of events are those of the
    file, cross sections [pb] too; zero where it has none, as is the scale of the scattering.

    Args:
        source: events in a text format of HepMC 2 or 3.
        settings: jets, and which weight is taken.
        seed: of the detector.
        output: the ROOT file.

    Raises:
        InputError: the file cannot be used; a momentum or weight is not finite; nothing tells which weight is meant.
        StorageError: the output cannot be written.
    """
    rng = seeds.generator(seed, "detect")
    card = replace(ATLAS, jet_radius=settings.jet_radius)
    file = open_hepmc(source)
    asked = settings.weight_branch
    # A file without any weights has events that weigh the same.
    weight = None if asked is None or (asked == WEIGHT and WEIGHT not in file) else file.weight_name(asked)
    with atomic_path(output) as aside, DelphesFile(aside) as target, progress("detect", file.n_events, "events") as bar:
        for events in _batches(file):
            collisions = _collisions(source, events, weight)
            particles = collisions.particles
            towers = detect(particles, rng, card)
            jets, jet_of = tower_jets(towers, particles.n_events, card)
            target.append(
                numbers=np.array([event.number for event in events]),
                collisions=collisions,
                towers=towers,
                jet_of=jet_of,
                jets=jets,
                gen_jets=generated_jets(particles, card),
            )
            bar.update(len(events))


def _batches(file: HepMCFile) -> Iterator[list[GeneratedEvent]]:
    waiting: list[GeneratedEvent] = []
    with closing(file.events()) as events:
        for event in events:
            waiting.append(event)
            if len(waiting) == _BATCH:
                yield waiting
                waiting = []
    if waiting:
        yield waiting


def _collisions(source: Path, events: Sequence[GeneratedEvent], weight: str | None) -> Collisions:
    counts = [len(event.pid) for event in events]
    event = np.repeat(np.arange(len(events)), counts)
    values = np.concatenate([np.concatenate([event.momenta, event.places]) for event in events], axis=1)
    bad = np.flatnonzero(~np.isfinite(values).all(axis=0))
    if len(bad):
        raise InputError(f"{source}: a particle of event {events[event[bad[0]]].number} is not finite")
    px, py, pz, energy, mass, x, y, z, time = values
    pid = np.concatenate([event.pid for event in events])
    missing = [of.number for of in events if weight is not None and weight not in of.weights]
    if missing:
        raise InputError(f"{source}: event {missing[0]} has no weight '{weight}'")
    weights = np.array([1.0 if weight is None else of.weights[weight] for of in events])
    if not np.isfinite(weights).all():
        raise InputError(
            f"{source}: the weight of event {events[int(np.argmin(np.isfinite(weights)))].number} is not finite"
        )
    nothing = np.zeros(0)
    return Collisions(
        particles=Particles(
            n_events=len(events),
            event=event,
            pid=pid,
            status=np.ones(len(pid), np.int32),
            mother=np.full(len(pid), -1, np.int32),
            charge=charges(pid),
            mass=mass,
            energy=energy,
            px=px,
            py=py,
            pz=pz,
            x=x,
            y=y,
            z=z,
            time=time,
        ),
        weight=weights,
        pt_hat=np.zeros(len(events)),
        cross_section=events[-1].cross_section or 0.0,
        heavy_quarks=HeavyQuarks(nothing.astype(np.int64), nothing.astype(np.int64), nothing, nothing),
        generated=len(events),
    )
