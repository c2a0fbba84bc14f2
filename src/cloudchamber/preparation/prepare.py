"""The preparation step: clouds of jets to relative coordinates, a stored split and a fitted standardisation."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber import seeds
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import open_clouds
from cloudchamber.cloud_writer import create_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.kinematics import relative_sum
from cloudchamber.jets.relative import RELATIVE_COLUMNS, relative_points
from cloudchamber.preparation.identical import fingerprints_of, joined, repeats, warning
from cloudchamber.preparation.splits import PARTS, event_labels, split, write_split
from cloudchamber.preparation.standardisation import (
    Standardisation,
    StandardisationFit,
    count_outside,
    refuse_outside,
)
from cloudchamber.preparation.unweighting import described, effective_size, in_words, undecided, unweight
from cloudchamber.progress import progress
from cloudchamber.settings.data import PreparationSettings
from cloudchamber.storage import provenance

__all__ = ["CONDITIONS", "prepare", "prepared"]

Pieces = Callable[[], Iterator[tuple[int, Clouds]]]

# What a conditional model can be conditioned on.
CONDITIONS = ("jet_pt", "jet_mass")
# Fewer jets serve no comparison: the Frechet distance takes ten of each side, and the classifier behind the log
# posterior is trained with half of the test part.
_FEWEST = {"train": 10, "validation": 1, "test": 20}


@final
class _Preparation:
    """What is made of jets that come in pieces, each of which is looked at twice.

    Args:
        jets: features and labels of all.
        pieces: yields the first row and the jets of each piece, as often as it is called.
        settings: split and scales.
        rng: of the split.
        rows: (n,) increasing, those that are kept after the split, which is of all; None for all.
        source: file that errors name, where there is one.

    Attributes:
        parts: rows of each part, of the jets that are kept.
        jets: how many are kept.
        identical, without_particles, negative: counts of those.
    """

    def __init__(
        self,
        jets: Clouds,
        pieces: Pieces,
        settings: PreparationSettings,
        rng: np.random.Generator,
        rows: np.ndarray | None,
        source: Path | None = None,
    ) -> None:
        self._pieces, self._settings, self._source, self._rows = pieces, settings, source, rows
        self.jets = len(jets) if rows is None else len(rows)
        content = self._read_once(len(jets))
        with _of_file(source):
            parts = split(joined(event_labels(jets), content), jets.feature(CONDITIONS[0]), settings.split, rng)
            if rows is not None:
                parts = _kept(parts, rows, len(jets))
                content = content[rows]
            refuse_outside(self._outside, self._particles, "pt_rel", settings.pt_scale)
            self.parts = _filled(parts, self._filled)
            conditions = np.stack([jets.feature(name) for name in CONDITIONS], axis=1)
            kept = conditions if rows is None else conditions[rows]
            self._of_conditions = Standardisation.fit(kept[self.parts["train"]], CONDITIONS)
        self.identical = len(repeats(content)[0])
        self.without_particles = int(np.count_nonzero(~self._filled))
        names = [column.name for column in RELATIVE_COLUMNS]
        self._of_points = StandardisationFit(names, {"pt_rel": settings.pt_scale})

    def _read_once(self, jets: int) -> np.ndarray:
        """Return (N,) fingerprints of all jets, and look at the momenta of those that are kept."""
        content = np.empty(jets, np.uint64)
        self._filled = np.empty(self.jets, bool)
        self._outside = self._particles = self.negative = 0
        empty = 0
        for start, clouds in self._pieces():
            with _of_file(self._source):
                of_piece = fingerprints_of(clouds)
                # Jets without particles are copies of nothing.
                alone = clouds.multiplicity == 0
                of_piece[alone] = np.arange(empty, empty + np.count_nonzero(alone), dtype=np.uint64)
                empty += int(np.count_nonzero(alone))
                content[start : start + len(clouds)] = of_piece
                first, relative = self._relative(start, clouds)
                # Of all parts, so that the seed of the split does not decide what is refused.
                momenta = relative.point("pt_rel")[relative.mask]
                self._outside += count_outside(momenta, self._settings.pt_scale)
                self._particles += len(momenta)
                self.negative += int(np.count_nonzero(momenta < 0))
                # Nothing can be in units of such a sum.
                self._filled[first : first + len(relative)] = relative_sum(relative) > 0
        return content

    def _relative(self, start: int, clouds: Clouds) -> tuple[int, Clouds]:
        """Return the kept jets of a piece in relative coordinates, and which of all that are kept is the first."""
        first = start
        if self._rows is not None:
            first, end = (int(place) for place in np.searchsorted(self._rows, [start, start + len(clouds)]))
            clouds = clouds.without_event_weight[self._rows[first:end] - start]
        return first, replace(clouds, points=relative_points(clouds), point_columns=RELATIVE_COLUMNS, meta={})

    def pieces(self) -> Iterator[Clouds]:
        """Yield the jets that are kept in relative coordinates, and fit the standardisation to those of training."""
        train = self.parts["train"]
        for start, clouds in self._pieces():
            with _of_file(self._source):
                first, relative = self._relative(start, clouds)
                rows = train[(train >= first) & (train < first + len(relative))] - first
                self._of_points.add(relative.points[rows][relative.mask[rows]])
            yield relative

    def meta(self) -> dict[str, Any]:
        """Return what is to be known of the jets, once all pieces were yielded."""
        with _of_file(self._source):
            of_points = Standardisation.of(self._of_points)
        return {
            "standardisation": {"points": of_points.to_json(), "conditions": self._of_conditions.to_json()},
            "without_particles": self.without_particles,
            "negative_momenta": self.negative,
            "identical_clouds": self.identical,
        }


@contextmanager
def _of_file(source: Path | None) -> Iterator[None]:
    """Name the file in errors."""
    try:
        yield
    except InputError as error:
        raise error if source is None else InputError(f"{source}: {error}") from error


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
    preparation = _Preparation(clouds, lambda: iter([(0, clouds)]), settings, rng, rows)
    [made] = preparation.pieces()
    return replace(made, indices=preparation.parts, meta=preparation.meta())


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
    with open_clouds(source, weighted=True) as file:
        rows, weighting = _weighting(source, file.without_particles, settings, seed)
        rng = seeds.generator(seed, "prepare")
        jets = _Preparation(file.without_particles, file.pieces, settings, rng, rows, source)
        with _of_file(source):
            _check_sizes(jets)
        if jets.identical:
            sys.stderr.write(f"prepare: {warning(jets.identical, jets.jets)}\n")
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
    with _of_file(source):
        if settings.event_weights == "refuse":
            raise undecided(weights)
        rows = unweight(weights, event_labels(jets), seeds.generator(seed, "prepare", "unweight"))
    known = described(weights, rows)
    sys.stderr.write(f"prepare: {in_words(known)}\n")
    return rows, {"unweighting": known}


def _check_sizes(jets: _Preparation) -> None:
    for name, fewest in _FEWEST.items():
        there = len(jets.parts[name])
        if there < fewest:
            raise InputError(f"the {name} part has {there} of {jets.jets} jets, {fewest} or more are needed")
