"""The preparation step: clouds of jets to relative coordinates, a stored split and a fitted standardisation."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.cloud import EVENT_WEIGHT, Clouds, weights_of_other_names
from cloudchamber.cloud_file import open_clouds
from cloudchamber.cloud_writer import create_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.relative import RELATIVE_COLUMNS
from cloudchamber.preparation.columns import CLASS_COLUMN
from cloudchamber.preparation.identical import warning
from cloudchamber.preparation.prepared_jets import CONDITIONS, Preparation, of_file
from cloudchamber.preparation.splits import PARTS, event_labels, write_split
from cloudchamber.preparation.unweighting import described, effective_size, in_words, undecided, unweight
from cloudchamber.progress import progress
from cloudchamber.settings.data import PreparationSettings
from cloudchamber.storage import provenance

__all__ = ["prepare"]

# Fewer jets serve no comparison: the Frechet distance takes ten of each side, and the classifier behind the log
# posterior is trained with half of the test part.
_FEWEST = {"train": 10, "validation": 1, "test": 20}
# Classes that the log names.
_SHOWN = 10


def prepare(
    source: Path, settings: PreparationSettings, seed: int, output: Path, split_output: Path | None = None
) -> None:
    """Read clouds of jets from ``source`` and write their prepared form to ``output``.

    Args:
        source: cloud file.
        settings: split, scales, and what becomes of event weights.
        seed: of the split and of what is drawn by event weights.
        output: cloud file to write.
        split_output: file of indices to write, for use with other clouds of the same jets.

    Raises:
        InputError: see :func:`cloudchamber.preparation.prepared_jets.prepared`, or a part has too few jets to be
            compared; the message names the file. Or there are event weights and the settings do not say what becomes of
            them, or they cannot be unweighted.
        StorageError: an output cannot be written.
    """
    with open_clouds(source, weighted=True) as file:
        rows, weighting = _weighting(source, file.without_particles, settings, seed)
        rng = seeds.generator(seed, "prepare")
        jets = Preparation(file.without_particles, file.pieces, settings, rng, rows, source)
        with of_file(source):
            _check_sizes(jets)
        if jets.identical:
            sys.stderr.write(f"prepare: {warning(jets.identical, jets.jets)}\n")
        _say_classes(file.without_particles)
        _say_weights(file.without_particles)
        inputs = [source, *map(Path, [settings.split.indices] if settings.split.indices else [])]
        record = provenance("prepare", settings.model_dump(mode="json"), inputs, seed)
        bare = file.without_particles if rows is None else file.without_particles.without_event_weight
        columns = (RELATIVE_COLUMNS, bare.feature_columns, bare.label_columns)
        with create_clouds(output, file.width, *columns) as writer:
            particles = 0
            with progress("relative coordinates", jets.jets, "jets") as report:
                for clouds in jets.pieces():
                    writer.append(clouds.points, clouds.mask, clouds.features, clouds.labels)
                    particles += int(clouds.mask.sum())
                    report.update(len(clouds))
            for name, part in jets.parts.items():
                writer.add_indices(name, part)
            writer.add_meta({**jets.meta(), **weighting, "source": dict(file.meta), "provenance": record})
            if split_output is not None:
                parts = jets.parts if rows is None else {name: rows[part] for name, part in jets.parts.items()}
                write_split(split_output, parts, file.without_particles.feature(CONDITIONS[0]))
    sizes = ", ".join(f"{len(jets.parts[name])} {name}" for name in PARTS)
    sys.stderr.write(f"prepare: jets of each part: {sizes}\n")
    if jets.negative:
        sys.stderr.write(
            f"prepare: {jets.negative} of {particles} particles have a negative pt_rel: observables leave them out, "
            "trainings and multiplicities do not\n"
        )
    if jets.without_particles:
        count = f"{jets.without_particles} of {jets.jets} jets have no momentum in their particles"
        sys.stderr.write(f"prepare: {count} and are in no part\n")


def _weighting(
    source: Path, jets: Clouds, settings: PreparationSettings, seed: int
) -> tuple[np.ndarray | None, dict[str, Any]]:
    """Return the rows that unweighting leaves, None for all, and what is to be known of the event weights of jets."""
    weights = jets.event_weight
    if weights is None:
        return None, {}
    if settings.event_weights == "keep":
        return None, {"event_weights": {"effective_size": effective_size(weights)}}
    with of_file(source):
        if settings.event_weights == "refuse":
            raise undecided(weights)
        rows = unweight(weights, event_labels(jets), seeds.generator(seed, "prepare", "unweight"))
    known = described(weights, rows)
    sys.stderr.write(f"prepare: {in_words(known)}\n")
    return rows, {"unweighting": known}


def _say_classes(jets: Clouds) -> None:
    """Say how many jets are of which class, where they are of several and become one sample."""
    if CLASS_COLUMN not in jets.label_columns:
        return
    classes, numbers = np.unique(jets.label(CLASS_COLUMN.name), return_counts=True)
    if len(classes) > 1:
        shown = [f"{n} of {one}" for one, n in zip(classes.tolist(), numbers.tolist(), strict=True)]
        named = ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
        sys.stderr.write(f"prepare: the jets of {len(shown)} classes are one sample: {named} (label 'class')\n")


def _say_weights(jets: Clouds) -> None:
    """Say which features of clouds of arrays of one's own are weights by their names alone."""
    # What a step has written says which weights it knows.
    if "provenance" in jets.meta:
        return
    for name in weights_of_other_names(column.name for column in jets.feature_columns):
        sys.stderr.write(
            f"prepare: WARNING: feature '{name}' is not taken for weights of events: these are called {EVENT_WEIGHT}\n"
        )


def _check_sizes(jets: Preparation) -> None:
    for name, fewest in _FEWEST.items():
        there = len(jets.parts[name])
        if there < fewest:
            raise InputError(f"the {name} part has {there} of {jets.jets} jets, {fewest} or more are needed")
