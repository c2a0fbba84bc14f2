"""The step ``ingest``: Delphes ROOT files become padded clouds, and what was left out is counted."""

import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.cloud_file import create_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.alike import FileContent, difference
from cloudchamber.preparation.columns import CLASS_COLUMN, LABEL_COLUMNS
from cloudchamber.preparation.event_weights import EventWeights, read_event_weights
from cloudchamber.preparation.linked_jets import LinkedJetSource
from cloudchamber.preparation.padded_writer import PaddedWriter
from cloudchamber.preparation.raw_clouds import RawClouds
from cloudchamber.preparation.sources import feature_columns, label_columns, open_source, particle_columns
from cloudchamber.preparation.stored_counts import StoredCounts
from cloudchamber.progress import progress
from cloudchamber.readers.constituents import bad_values
from cloudchamber.readers.delphes import DelphesTree, open_tree
from cloudchamber.readers.jagged import Step
from cloudchamber.settings.ingestion import EventConstituents, IngestionSettings
from cloudchamber.storage import provenance
from cloudchamber.wildcards import existing_files

__all__ = ["ingest"]


@final
@dataclass
class _Tally:
    """What was read, and what was left out of the clouds."""

    events: int = 0
    events_bad: int = 0
    events_without_constituents: int = 0
    without_direction: int = 0
    pile_up: int = 0
    pile_up_left_out: int = 0
    jets_unmatched: int = 0
    not_accepted: int = 0
    stored: StoredCounts = field(default_factory=StoredCounts)
    first: FileContent | None = None
    mixed: dict[str, str] = field(default_factory=dict)
    collections: set[str] = field(default_factory=set)
    pile_up_by: set[str] = field(default_factory=set)

    def add_step(self, step: Step, good: Step, raw: RawClouds) -> None:
        self.events += len(step.events)
        self.events_bad += len(step.events) - len(good.events)
        self.events_without_constituents += int((~raw.with_constituents).sum())
        self.without_direction += raw.without_direction
        self.pile_up += raw.pile_up
        self.pile_up_left_out += raw.pile_up_left_out
        self.jets_unmatched += raw.unmatched
        self.not_accepted += raw.not_accepted
        self.stored += raw.stored

    def compare(self, content: FileContent, settings: IngestionSettings) -> None:
        """Compare a file with the first one; refuse it, or note it, where they differ."""
        if self.first is None:
            self.first = content
        found = difference(self.first, content)
        if found is None:
            return
        if settings.mixed_files == "fail":
            by_name = isinstance(settings.clouds, EventConstituents) and settings.clouds.constituents == "energy_flow"
            ways = f"{'collections names what to read, ' if by_name else ''}mixed_files: accept takes both"
            raise InputError(f"{content.path}: {found} {ways}")
        self.mixed[str(content.path)] = found

    def meta(self) -> dict[str, Any]:
        return {
            "events": {
                "read": self.events,
                "without_constituents": self.events_without_constituents,
                "skipped_bad_values": self.events_bad,
                "not_accepted": self.not_accepted,
            },
            "truth": {"jets_unmatched": self.jets_unmatched},
            "constituents": {
                "collections": sorted(self.collections),
                "massless": True,
                "without_direction": self.without_direction,
            },
            "mixed_files": self.mixed,
            "pile_up": {
                "constituents": self.pile_up,
                "left_out": self.pile_up_left_out,
                "told_by": sorted(self.pile_up_by),
            },
            **self.stored.meta(),
        }


def ingest(files: Sequence[str | Path], settings: IngestionSettings, output: Path) -> None:
    """Read Delphes files and write their jets or events as clouds.

    The particles of a cloud are massless and sorted by falling pT before truncation. Labels are the position of the
    file in ``meta["files"]``, the entry in that file and the rank of the jet in its event; of events as clouds of jets
    the jets of the partons (``t1_b`` and its like); and ``class``, what the settings' ``label_branch`` says of the
    event. Where events do not all weigh the same, the feature ``event_weight`` says what they weigh
    (:func:`cloudchamber.preparation.event_weights.read_event_weights`). ``meta`` counts everything that was read and
    left out, and the clouds that are identical to an earlier one. Memory grows by 12 bytes with each cloud. With
    ``on_bad_file: skip`` every file is read twice, first to see whether it is good, so that no part of a bad one gets
    into the output.

    Args:
        files: paths and wildcards of ROOT files.
        settings: what becomes a cloud.
        output: cloud file to write.

    Raises:
        InputError: a file, branch or value cannot be used, or no cloud is left; the message names file and branch.
        SettingsError: the cross sections are not those of the files.
        StorageError: the output cannot be written.
    """
    paths = existing_files(files)
    tally = _Tally()
    skipped = _skipped(paths, settings) if settings.on_bad_file == "skip" else {}
    good = [path for path in paths if str(path) not in skipped]
    weights = read_event_weights(good, settings)
    labels = (*LABEL_COLUMNS, *label_columns(settings.clouds))
    labels = labels if settings.label_branch is None else (*labels, CLASS_COLUMN)
    features = (*feature_columns(settings.clouds), *weights.columns)
    columns = (particle_columns(settings), features, labels)
    with create_clouds(output, settings.max_particles, *columns) as file:
        writer = PaddedWriter(file, settings.max_particles)
        with progress("ingest", None, "events") as reporter:
            for number, path in enumerate(paths):
                reporter.note(f"file {number + 1} of {len(paths)}")
                if str(path) in skipped:
                    continue
                # Closed here and not whenever Python gets to it: an error on the way is then an error of this step.
                with closing(_append(path, number, settings, weights, tally, writer)) as steps:
                    for events in steps:
                        reporter.update(events)
        if not writer.clouds:
            others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            selected = f"{len(skipped)} files skipped; {_summary(tally, writer, paths)}"
            raise InputError(f"{paths[0]}{others}: nothing passes the selection: {selected}")
        file.add_meta(
            tally.meta()
            | writer.meta()
            | dict(weights.meta)
            | {"files": [str(path) for path in paths], "files_skipped": skipped}
            | {"provenance": provenance("ingest", settings.model_dump(mode="json"), good)}
        )
    sys.stderr.write(f"ingest: {_summary(tally, writer, paths)}{weights.summary()}\n")


