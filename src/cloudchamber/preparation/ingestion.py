"""The step ``ingest``: Delphes ROOT files become padded clouds, and what was left out is counted."""

import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber.cloud import Column
from cloudchamber.cloud_writer import create_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.alike import FileContent
from cloudchamber.preparation.cloud_counts import CloudCounts
from cloudchamber.preparation.columns import CLASS_COLUMN, LABEL_COLUMNS
from cloudchamber.preparation.event_weights import EventWeights, read_event_weights
from cloudchamber.preparation.ingestion_tally import IngestionTally
from cloudchamber.preparation.linked_jets import LinkedJetSource
from cloudchamber.preparation.padded_writer import PaddedWriter
from cloudchamber.preparation.raw_clouds import RawClouds
from cloudchamber.preparation.sources import feature_columns, label_columns, open_source, particle_columns
from cloudchamber.preparation.stored_counts import StoredCounts
from cloudchamber.progress import progress
from cloudchamber.readers.constituents import bad_values, refuse_rounded
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Step
from cloudchamber.readers.open_events import open_events
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.storage import provenance
from cloudchamber.wildcards import existing_files

__all__ = ["clouds_of", "columns_of", "ingest", "ingestion_meta", "refuse_nothing", "skipped_files"]


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
    tally = IngestionTally()
    skipped = skipped_files(paths, settings)
    good = [path for path in paths if str(path) not in skipped]
    weights = read_event_weights(good, settings)
    with create_clouds(output, settings.max_particles, *columns_of(settings, weights)) as file:
        writer = PaddedWriter(file, settings.max_particles)
        with progress("ingest", None, "events") as reporter:
            for number, path in enumerate(paths):
                reporter.note(f"file {number + 1} of {len(paths)}")
                if str(path) in skipped:
                    continue
                # Closed here and not whenever Python gets to it: an error on the way is then an error of this step.
                with closing(clouds_of(path, number, settings, weights, tally)) as steps:
                    for clouds, step, raw in steps:
                        writer.append(*clouds, *(values[raw.event] for values in weights.of(path, step)))
                        reporter.update(len(step.events))
        refuse_nothing(paths, skipped, tally, writer.counts)
        made_by = provenance("ingest", settings.model_dump(mode="json"), good)
        file.add_meta(ingestion_meta(paths, skipped, tally, writer.counts, weights) | {"provenance": made_by})
    sys.stderr.write(f"ingest: {tally.summary(writer.counts, paths)}{weights.summary()}\n")


def columns_of(
    settings: IngestionSettings, weights: EventWeights
) -> tuple[tuple[Column, ...], tuple[Column, ...], tuple[Column, ...]]:
    """Return the columns of points, features and labels of the clouds."""
    labels = (*LABEL_COLUMNS, *label_columns(settings.clouds))
    labels = labels if settings.label_branch is None else (*labels, CLASS_COLUMN)
    return particle_columns(settings), (*feature_columns(settings.clouds), *weights.columns), labels


def ingestion_meta(
    paths: Sequence[Path],
    skipped: Mapping[str, str],
    tally: IngestionTally,
    counts: CloudCounts,
    weights: EventWeights,
) -> dict[str, Any]:
    """Return what is to be known of the clouds, besides what made them."""
    files = {"files": [str(path) for path in paths], "files_skipped": dict(skipped)}
    return tally.meta() | counts.meta() | dict(weights.meta) | files


def refuse_nothing(
    paths: Sequence[Path], skipped: Mapping[str, str], tally: IngestionTally, counts: CloudCounts
) -> None:
    """Refuse files without any cloud.

    Raises:
        InputError: there is none.
    """
    if len(counts.content):
        return
    others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    selected = f"{len(skipped)} files skipped; {tally.summary(counts, paths)}"
    raise InputError(f"{paths[0]}{others}: nothing passes the selection: {selected}")


