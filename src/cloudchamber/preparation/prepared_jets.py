"""Jets in relative coordinates, with a split and a fitted standardisation, of clouds that come in pieces."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.coordinate_checks import CoordinateChecks
from cloudchamber.jets.kinematics import relative_sum
from cloudchamber.jets.relative import RELATIVE_COLUMNS, relative_points
from cloudchamber.preparation.identical import fingerprints_of, joined, repeats
from cloudchamber.preparation.splits import event_labels, split
from cloudchamber.preparation.standardisation import (
    Standardisation,
    StandardisationFit,
    count_outside,
    refuse_outside,
)
from cloudchamber.settings.data import PreparationSettings

__all__ = ["CONDITIONS", "Preparation", "of_file", "prepared"]

Pieces = Callable[[], Iterator[tuple[int, Clouds]]]

# What a conditional model can be conditioned on.
CONDITIONS = ("jet_pt", "jet_mass")


@final
class Preparation:
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
        self._checks = CoordinateChecks(jets.meta)
        content = self._read_once(len(jets))
        with of_file(source):
            parts = split(joined(event_labels(jets), content), jets.feature(CONDITIONS[0]), settings.split, rng)
            if rows is not None:
                parts = _kept(parts, rows, len(jets))
                content = content[rows]
            refuse_outside(self._outside, self._particles, "pt_rel", settings.pt_scale)
            self._checks.check()
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
            with of_file(self._source):
                of_piece = fingerprints_of(clouds)
                # Jets without particles are copies of nothing.
                alone = clouds.multiplicity == 0
                of_piece[alone] = np.arange(empty, empty + np.count_nonzero(alone), dtype=np.uint64)
                empty += int(np.count_nonzero(alone))
                content[start : start + len(clouds)] = of_piece
                first, relative = self._relative(start, clouds)
                self._checks.add(clouds, relative)
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
            with of_file(self._source):
                first, relative = self._relative(start, clouds)
                rows = train[(train >= first) & (train < first + len(relative))] - first
                self._of_points.add(relative.points[rows][relative.mask[rows]])
            yield relative

    def meta(self) -> dict[str, Any]:
        """Return what is to be known of the jets, once all pieces were yielded."""
        with of_file(self._source):
            of_points = Standardisation.of(self._of_points)
        return {
            "standardisation": {"points": of_points.to_json(), "conditions": self._of_conditions.to_json()},
            "without_particles": self.without_particles,
            "negative_momenta": self.negative,
            "identical_clouds": self.identical,
        }


@contextmanager
def of_file(source: Path | None) -> Iterator[None]:
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
    preparation = Preparation(clouds, lambda: iter([(0, clouds)]), settings, rng, rows)
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
