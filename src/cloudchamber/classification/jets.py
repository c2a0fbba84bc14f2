"""The step that combines the jets of all classes into the one file that taggers are trained and tested with."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.classification import origins
from cloudchamber.classification.chosen_jets import WINDOWED, chosen_jets, say_cut_weights, windows_or_ranges
from cloudchamber.classification.flat_weights import flat_weights
from cloudchamber.classification.made_with import MADE_WITH, READ_FROM, made_with, read_from
from cloudchamber.cloud import EVENT_WEIGHT, Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import CloudWriter, create_clouds
from cloudchamber.damage import refuse_no_file
from cloudchamber.errors import InputError
from cloudchamber.jets.coordinate_checks import refuse_other_coordinates
from cloudchamber.jets.relative import RELATIVE_COLUMNS, relative_points
from cloudchamber.preparation.identical import fingerprints, joined, momentum_column, repeats, warning
from cloudchamber.preparation.splits import PARTS, event_labels, split
from cloudchamber.preparation.unweighting import effective_size
from cloudchamber.progress import progress
from cloudchamber.settings.tagging_sample import JetClassSettings, TaggingJetsSettings
from cloudchamber.storage import provenance

__all__ = ["FEATURE_COLUMNS", "LABEL_COLUMNS", "LEAST_JETS", "combine_classes"]

FEATURE_COLUMNS = (
    Column("jet_pt", "GeV"),
    Column("jet_eta"),
    Column("jet_phi", "rad"),
    Column("jet_mass", "GeV"),
    Column("n_constituents"),
    Column("weight"),
)
LABEL_COLUMNS = (Column("class"), Column("source"), Column("file"), Column("event"))
# Of each class in each part. Scores that are guessed put all jets of one class above all of another, or below, in 2 of
# (2n)! / n!^2 samples with n jets of each: always with one jet, in 2 of 252 with five.
LEAST_JETS = 5


def combine_classes(settings: TaggingJetsSettings, seed: int, output: Path) -> None:
    """Write the jets of all classes to one cloud file, in relative coordinates, with weights and a split by event.

    Labels are the position of the class in ``meta["classes"]``, that of the cloud file in ``meta["files"]``, and file
    and event as the cloud file has them; where it has none, each jet is an event of its own. Classes of different files
    are split on their own, so that all parts have the same shares of them. Those that share events are split together,
    as classes of one file may, or of two that were ingested from the same raw file. Jets that are identical to an
    earlier one are counted in ``meta``; all of them are in one part. The feature ``weight`` has mean one within each
    class. Where event weights are kept, they are a factor of it, and stand beside it as the feature ``event_weight``,
    of mean one within each class too.

    Raises:
        InputError: a file cannot be used, a class has no jets or cannot be made flat, a part has fewer jets of a class
            than :data:`LEAST_JETS`, the training part has fewer jets of one than the learning curve asks for, or two
            classes have the same jet, were made with other settings or from other collections, or one was cut to fewer
            particles; jets of arrays are in other coordinates or units (:func:`refuse_other_coordinates`); jets have
            event weights and the settings do not say what becomes of them, or some are negative.
        StorageError: the output cannot be written.
    """
    files = list(dict.fromkeys(item.file for item in settings.classes))
    for file in files:
        refuse_no_file(file)
    inputs = [*files, *([settings.split.indices] if settings.split.indices else [])]
    kept = [Column(EVENT_WEIGHT)] if settings.event_weights == "keep" else []
    columns = (RELATIVE_COLUMNS, (*FEATURE_COLUMNS, *kept), LABEL_COLUMNS)
    made: dict[str, dict[str, Any]] = {}
    with (
        create_clouds(output, settings.max_particles, *columns) as writer,
        progress("tagging jets", len(settings.classes), "classes") as report,
    ):
        labels, raw_files, contents, kinematics = [], [], [], []
        known: dict[str, tuple[int, int]] = {}
        made_of: list[tuple[str, dict[str, str]]] = []
        momenta: dict[str, float | None] = {}
        taken: dict[str, Clouds] = {}
        for source, file in enumerate(files):
            clouds = read_clouds(file, weighted=True)
            for position, item in enumerate(settings.classes):
                if item.file != file:
                    continue
                try:
                    rows, made[item.name] = chosen_jets(clouds, item, settings, seed)
                    jets, events = clouds[rows], event_labels(clouds)[rows]
                    refuse_other_coordinates(jets)
                    made_of.append((item.name, made_with(clouds, settings.max_particles)))
                    momenta[item.name] = origins.typical_pt(jets)
                    taken[item.name] = jets.without_particles
                    labels.append(np.column_stack([np.tile((position, source), (len(rows), 1)), events]))
                    raw_files.append(_raw_files(clouds, source, events[:, 0], known))
                    content, described = _append(jets, labels[-1], settings, writer)
                    made[item.name] |= described
                    say_cut_weights(made[item.name], settings)
                except InputError as error:
                    raise InputError(f"{file}: class '{item.name}': {error}") from error
                contents.append(content)
                kinematics.append(np.stack([jets.feature(name) for name in WINDOWED]))
                report.update()
        of_windows = np.concatenate(kinematics, axis=1)
        mixed = _mixed(
            origins.difference(made_of)
            or origins.detectors_of_classes({name: jets.meta for name, jets in taken.items()})
            or origins.units_of_classes(momenta)
            or origins.cut_of_classes({name: jets.feature("n_constituents") for name, jets in taken.items()})
            or origins.windows_of_classes(taken),
            settings,
        )
        of_jets, content = np.concatenate(labels), np.concatenate(contents)
        identical = _count_identical(content, of_jets[:, 0], settings.classes)
        events = joined(np.column_stack([np.concatenate(raw_files), of_jets[:, 3]]), content)
        jet_pt = of_windows[WINDOWED.index("jet_pt")]
        parts = _parts(of_jets[:, :2], events, jet_pt, settings, seeds.generator(seed, "tagging", "split"))
        for name, rows in parts.items():
            writer.add_indices(name, rows)
        writer.add_meta(
            {
                "classes": [made[item.name] for item in settings.classes],
                "windows": windows_or_ranges(settings, of_windows),
                "files": files,
                "identical_clouds": identical,
                "mixed_classes": mixed,
                MADE_WITH: dict(made_of),
                READ_FROM: {name: read_from(jets.meta) for name, jets in taken.items()},
                "provenance": provenance("combine-classes", settings.model_dump(mode="json"), inputs, seed),
            }
        )


def _mixed(found: str | None, settings: TaggingJetsSettings) -> str:
    """Return how classes differ in what their jets were made with, "" where they do not; refuse it or say it."""
    if found is None:
        return ""
    if settings.mixed_classes == "fail":
        raise InputError(f"{found}: taggers would tell these apart; mixed_classes: accept takes them")
    sys.stderr.write(f"combine-classes: WARNING: {found}\n")
    return found


def _raw_files(clouds: Clouds, source: int, files: np.ndarray, known: dict[str, tuple[int, int]]) -> np.ndarray:
    """Return (n, 2) int64, equal for jets of one raw file: cloud file and number there, where it was first met.

    Args:
        clouds: of one cloud file, which may say what raw files it was made from.
        source: number of the cloud file.
        files: (n,) numbers of the raw files of some jets.
        known: raw files that were met before, by their hashes; those of ``clouds`` are added.
    """
    hashes = clouds.meta.get("provenance", {}).get("inputs", {})
    # Clouds that do not say of which event they are have no number of a file either.
    paths = clouds.meta.get("files", []) if "file" in [column.name for column in clouds.label_columns] else []
    first = {number: (source, number) for number in np.unique(files).tolist()}
    for number, place in first.items():
        path = paths[number] if 0 <= number < len(paths) else None
        if path in hashes:
            first[number] = known.setdefault(hashes[path], place)
    return np.array([first[number] for number in files.tolist()], np.int64).reshape(-1, 2)


def _append(
    jets: Clouds, labels: np.ndarray, settings: TaggingJetsSettings, writer: CloudWriter
) -> tuple[np.ndarray, dict[str, Any]]:
    """Write the jets of one class; return their fingerprints (n,), and what is to be known of their weights."""
    weights, described = _weights(jets, settings)
    features = np.column_stack([*(jets.feature(column.name) for column in FEATURE_COLUMNS[:-1]), *weights])
    points, mask = (_padded(values, settings.max_particles) for values in (relative_points(jets), jets.mask))
    writer.append(points, mask, features.astype(np.float32), labels)
    alike = features[:, : len(FEATURE_COLUMNS) - 1]
    return fingerprints(jets.points, alike, momentum_column(jets.point_columns)), described


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
        sys.stderr.write(f"combine-classes: {warning(len(later), len(content))}\n")
    return len(later)


def _weights(jets: Clouds, settings: TaggingJetsSettings) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Return the weights of the jets of a class, behind them those of the events where these are kept."""
    of_events = None
    if settings.event_weights == "keep":
        of_events = np.ones(len(jets)) if jets.event_weight is None else jets.event_weight / jets.event_weight.mean()
    kept = [] if of_events is None else [of_events]
    if not settings.flat:
        weights = np.ones(len(jets)) if of_events is None else of_events
        return [weights, *kept], {"effective_size": effective_size(weights)}
    assert settings.mass_window is not None, "the settings ask for the windows of flat weights"
    assert settings.pt_window is not None, "the settings ask for the windows of flat weights"
    windows = (settings.mass_window, settings.pt_window)
    flat = flat_weights(jets.feature("jet_mass"), jets.feature("jet_pt"), *windows, settings.weights, of_events)
    described = {name: getattr(flat, name) for name in ("effective_size", "capped", "deviation", "correlation")}
    return [flat.values, *kept], described


