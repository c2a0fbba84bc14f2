"""The step that combines the jets of all classes into the one file that taggers are trained and tested with."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.classification.flat_weights import flat_weights
from cloudchamber.cloud import Clouds, CloudWriter, Column, create_clouds, read_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.relative import RELATIVE_COLUMNS, relative_points
from cloudchamber.preparation.identical import fingerprints, joined, repeats
from cloudchamber.preparation.splits import PARTS, event_labels, split
from cloudchamber.progress import progress
from cloudchamber.settings.tagging_sample import JetClassSettings, TaggingJetsSettings
from cloudchamber.storage import provenance

__all__ = ["FEATURE_COLUMNS", "LABEL_COLUMNS", "combine_classes"]

FEATURE_COLUMNS = (
    Column("jet_pt", "GeV"),
    Column("jet_eta"),
    Column("jet_phi", "rad"),
    Column("jet_mass", "GeV"),
    Column("n_constituents"),
    Column("weight"),
)
LABEL_COLUMNS = (Column("class"), Column("source"), Column("file"), Column("event"))


def combine_classes(settings: TaggingJetsSettings, seed: int, output: Path) -> None:
    """Write the jets of all classes to one cloud file, in relative coordinates, with weights and a split by event.

    Labels are the position of the class in ``meta["classes"]``, that of the cloud file in ``meta["files"]``, and file
    and event as the cloud file has them; where it has none, each jet is an event of its own. Classes of different files
    are split on their own, so that all parts have the same shares of them; those of one file are split together, since
    they may share events. Jets that are identical to an earlier one are counted in ``meta``; all of them are in one
    part. The feature ``weight`` has mean one within each class.

    Raises:
        InputError: a file cannot be used, a class has no jets or cannot be made flat, a part lacks a class, or two
            classes have the same jet.
        StorageError: the output cannot be written.
    """
    files = list(dict.fromkeys(item.file for item in settings.classes))
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        raise InputError(f"{missing[0]}: no such file")
    inputs = [*files, *([settings.split.indices] if settings.split.indices else [])]
    columns = (RELATIVE_COLUMNS, FEATURE_COLUMNS, LABEL_COLUMNS)
    made: dict[str, dict[str, Any]] = {}
    with (
        create_clouds(output, settings.max_particles, *columns) as writer,
        progress("tagging jets", len(settings.classes), "classes") as report,
    ):
        labels, contents = [], []
        for source, file in enumerate(files):
            clouds = read_clouds(file)
            for position, item in enumerate(settings.classes):
                if item.file != file:
                    continue
                try:
                    rows, content, made[item.name] = _append(clouds, item, (position, source), settings, seed, writer)
                except InputError as error:
                    raise InputError(f"{file}: class '{item.name}': {error}") from error
                labels.append(rows)
                contents.append(content)
                report.update()
        of_jets, content = np.concatenate(labels), np.concatenate(contents)
        identical = _count_identical(content, of_jets[:, 0], settings.classes)
        parts = _parts(of_jets, content, settings, seeds.generator(seed, "tagging", "split"))
        for name, rows in parts.items():
            writer.add_indices(name, rows)
        writer.add_meta(
            {
                "classes": [made[item.name] for item in settings.classes],
                "windows": {
                    "jet_pt": settings.pt_window,
                    "jet_mass": settings.mass_window,
                    "jet_eta": (-settings.eta_max, settings.eta_max),
                },
                "files": files,
                "identical_clouds": identical,
                "provenance": provenance("combine-classes", settings.model_dump(mode="json"), inputs, seed),
            }
        )


def _append(
    clouds: Clouds,
    item: JetClassSettings,
    numbers: tuple[int, int],
    settings: TaggingJetsSettings,
    seed: int,
    writer: CloudWriter,
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Write the jets of one class; return their labels (n, 4) and fingerprints (n,), and what to know of the class."""
    accepted = _accepted(clouds, item, settings)
    drawn = accepted
    if settings.jets_per_class is not None and len(accepted) > settings.jets_per_class:
        rng = seeds.generator(seed, "tagging", "draw", item.name)
        drawn = np.sort(rng.permutation(accepted)[: settings.jets_per_class])
    jets = clouds[drawn]
    empty = int((jets.multiplicity == 0).sum())
    if empty:
        raise InputError(f"{empty} of {len(jets)} jets have no particle")
    weights, described = _weights(jets, settings)
    features = np.column_stack([*(jets.feature(column.name) for column in FEATURE_COLUMNS[:-1]), weights])
    labels = np.column_stack([np.tile(numbers, (len(jets), 1)), event_labels(clouds)[drawn]])
    width = settings.max_particles
    points, mask = (_padded(values, width) for values in (relative_points(jets), jets.mask))
    writer.append(points, mask, features.astype(np.float32), labels)
    known = {"name": item.name, "title": item.title, "accepted": len(accepted), "jets": len(jets)}
    known["truncated"] = int((jets.multiplicity > width).sum())
    return labels, fingerprints(jets.points, features[:, :-1]), known | described