def skipped_files(paths: Sequence[Path], settings: IngestionSettings) -> dict[str, str]:
    """Return what is wrong with each file that is not good, where such files are skipped, and say so."""
    if settings.on_bad_file == "fail":
        return {}
    faults = {str(path): fault for path in paths if (fault := _fault(path, settings)) is not None}
    sys.stderr.writelines(f"ingest: skipped {fault}\n" for fault in faults.values())
    return faults


def _fault(path: Path, settings: IngestionSettings) -> str | None:
    """Read a whole file without keeping anything and return what is wrong with it, or None."""
    try:
        weights = read_event_weights([path], settings.model_copy(update={"cross_sections": "ignore"}))
        with closing(_clouds(path, settings, weights, IngestionTally())) as steps:
            for _ in steps:
                pass
    except InputError as error:
        return str(error)
    return None


def clouds_of(
    path: Path,
    number: int,
    settings: IngestionSettings,
    weights: EventWeights,
    tally: IngestionTally,
) -> Generator[tuple[tuple[np.ndarray, ...], Step, RawClouds]]:
    """Yield the clouds of a file step by step: what :class:`PaddedWriter` takes, and what they were made of.

    Args:
        path: the file.
        number: its position among all files.
        settings: what becomes a cloud.
        weights: says which branch of weights is read.
        tally: what counts.

    Raises:
        InputError: the file, a branch or a value cannot be used.
    """
    with closing(_clouds(path, settings, weights, tally)) as steps:
        for step, raw in steps:
            classes = (values[raw.event] for values in step.integers.values())
            own = [] if raw.labels is None else [raw.labels]
            ids = [np.full(len(raw.event), number), step.events[raw.event], raw.rank]
            labels = np.column_stack([*ids, *own, *classes])
            yield (raw.columns, raw.offsets, raw.features, labels), step, raw


def _clouds(
    path: Path, settings: IngestionSettings, weights: EventWeights, tally: IngestionTally
) -> Generator[tuple[Step, RawClouds]]:
    """Yield the clouds of a file step by step; fail at its end where there was nothing to make clouds of."""
    events = filled = left_out = 0
    stored = StoredCounts()
    kept: list[np.ndarray] = []
    with open_events(path, settings.tree, layout=settings.layout) as tree:
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
                refuse_rounded(good, source.collections, settings.extra_leaves, path)
                raw = source.clouds(good)
                content.add(good, raw)
                tally.add_step(step, good, raw)
                events += len(good.events)
                filled += int(raw.with_constituents.sum())
                left_out += raw.pile_up_left_out
                if not raw.pile_up_left_out:
                    kept.append(raw.pile_up)
                stored += raw.stored
                yield good, raw
    if not events:
        raise InputError(f"{path}: all {tree.n_events} events have bad values")
    if not filled and left_out:
        raise InputError(f"{path}: all {left_out} constituents are from pile-up, which is left out (clouds.pile_up)")
    if not filled:
        branch = tree.stored_name(source.leaves[0])
        raise InputError(f"{path}: branch '{branch}' and its like are empty in all {events} events")
    content.compare_events(np.concatenate([np.zeros(0, np.int64), *kept]))
    tally.compare(content, settings)
    tally.keep(content)
    if isinstance(source, LinkedJetSource):
        source.refuse_incomplete(stored)
    unlikely = source.unlikely()
    if unlikely is not None:
        sys.stderr.write(f"ingest: WARNING: {path}: {unlikely}\n")


def _without_bad_values(tree: EventTree, step: Step, settings: IngestionSettings) -> Step:
    bad = bad_values(step)
    if bad and settings.on_bad_event == "fail":
        name, events = next(iter(bad.items()))
        event = step.events[np.flatnonzero(events)[0]]
        branch = tree.stored_name(name)
        raise InputError(f"{tree.path}: branch '{branch}' is not finite or not physical in event {event}")
    return step.keep(~np.any(list(bad.values()), axis=0)) if bad else step
