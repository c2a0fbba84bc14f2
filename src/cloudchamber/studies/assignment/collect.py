"""The step that makes the events of a sample: one file in the layout of SPANet, with its parts."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from cloudchamber import seeds
from cloudchamber.cloud_file import read_clouds, read_header
from cloudchamber.errors import InputError
from cloudchamber.preparation.identical import copies, repeats, warning
from cloudchamber.readers.jagged import Jagged
from cloudchamber.storage import provenance
from cloudchamber.studies.assignment.event_file import JET_FEATURES, Events, read_events, write_events
from cloudchamber.studies.assignment.fold_checks import unlike_folds
from cloudchamber.studies.assignment.jets_alike import MADE, jets_made
from cloudchamber.studies.assignment.known_events import event_fingerprints
from cloudchamber.studies.assignment.settings import PartSettings
from cloudchamber.studies.assignment.topology import EventTopology

__all__ = ["EVERYTHING", "collect_events", "events_of_clouds", "fold_name", "parts_of"]

# The part of a sample that is not in folds.
EVERYTHING = "all"
_COLUMNS = ("pt", "eta", "phi", "Mass", "BTag")


def fold_name(number: int) -> str:
    """Return the name of a fold."""
    return f"fold{number}"


def collect_events(
    source: Path, settings: PartSettings, seed: int, output: Path, complete_events: int | None = None
) -> None:
    """Write events with their parts.

    Args:
        source: clouds of jets, made by ``ingest`` with clouds of kind jet_events, or a file in the layout of SPANet.
        settings: topology and parts.
        seed: decides which events of clouds go to which part; those of SPANet's layout are in folds by their position.
            Events with identical jets are in the same part, and counted.
        output: file in the layout of SPANet, with the rows of the parts in the group PARTS.
        complete_events: training events with all particles identifiable that each part needs for its trainings.

    Raises:
        InputError: the source cannot be used, a part would be empty, or has too few training events.
        StorageError: the output cannot be written.
    """
    topology = settings.topology
    of_clouds = _is_clouds(source)
    events = events_of_clouds(source, topology) if of_clouds else read_events(source, topology)
    groups, identical = _groups(events)
    parts = {name: groups.take(chosen).values for name, chosen in parts_of(len(groups), settings, seed).items()}
    for name, rows in parts.items():
        if not len(rows):
            raise InputError(f"{source}: {len(events)} events are too few: the part '{name}' is empty")
    if complete_events is not None:
        _need_complete(source, np.all(events.found(topology), axis=1), parts, complete_events)
    for name, values in zip(JET_FEATURES, events.jets[events.mask].T, strict=True):
        if len(values) and (values == values[0]).all():
            sys.stderr.write(f"assignment collect: WARNING: {name} of all jets in {source} is {values[0]:g}\n")
    if settings.folds is not None and (unlike := unlike_folds(events, parts, topology)) is not None:
        sys.stderr.write(
            f"assignment collect: WARNING: {unlike}: folds are consecutive events of {source}, which are in no random "
            "order\n"
        )
    if identical:
        sys.stderr.write(f"assignment collect: {warning(identical, len(events), 'events')}\n")
    meta = {
        "identical_events": identical,
        **({MADE: jets_made(read_header(source))} if of_clouds else {}),
        "provenance": provenance("assignment collect", settings.model_dump(mode="json"), [source], seed),
    }
    write_events(output, events, topology, meta=json.dumps(meta, sort_keys=True), parts=parts)


def _need_complete(source: Path, complete: np.ndarray, parts: Mapping[str, np.ndarray], asked: int) -> None:
    """Say before anything is trained what the trainings on a part would say of its events."""
    for name, rows in parts.items():
        there = int(complete[rows].sum())
        if name.endswith("/train") and there < asked:
            raise InputError(
                f"{source}: {there} of the {len(rows)} events of the part '{name}' have all particles identifiable, "
                f"{asked} are asked for (learning_curve.complete_events, or one for any training)"
            )


def _groups(events: Events) -> tuple[Jagged, int]:
    """Return the rows of each different event, and how many events are identical to an earlier one."""
    content = event_fingerprints(events)
    return copies(content), len(repeats(content)[0])


def _is_clouds(source: Path) -> bool:
    try:
        with h5py.File(source, "r") as file:
            return "INPUTS" not in file
    except OSError as error:
        raise InputError(f"{source}: cannot be read as HDF5: {' '.join(str(error).split())}") from error


def events_of_clouds(source: Path, topology: EventTopology) -> Events:
    """Return the events of a file of clouds of jets.

    Raises:
        InputError: the file cannot be used, or is not of such clouds.
    """
    clouds = read_clouds(source)
    try:
        jets = np.stack([clouds.point(name) for name in _COLUMNS], axis=2)
        targets = [clouds.label(f"{particle}_{daughter}") for particle, daughter in topology.targets]
    except InputError as error:
        raise InputError(f"{source}: {error}; not made by ingest with clouds of kind jet_events") from error
    whole = {"Event/sum_pt": clouds.feature("sum_pt"), "Event/n_jets": clouds.feature("n_constituents")}
    return Events(jets, clouds.mask, np.stack(targets, axis=1), whole)


def parts_of(events: int, settings: PartSettings, seed: int) -> dict[str, np.ndarray]:
    """Return the rows of each part by "part/train", "part/validation" and "part/test".

    Without folds the part is "all". With folds each is tested on consecutive events, and the validation events are
    drawn from the others.
    """
    rng = seeds.generator(seed, "assignment", "parts")
    if settings.test_only:
        return {f"{EVERYTHING}/test": np.arange(events)}
    if settings.folds is None:
        order = rng.permutation(events)
        stops = np.round(np.cumsum([settings.train, settings.validation]) * events).astype(int)
        pieces = dict(zip(("train", "validation", "test"), np.split(order, stops), strict=True))
        return {f"{EVERYTHING}/{name}": rows for name, rows in pieces.items()}
    parts: dict[str, np.ndarray] = {}
    for number, test in enumerate(np.array_split(np.arange(events), settings.folds)):
        others = rng.permutation(np.setdiff1d(np.arange(events), test))
        stop = round(settings.validation * len(others))
        pieces = {"train": others[stop:], "validation": others[:stop], "test": test}
        parts |= {f"{fold_name(number)}/{name}": rows for name, rows in pieces.items()}
    return parts
