"""The step from raw files to pixel clouds: hits in a window about the reconstructed vertex, prongs, parts."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.packed_clouds import PackedPart
from cloudchamber.preparation.identical import copies, repeats, warning
from cloudchamber.progress import progress
from cloudchamber.readers.equal_weights import refuse_unequal_weights
from cloudchamber.readers.jagged import Jagged
from cloudchamber.storage import provenance
from cloudchamber.studies.neutrinos.energy_loss import IRON
from cloudchamber.studies.neutrinos.event_checks import FileCounts, event_fingerprints, refuse_other_detector
from cloudchamber.studies.neutrinos.event_clouds import PARTS, REST, Window, create_event_clouds
from cloudchamber.studies.neutrinos.event_file import TREE, WEIGHT, read_about, read_events
from cloudchamber.studies.neutrinos.events import Events
from cloudchamber.studies.neutrinos.names import INTERACTIONS, PRONGS, prong_class
from cloudchamber.studies.neutrinos.settings import DetectorSettings, MapSettings
from cloudchamber.wildcards import existing_files

__all__ = ["ingest"]

# Of each interaction in the training and in the test part. Where one is missing nothing can be judged.
_LEAST_EVENTS = 2


def ingest(sources: list[Path], settings: MapSettings, detector: DetectorSettings, seed: int, output: Path) -> None:
    """Read ROOT files of events and write clouds of pixels, with parts.

    Hits outside of the window, and prongs beyond the largest number, are left out and counted. Events without a hit are
    kept: a classifier has to say something of them too. Copies of an event are counted and in its part.

    Args:
        sources: the files.
        settings: window and parts.
        detector: whose planes and cells the hits have.
        seed: of the parts.
        output: the file of clouds.

    Raises:
        InputError: a file cannot be used, is of another detector or in other units, or events do not all weigh the
            same, and the message names it and the branch; or a part lacks an interaction.
        StorageError: the output cannot be written.
    """
    mip = IRON.minimum * detector.density * detector.plane_pitch
    window = Window(settings.planes, settings.cells, settings.upstream, settings.prongs, mip)
    sources = existing_files(sources)
    refuse_unequal_weights(sources, TREE, WEIGHT)
    abouts = [read_about(path) for path in sources]
    for path, about in zip(sources, abouts, strict=True):
        made = about.get("simulation", {}).get("detector", detector.model_dump(mode="json"))
        if made != detector.model_dump(mode="json"):
            raise InputError(f"{path}: events of another detector than that of the settings")
    left_out = {"hits": 0, "prongs": 0}
    total = {"hits": 0, "prongs": 0}
    content: list[np.ndarray] = []
    interactions: list[np.ndarray] = []
    with create_event_clouds(output, window) as writer, progress("ingestion", None, "events") as bar:
        for path in sources:
            of_file = FileCounts(path, mip)
            for some in read_events(path):
                refuse_other_detector(path, some, detector)
                part, lost = _clouds(some, settings, detector)
                writer.append(part)
                for name, number in lost.items():
                    left_out[name] += number
                    total[name] += len(some.hits) if name == "hits" else int(some.prongs.found.sum())
                of_file.add(some, len(part.points))
                content.append(event_fingerprints(some, sum(map(len, content))))
                interactions.append(some.interaction)
                bar.update(len(some))
            of_file.check()
            of_file.say_cut()
        every = np.concatenate(content)
        identical = len(repeats(every)[0])
        parts = _split(copies(every), settings, seed, str(output))
        _refuse_few(parts, np.concatenate(interactions), str(output))
        for name, rows in parts.items():
            writer.add_indices(name, rows)
        writer.add_meta(
            {
                "window": window.__dict__,
                "source": ", ".join(sorted({str(about.get("source", "files of others")) for about in abouts})),
                "read": total,
                "left_out": left_out,
                "identical_events": identical,
                "provenance": provenance("neutrinos ingest", settings.model_dump(mode="json"), sources, seed),
            }
        )
    words = " and ".join(f"{left_out[name]} of {total[name]} {name}" for name in total)
    sys.stderr.write(f"neutrinos ingest: {words} are outside of the window or beyond the largest number of prongs\n")
    if identical:
        sys.stderr.write(f"neutrinos ingest: {warning(identical, len(every), 'events')}\n")


def _clouds(events: Events, settings: MapSettings, detector: DetectorSettings) -> tuple[PackedPart, dict[str, int]]:
    """Return the clouds of some events, and how many hits and prongs are left out."""
    n, hits, prongs = len(events), events.hits, events.prongs
    plane = np.floor(events.found[:, 2] / detector.plane_pitch).astype(np.int64)
    cells = np.floor(events.found[:, :2] / detector.cell_width + 0.5 * detector.cells).astype(np.int64)
    at_plane = hits.plane - plane[hits.event] + settings.upstream
    at_cell = hits.cell - cells[hits.event, hits.view] + settings.cells // 2
    inside = (at_plane >= 0) & (at_plane < settings.planes) & (at_cell >= 0) & (at_cell < settings.cells)
    prong = np.where(hits.prong < settings.prongs, hits.prong, -1)
    points = np.column_stack([hits.view, at_plane, at_cell, hits.energy, prong])[inside]
    counts = np.bincount(hits.event[inside], minlength=n)
    numbers = np.bincount(prongs.event[prongs.found], minlength=n)
    every = np.bincount(prongs.event, minlength=n)
    slot = np.arange(len(prongs)) - (np.cumsum(every) - every)[prongs.event]
    kept = prongs.found & (slot < settings.prongs)
    names = [prong_class(int(code)) for code in prongs.pdg]
    classes = np.full((n, settings.prongs), -1)
    codes = np.array([list(PRONGS).index(name) for name in names], np.int64)
    classes[prongs.event[kept], slot[kept]] = codes[kept]
    rest = np.zeros((n, len(REST)))
    others = np.array([REST.index("light" if name in ("electron", "photon") else name) for name in names], np.int64)
    np.add.at(rest, (prongs.event[~kept], others[~kept]), prongs.visible[~kept])
    truth = np.zeros((n, settings.prongs, 6))
    values = np.column_stack([prongs.visible, prongs.direction, prongs.length, prongs.contained])
    truth[prongs.event[kept], slot[kept]] = values[kept]
    event = np.column_stack([getattr(events, name) for name in ("energy", "q2", "x", "y", "w")])
    labels = np.column_stack([events.number, events.interaction, events.pdg, np.minimum(numbers, settings.prongs)])
    part = PackedPart(
        points.astype(np.float32),
        counts.astype(np.int64),
        np.concatenate([event, rest, truth.reshape(n, -1)], axis=1).astype(np.float32),
        np.concatenate([labels, classes], axis=1).astype(np.int64),
    )
    return part, {"hits": int((~inside).sum()), "prongs": int((prongs.found & ~kept).sum())}


def _split(events: Jagged, settings: MapSettings, seed: int, source: str) -> dict[str, Any]:
    """Return the rows of the parts, in random order, of ``events``, which hold the rows of each different one.

    Raises:
        InputError: a part would be empty.
    """
    order = seeds.generator(seed, "neutrinos", "parts").permutation(len(events))
    ends = np.cumsum([round(share * len(events)) for share in (settings.train, settings.validation)])
    parts = {name: events.take(chosen).values for name, chosen in zip(PARTS, np.split(order, ends), strict=True)}
    for name, rows in parts.items():
        if not len(rows):
            raise InputError(f"{source}: the part '{name}' of {len(events)} events is empty")
    return parts


def _refuse_few(parts: Mapping[str, np.ndarray], interaction: np.ndarray, source: str) -> None:
    """Say before anything is trained that a part does not serve the classification."""
    for part in ("train", "test"):
        numbers = np.bincount(interaction[parts[part]], minlength=len(INTERACTIONS))
        for name, number in zip(INTERACTIONS, numbers.tolist(), strict=True):
            if number < _LEAST_EVENTS:
                raise InputError(
                    f"{source}: the part '{part}' has {number} events of '{name}' among {len(parts[part])}, "
                    f"{_LEAST_EVENTS} or more of each interaction are needed"
                )