def _padded(values: np.ndarray, width: int) -> np.ndarray:
    """Return (N, width, ...) of (N, P, ...): cut, or filled up with zeros."""
    more = max(0, width - values.shape[1])
    return np.pad(values[:, :width], ((0, 0), (0, more), *[(0, 0)] * (values.ndim - 2)))


def _parts(
    labels: np.ndarray,
    events: np.ndarray,
    jet_pt: np.ndarray,
    settings: TaggingJetsSettings,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Return the rows of each part; ``labels`` is (N, 2): class and source, ``events`` (N, 1), ``jet_pt`` (N,)."""
    of_class, source = labels.T
    if settings.split.indices is not None:
        parts = split(events, jet_pt, settings.split, rng)
    else:
        # Sources that share an event are one.
        source = joined(source[:, None], events[:, 0].astype(np.uint64))[:, 0]
        sources = [np.flatnonzero(source == number) for number in np.unique(source)]
        of_sources = [(rows, split(events[rows], jet_pt[rows], settings.split, rng)) for rows in sources]
        parts = {name: np.concatenate([rows[chosen[name]] for rows, chosen in of_sources]) for name in PARTS}
        if settings.split.order == "random":
            # Any first jets of a part are then a fair draw of its classes.
            parts = {name: rng.permutation(rows) for name, rows in parts.items()}
    _check_classes(parts, of_class, settings)
    return parts


def _check_classes(parts: Mapping[str, np.ndarray], of_class: np.ndarray, settings: TaggingJetsSettings) -> None:
    """Refuse parts that cannot serve the trainings and metrics, and say how many jets of each class they have."""
    names = [item.name for item in settings.classes]
    sizes = {part: np.bincount(of_class[rows], minlength=len(names)) for part, rows in parts.items()}
    for part, jets in sizes.items():
        few = int(jets.argmin())
        if jets[few] < LEAST_JETS:
            total = sum(int(of_part[few]) for of_part in sizes.values())
            raise InputError(
                f"class '{names[few]}' of {total} jets has {jets[few]} in the {part} part, and each part needs "
                f"{LEAST_JETS} of each class: a tagger that guesses could be taken for a perfect one"
            )
    fewest, asked = int(sizes["train"].argmin()), max(settings.learning_curve, default=0)
    if sizes["train"][fewest] < asked:
        raise InputError(
            f"class '{names[fewest]}' has {sizes['train'][fewest]} training jets, "
            f"learning_curve.jets_per_class asks for {asked}"
        )
    for name, *numbers in zip(names, *sizes.values(), strict=True):
        of_parts = ", ".join(f"{number} {part}" for number, part in zip(numbers, sizes, strict=True))
        sys.stderr.write(f"combine-classes: class '{name}': jets of each part: {of_parts}\n")