def _skipped(paths: Sequence[Path], settings: IngestionSettings) -> dict[str, str]:
    """Return what is wrong with each file that is not good, and say so."""
    faults = {str(path): fault for path in paths if (fault := _fault(path, settings)) is not None}
    sys.stderr.writelines(f"ingest: skipped {fault}\n" for fault in faults.values())
    return faults


def _fault(path: Path, settings: IngestionSettings) -> str | None:
    """Read a whole file without keeping anything and return what is wrong with it, or None."""
    try:
        weights = read_event_weights([path], settings.model_copy(update={"cross_sections": "ignore"}))
        with closing(_clouds(path, settings, weights, _Tally())) as steps:
            for _ in steps:
                pass
    except InputError as error:
        return str(error)
    return None


def _append(
    path: Path,
    number: int,
    settings: IngestionSettings,
    weights: EventWeights,
    tally: _Tally,
    writer: PaddedWriter,
) -> Generator[int]:
    """Write the clouds of a file and yield the number of events of each step."""
    with closing(_clouds(path, settings, weights, tally)) as steps:
        for step, raw in steps:
            classes = (values[raw.event] for values in step.integers.values())
            own = [] if raw.labels is None else [raw.labels]
            ids = [np.full(len(raw.event), number), step.events[raw.event], raw.rank]
            labels = np.column_stack([*ids, *own, *classes])
            of_clouds = [values[raw.event] for values in weights.of(path, step)]
            writer.append(raw.columns, raw.offsets, raw.features, labels, *of_clouds)
            yield len(step.events)


def _clouds(
    path: Path, settings: IngestionSettings, weights: EventWeights, tally: _Tally
) -> Generator[tuple[Step, RawClouds]]:
    """Yield the clouds of a file step by step; fail at its end where there was nothing to make clouds of."""
    events = filled = left_out = 0
    stored = StoredCounts()
    with open_tree(path, settings.tree, layout=settings.layout) as tree:
        source = open_source(tree, settings)
        content = FileContent.of(tree, source)
        tally.compare(content, settings)
        tally.collections.update(source.collections)
        tally.pile_up_by.update(source.pile_up_by)
        label = [] if settings.label_branch is None else [settings.label_branch]
        read = (source.leaves, settings.step_size, source.references, label, weights.branches(tree))
        with closing(tree.steps(*read)) as steps:
            for step in steps:
                good = _without_bad_values(tree, step, settings)
                content.add(good)
                raw = source.clouds(good)
                tally.add_step(step, good, raw)
                events += len(good.events)
                filled += int(raw.with_constituents.sum())
                left_out += raw.pile_up_left_out
                stored += raw.stored
                yield good, raw
    if not events:
        raise InputError(f"{path}: all {tree.n_events} events have bad values")
    if not filled and left_out:
        raise InputError(f"{path}: all {left_out} constituents are from pile-up, which is left out (clouds.pile_up)")
    if not filled:
        branch = tree.stored_name(source.leaves[0])
        raise InputError(f"{path}: branch '{branch}' and its like are empty in all {events} events")
    tally.compare(content, settings)
    if isinstance(source, LinkedJetSource):
        source.refuse_incomplete(stored)


def _without_bad_values(tree: DelphesTree, step: Step, settings: IngestionSettings) -> Step:
    bad = bad_values(step)
    if bad and settings.on_bad_event == "fail":
        name, events = next(iter(bad.items()))
        event = step.events[np.flatnonzero(events)[0]]
        branch = tree.stored_name(name)
        raise InputError(f"{tree.path}: branch '{branch}' is not finite or not physical in event {event}")
    return step.keep(~np.any(list(bad.values()), axis=0)) if bad else step


def _summary(tally: _Tally, writer: PaddedWriter, paths: Sequence[Path]) -> str:
    """Return one line: what was made, what was left out."""
    parts = [
        f"{writer.clouds} clouds of {tally.events} events",
        f"{tally.events_without_constituents} events without constituents",
        f"{tally.events_bad} skipped for bad values",
        writer.summary(paths),
    ]
    if tally.mixed:
        parts.append(f"{len(tally.mixed)} of the files differ from the first in what is read")
    if tally.pile_up:
        fate = "left out" if tally.pile_up_left_out else "kept"
        parts.append(f"{tally.pile_up} constituents from pile-up {fate}")
    if tally.stored.chosen:
        parts.append(tally.stored.summary())
    if tally.not_accepted:
        parts.append(f"{tally.not_accepted} events left out by the selection")
    if tally.jets_unmatched:
        parts.append(f"{tally.jets_unmatched} jets left out by the truth match")
    return "; ".join(parts)