def _count_identical(content: np.ndarray, of_class: np.ndarray, classes: Sequence[JetClassSettings]) -> int:
    """Return how many jets are identical to an earlier one, and say so; one jet in two classes is an error."""
    later, earlier = repeats(content)
    torn = np.flatnonzero(of_class[later] != of_class[earlier])
    if len(torn):
        first, second = (classes[of_class[rows[torn[0]]]] for rows in (earlier, later))
        raise InputError(
            f"{second.file}: class '{second.name}': {len(torn)} jets are in another class too, as in class "
            f"'{first.name}' of {first.file}: what is a jet of both?"
        )
    if len(later):
        sys.stderr.write(
            f"combine-classes: WARNING: {len(later)} of {len(content)} jets are identical to an earlier one; they are "
            "kept, each in the part of the split that the earlier one is in\n"
        )
    return len(later)


def _accepted(clouds: Clouds, item: JetClassSettings, settings: TaggingJetsSettings) -> np.ndarray:
    """Return the rows of the jets of a class within the windows."""
    of_class = np.ones(len(clouds), bool) if item.label is None else clouds.label(settings.label_column) == item.label
    if not of_class.any():
        raise InputError(f"no jet with '{settings.label_column}' = {item.label}")
    chosen = of_class & (np.abs(clouds.feature("jet_eta")) <= settings.eta_max)
    for name, (low, high) in (("jet_pt", settings.pt_window), ("jet_mass", settings.mass_window)):
        values = clouds.feature(name)
        chosen &= (values >= low) & (values <= high)
    if not chosen.any():
        raise InputError(f"none of its {int(of_class.sum())} jets is within the windows in pT, mass and eta")
    return np.flatnonzero(chosen)


def _weights(jets: Clouds, settings: TaggingJetsSettings) -> tuple[np.ndarray, dict[str, Any]]:
    if not settings.flat:
        return np.ones(len(jets)), {"effective_size": float(len(jets))}
    windows = (settings.mass_window, settings.pt_window)
    flat = flat_weights(jets.feature("jet_mass"), jets.feature("jet_pt"), *windows, settings.weights)
    described = {name: getattr(flat, name) for name in ("effective_size", "capped", "deviation", "correlation")}
    return flat.values, described


def _padded(values: np.ndarray, width: int) -> np.ndarray:
    """Return (N, width, ...) of (N, P, ...): cut, or filled up with zeros."""
    more = max(0, width - values.shape[1])
    return np.pad(values[:, :width], ((0, 0), (0, more), *[(0, 0)] * (values.ndim - 2)))


def _parts(
    labels: np.ndarray, content: np.ndarray, settings: TaggingJetsSettings, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return the rows of each part; ``labels`` is (N, 4): class, source, file, event, ``content`` the fingerprints."""
    of_class, source = labels[:, :2].T
    events = joined(labels[:, 1:], content)
    if settings.split.indices is not None:
        parts = split(events, settings.split, rng)
    else:
        sources = [np.flatnonzero(source == number) for number in np.unique(source)]
        of_sources = [(rows, split(events[rows], settings.split, rng)) for rows in sources]
        parts = {name: np.concatenate([rows[chosen[name]] for rows, chosen in of_sources]) for name in PARTS}
        if settings.split.order == "random":
            # Any first jets of a part are then a fair draw of its classes.
            parts = {name: rng.permutation(rows) for name, rows in parts.items()}
    _check_classes(parts, of_class, [item.name for item in settings.classes])
    return parts


def _check_classes(parts: dict[str, np.ndarray], of_class: np.ndarray, names: Sequence[str]) -> None:
    for part, rows in parts.items():
        missing = [name for position, name in enumerate(names) if not (of_class[rows] == position).any()]
        if missing:
            raise InputError(f"the {part} part has no jet of class '{missing[0]}'")
