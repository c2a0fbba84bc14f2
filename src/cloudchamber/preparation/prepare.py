"""The preparation step: clouds of jets to relative coordinates, a stored split and a fitted standardisation."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds, write_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.kinematics import relative_sum
from cloudchamber.jets.relative import RELATIVE_COLUMNS, relative_points
from cloudchamber.preparation.identical import fingerprints, joined, repeats, warning
from cloudchamber.preparation.splits import PARTS, event_labels, split, write_split
from cloudchamber.preparation.standardisation import Standardisation, refuse_outside
from cloudchamber.preparation.unweighting import described, effective_size, in_words, undecided, unweight
from cloudchamber.settings.data import PreparationSettings
from cloudchamber.storage import provenance

__all__ = ["CONDITIONS", "prepare", "prepared"]

# What a conditional model can be conditioned on.
CONDITIONS = ("jet_pt", "jet_mass")
# Fewer jets serve no comparison: the Frechet distance takes ten of each side, and the classifier behind the log
# posterior is trained with half of the test part.
_FEWEST = {"train": 10, "validation": 1, "test": 20}


def prepared(
    clouds: Clouds, settings: PreparationSettings, rng: np.random.Generator, rows: np.ndarray | None = None
) -> Clouds:
    """Return jets in relative coordinates with their split in ``indices`` and the standardisations in ``meta``.

    Both standardisations, of the particles and of the conditions (jet pT and mass), see the training part only. Jets
    that are identical to an earlier one are counted in ``meta``; all of them are in one part of the split. Jets whose
    particles add up to no momentum, as those without particles, keep their row and are in no part; ``meta`` has their
    number as "without_particles". Particles of negative pt_rel, which the linear scale takes, are counted there as
    "negative_momenta".

    Args:
        clouds: jets.
        settings: split and scales.
        rng: of the split.
        rows: (n,) increasing, those that are kept after the split, which is of all; by default all.

    Raises:
        InputError: the clouds are not jets, a part of the split is empty, a file of indices cannot be used, or a column
            cannot be standardised: some particle of any part is outside of its scale, or all of the training part are
            equal.
    """
    # The same event weighs something else in another slice.
    content = fingerprints(clouds.points, clouds.without_event_weight.features)
    # Jets without particles are copies of nothing.
    empty = clouds.multiplicity == 0
    content[empty] = np.arange(np.count_nonzero(empty), dtype=np.uint64)
    parts = split(joined(event_labels(clouds), content), settings.split, rng)
    if rows is not None:
        parts = _kept(parts, rows, len(clouds))
        clouds, content = clouds[rows], content[rows]
    points = relative_points(clouds)
    names = tuple(column.name for column in RELATIVE_COLUMNS)
    # Of all parts, so that the seed of the split does not decide what is refused.
    momenta = points[..., names.index("pt_rel")]
    refuse_outside(momenta[clouds.mask], "pt_rel", settings.pt_scale)
    relative = replace(clouds, points=points, point_columns=RELATIVE_COLUMNS)
    # Nothing can be in units of such a sum.
    filled = relative_sum(relative) > 0
    parts = _filled(parts, filled)
    train = parts["train"]
    of_points = Standardisation.fit(points[train][clouds.mask[train]], names, {"pt_rel": settings.pt_scale})
    conditions = np.stack([clouds.feature(name)[train] for name in CONDITIONS], axis=1)
    of_conditions = Standardisation.fit(conditions, CONDITIONS)
    return Clouds(
        points=points,
        mask=clouds.mask,
        features=clouds.features,
        labels=clouds.labels,
        point_columns=RELATIVE_COLUMNS,
        feature_columns=clouds.feature_columns,
        label_columns=clouds.label_columns,
        indices=parts,
        meta={
            "standardisation": {"points": of_points.to_json(), "conditions": of_conditions.to_json()},
            "without_particles": int(np.count_nonzero(~filled)),
            "negative_momenta": int(np.count_nonzero(momenta[clouds.mask] < 0)),
            "identical_clouds": len(repeats(content)[0]),
        },
    )


def _filled(parts: Mapping[str, np.ndarray], filled: np.ndarray) -> dict[str, np.ndarray]:
    """Return the rows of each part whose jets are ``filled``, (N,) bool."""
    kept = {name: rows[filled[rows]] for name, rows in parts.items()}
    for name, rows in kept.items():
        if not len(rows):
            raise InputError(f"none of the {len(parts[name])} jets of the {name} part has a particle")
    return kept


def _kept(parts: Mapping[str, np.ndarray], rows: np.ndarray, jets: int) -> dict[str, np.ndarray]:
    """Return the parts of a split of all ``jets``, as positions in the ``rows`` that are kept."""
    place = np.full(jets, -1)
    place[rows] = np.arange(len(rows))
    kept = {name: place[part][place[part] >= 0] for name, part in parts.items()}
    for name, part in kept.items():
        if not len(part):
            raise InputError(f"unweighting leaves {len(rows)} of {jets} jets and none in the {name} part")
    return kept


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
        InputError: see :func:`prepared`, or a part has too few jets to be compared; the message names the file. Or
            there are event weights and the settings do not say what becomes of them, or they cannot be unweighted.
        StorageError: an output cannot be written.
    """
    clouds, rows, weighting = _weighted(source, settings, seed)
    try:
        result = prepared(clouds, settings, seeds.generator(seed, "prepare"), rows)
        _check_sizes(result)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    inputs = [source, *map(Path, [settings.split.indices] if settings.split.indices else [])]
    if identical := result.meta["identical_clouds"]:
        sys.stderr.write(f"prepare: {warning(identical, len(result))}\n")
    record = provenance("prepare", settings.model_dump(mode="json"), inputs, seed)
    meta = {**result.meta, **weighting, "source": dict(clouds.meta), "provenance": record}
    if split_output is not None:
        parts = result.indices if rows is None else {name: rows[part] for name, part in result.indices.items()}
        write_split(split_output, parts, len(clouds))
    write_clouds(output, Clouds(**{**result.__dict__, "meta": meta}))
    sizes = ", ".join(f"{len(result.indices[name])} {name}" for name in PARTS)
    sys.stderr.write(f"prepare: jets of each part: {sizes}\n")
    if negative := result.meta["negative_momenta"]:
        particles = int(result.mask.sum())
        sys.stderr.write(
            f"prepare: {negative} of {particles} particles have a negative pt_rel: observables leave them out, "
            "trainings and multiplicities do not\n"
        )
    if result.meta["without_particles"]:
        count = f"{result.meta['without_particles']} of {len(result)} jets have no momentum in their particles"
        sys.stderr.write(f"prepare: {count} and are in no part\n")


def _weighted(
    source: Path, settings: PreparationSettings, seed: int
) -> tuple[Clouds, np.ndarray | None, dict[str, Any]]:
    """Return jets, the rows that unweighting leaves, None for all, and what is to be known of their event weights."""
    clouds = read_clouds(source, weighted=True)
    weights = clouds.event_weight
    if weights is None:
        return clouds, None, {}
    if settings.event_weights == "keep":
        return clouds, None, {"event_weights": {"effective_size": effective_size(weights)}}
    try:
        if settings.event_weights == "refuse":
            raise undecided(weights)
        rows = unweight(weights, event_labels(clouds), seeds.generator(seed, "prepare", "unweight"))
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    known = described(weights, rows)
    sys.stderr.write(f"prepare: {in_words(known)}\n")
    return clouds.without_event_weight, rows, {"unweighting": known}


def _check_sizes(jets: Clouds) -> None:
    for name, fewest in _FEWEST.items():
        there = len(jets.indices[name])
        if there < fewest:
            raise InputError(f"the {name} part has {there} of {len(jets)} jets, {fewest} or more are needed")
