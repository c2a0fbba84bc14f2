"""Ingestion of many files by several jobs: clouds of groups of files, and the one file of clouds that they make.

What depends on files of other groups is left to the step that joins them: what events weigh where slices have cross
sections, whether files are alike, and which clouds are there twice. A group keeps what that takes: what the weights of
each file add up to, what was read of it, and of each cloud its weight and its fingerprint. The joined file is,
byte by byte, the one that :func:`cloudchamber.preparation.ingestion.ingest` makes of all files.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import CloudFile, open_clouds
from cloudchamber.cloud_layout import GROUP_FORMAT
from cloudchamber.cloud_writer import create_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.cloud_counts import CloudCounts
from cloudchamber.preparation.event_weights import EventWeights, combined, weight_branch
from cloudchamber.preparation.ingestion import clouds_of, columns_of, ingestion_meta, refuse_nothing, skipped_files
from cloudchamber.preparation.ingestion_tally import IngestionTally
from cloudchamber.preparation.padded_writer import PaddedWriter
from cloudchamber.preparation.stored_weights import StoredWeights, stored_weights
from cloudchamber.progress import progress
from cloudchamber.settings.base import parse
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.storage import provenance
from cloudchamber.wildcards import existing_files

__all__ = ["ingest_group", "join_groups"]

_WEIGHT, _CONTENT = "event_weight", "fingerprint"
# So many clouds are copied at a time.
_ROWS = 4096
_KEYS = ("files", "files_skipped", "tally", "counts", "weights", "provenance")


def ingest_group(files: Sequence[str | Path], settings: IngestionSettings, output: Path) -> None:
    """Read some of the files of a data set and write their clouds for :func:`join_groups`.

    A group may come out without clouds; the data set may not.

    Args:
        files: paths and wildcards of ROOT files.
        settings: what becomes a cloud; those of the whole data set.
        output: file to write: the layout of clouds, which no step but the joining one takes for clouds.

    Raises:
        InputError: a file, branch or value cannot be used.
        StorageError: the output cannot be written.
    """
    paths = existing_files(files)
    tally = IngestionTally(compares=False)
    skipped = skipped_files(paths, settings)
    good = [path for path in paths if str(path) not in skipped]
    stored = {path: stored_weights(path, settings) for path in good}
    weights = EventWeights(weight_branch(stored.values(), settings))
    of_clouds = [np.zeros(0)]
    with create_clouds(output, settings.max_particles, *columns_of(settings, weights), kind=GROUP_FORMAT) as file:
        writer = PaddedWriter(file, settings.max_particles)
        with progress("ingest group", None, "events") as reporter:
            for number, path in enumerate(paths):
                reporter.note(f"file {number + 1} of {len(paths)}")
                if str(path) in skipped:
                    continue
                with closing(clouds_of(path, number, settings, weights, tally)) as steps:
                    for clouds, step, raw in steps:
                        writer.append(*clouds)
                        of_clouds.append(weights.stored(step)[raw.event])
                        reporter.update(len(step.events))
        file.add_rows(_WEIGHT, np.concatenate(of_clouds))
        file.add_rows(_CONTENT, writer.counts.content)
        file.add_meta(
            {
                "files": [str(path) for path in paths],
                "files_skipped": skipped,
                "tally": tally.to_json(),
                "counts": writer.counts.numbers,
                "weights": {str(path): asdict(found) for path, found in stored.items()},
                "provenance": provenance("ingest", settings.model_dump(mode="json"), good),
            }
        )
    sys.stderr.write(f"ingest-group: {tally.summary(writer.counts, paths)}\n")


def join_groups(parts: Sequence[Path], output: Path) -> None:
    """Write the clouds of all groups of files of a data set to ``output``, one after the other.

    Memory is that of some thousand clouds and grows by 12 bytes with each.

    Args:
        parts: what :func:`ingest_group` wrote, in the order of the files.
        output: cloud file to write.

    Raises:
        InputError: a part cannot be used, or is of other settings or versions than the first; a file is in two parts;
            files are not alike; or there is no cloud in any. The message names the file.
        SettingsError: the cross sections are not those of the files.
        StorageError: the output cannot be written.
    """
    tally, counts = IngestionTally(), CloudCounts()
    stored: dict[Path, StoredWeights] = {}
    skipped: dict[str, str] = {}
    paths: list[Path] = []
    known: set[str] = set()
    inputs: dict[str, str] = {}
    first: Mapping[str, Any] = {}
    for part in parts:
        with open_clouds(part, kind=GROUP_FORMAT) as file:
            meta = _meta(file)
            content, of_file = file.rows(_CONTENT), file.without_particles.label("file") + len(paths)
        first = first or meta["provenance"]
        settings = parse(IngestionSettings, first["settings"], str(parts[0]))
        if _origin(meta["provenance"]) != _origin(first):
            raise InputError(f"{part}: made with other settings or versions than {parts[0]}; make it again")
        of_part = [Path(path) for path in meta["files"]]
        twice = [path for path in of_part if os.path.realpath(path) in known]
        if twice:
            raise InputError(f"{part}: has {twice[0]}, which a part before it has too")
        if paths and of_part[0] < paths[-1]:
            raise InputError(f"{part}: has {of_part[0]}, which comes before {paths[-1]}: give parts in this order")
        known |= {os.path.realpath(path) for path in of_part}
        counts.add_group(meta["counts"], content, of_file)
        tally.add_group(IngestionTally.from_json(meta["tally"]), settings)
        stored |= {Path(path): StoredWeights(**found) for path, found in meta["weights"].items()}
        skipped |= meta["files_skipped"]
        paths += of_part
        inputs |= meta["provenance"]["inputs"]
    weights = combined(stored, settings)
    refuse_nothing(paths, skipped, tally, counts)
    factors = np.array([weights.factors.get(path, 1.0) for path in paths]) if weights.factors else None
    with create_clouds(output, settings.max_particles, *columns_of(settings, weights)) as writer:
        with progress("join", len(counts.content), "clouds") as reporter:
            start = 0
            for part in parts:
                with open_clouds(part, kind=GROUP_FORMAT) as file:
                    for clouds in _weighted(file, start, factors):
                        writer.append(clouds.points, clouds.mask, clouds.features, clouds.labels)
                        reporter.update(len(clouds))
                    start += len(file.meta["files"])
        made_by = {**first, "inputs": inputs}
        writer.add_meta(ingestion_meta(paths, skipped, tally, counts, weights) | {"provenance": made_by})
    sys.stderr.write(f"join-groups: {tally.summary(counts, paths)}{weights.summary()}\n")


def _weighted(file: CloudFile, first: int, factors: np.ndarray | None) -> Iterator[Clouds]:
    """Yield the clouds of a part with what they weigh, and with the positions of their files among all files.

    Args:
        file: the part.
        first: position of its first file.
        factors: what the weights of each of all files are multiplied by, None where clouds get no weights.
    """
    stored = file.rows(_WEIGHT)
    for start in range(0, len(file), _ROWS):
        clouds = file.read(start, min(start + _ROWS, len(file)))
        labels = clouds.labels.copy()
        labels[:, 0] += first
        features = clouds.features
        if factors is not None:
            of_events = factors[labels[:, 0]] * stored[start : start + len(clouds)]
            features = np.column_stack([features, of_events.astype(np.float32)])
        yield Clouds(clouds.points, clouds.mask, features, labels, clouds.point_columns)


def _meta(file: CloudFile) -> Mapping[str, Any]:
    """Return the meta data of a part, which the joined clouds take up."""
    missing = [key for key in _KEYS if key not in file.meta]
    if missing:
        raise InputError(f"{file.path}: no group of files: nothing is stored of {missing}")
    return file.meta


def _origin(made_by: Mapping[str, Any]) -> dict[str, Any]:
    """Return what all parts of a data set have in common."""
    return {name: value for name, value in made_by.items() if name != "inputs"}
