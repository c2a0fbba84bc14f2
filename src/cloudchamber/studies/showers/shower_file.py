"""Showers on disk: packed clouds of points with columns of this study."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber.cloud import Column
from cloudchamber.errors import InputError
from cloudchamber.jets.observable_file import refuse_other_source
from cloudchamber.packed_cloud_file import PackedCloudFile, open_packed_clouds
from cloudchamber.packed_cloud_writer import PackedCloudWriter, create_packed_clouds
from cloudchamber.packed_clouds import PackedPart
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.geometry import GEOMETRIES, Geometry, geometry_of

__all__ = [
    "TRUTH",
    "create_showers",
    "geometry_in",
    "open_showers",
    "particles_of",
    "refuse_bad_energies",
    "refuse_bad_showers",
    "refuse_other_showers",
    "shower_part",
]

_POINTS = (Column("x", "mm"), Column("y", "mm"), Column("layer"), Column("energy", "GeV"))
_FEATURES = (Column("energy", "GeV"), Column("direction_x"), Column("direction_y"), Column("direction_z"))
# What parametrised showers were drawn from: depths in radiation or interaction lengths.
TRUTH = (Column("start"), Column("peak"), Column("alpha"), Column("electromagnetic"))
_LABELS = (Column("pdg"), Column("shower"))
# Visible over incident energy: fluctuations and antinucleons reach above one, energies in another unit far above.
_MOST = 5.0
# The median: a sampling calorimeter sees a hundredth or more of the energy, in another unit a thousandth of that.
_LEAST = 1e-4


@contextmanager
def create_showers(
    path: Path, geometry: Geometry, meta: Mapping[str, Any], truth: bool = False
) -> Iterator[PackedCloudWriter]:
    """Open a new file of showers.

    Args:
        path: the file.
        geometry: of their layers.
        meta: what describes them.
        truth: whether each has the columns of :data:`TRUTH` too.

    Raises:
        StorageError: the file cannot be written.
    """
    with create_packed_clouds(path, _POINTS, (*_FEATURES, *(TRUTH if truth else ())), _LABELS) as writer:
        writer.add_meta({**meta, "geometry": geometry.name})
        yield writer


def shower_part(
    particles: Particles, numbers: np.ndarray, points: np.ndarray, counts: np.ndarray, truth: np.ndarray | None = None
) -> PackedPart:
    """Return showers to be appended.

    Args:
        particles: what began them.
        numbers: (n,) what each is called; of generated showers the row of the true one with the same particle.
        points: (M, 4) x [mm], y [mm], layer, energy [GeV], ordered by shower and layer.
        counts: (n,) points of each.
        truth: (n, 4) columns of :data:`TRUTH`.
    """
    features = [particles.energy[:, None], particles.direction, *([truth] if truth is not None else [])]
    labels = np.stack([particles.pdg, numbers], axis=1).astype(np.int64)
    return PackedPart(
        points.astype(np.float32), counts.astype(np.int64), np.concatenate(features, axis=1, dtype=np.float32), labels
    )


@contextmanager
def open_showers(path: str | Path, parts: Sequence[str] = ()) -> Iterator[PackedCloudFile]:
    """Open a file of showers.

    Args:
        path: the file.
        parts: which it must have.

    Raises:
        InputError: it cannot be used, has other columns or an unknown geometry, or a part is missing or empty.
    """
    with open_packed_clouds(path) as showers:
        for columns, expected in ((showers.point_columns, _POINTS), (showers.feature_columns[:4], _FEATURES)):
            if columns != expected:
                raise InputError(
                    f"{path}: no showers: columns {[c.name for c in columns]}, expected {[c.name for c in expected]}"
                )
        if showers.label_columns != _LABELS:
            raise InputError(f"{path}: no showers: labels {[column.name for column in showers.label_columns]}")
        geometry_in(showers)
        for name in parts:
            if not len(showers.part(name)):
                raise InputError(f"{path}: the part '{name}' is empty")
        yield showers


def geometry_in(showers: PackedCloudFile) -> Geometry:
    """Return the geometry of a file of showers.

    Raises:
        InputError: it is none that is known here.
    """
    name = showers.meta.get("geometry")
    if name not in GEOMETRIES:
        raise InputError(f"{showers.path}: geometry '{name}' is none of {sorted(GEOMETRIES)}")
    return geometry_of(name)


def refuse_other_showers(sample: PackedCloudFile, source: str | Path) -> None:
    """Refuse a sample that was asked for the particles of other showers than those that it is compared with.

    Raises:
        InputError: it was, of which samples of other programs say nothing; or it is of another geometry.
    """
    with open_showers(source) as true:
        mine, its = (geometry_in(showers).name for showers in (sample, true))
    if mine != its:
        raise InputError(f"{sample.path}: showers of the geometry '{mine}', those of {source} are of '{its}'")
    record = sample.meta.get("provenance")
    step = record.get("step", "") if isinstance(record, Mapping) else ""
    if str(step).startswith("showers sample"):
        refuse_other_source(sample.path, sample.meta, source, "showers")


def particles_of(showers: PackedCloudFile, rows: np.ndarray) -> Particles:
    """Return what began the showers of (n,) rows."""
    features = showers.features[rows].astype(np.float64)
    return Particles(features[:, 0], features[:, 1:4], showers.label("pdg")[rows])


def refuse_bad_energies(energy: np.ndarray, owner: np.ndarray, source: str) -> None:
    """Refuse energies of points that are no energies, before those below a threshold are left out.

    Args:
        energy: (M,) in any unit.
        owner: (M,) the shower of each.
        source: file that they are from.

    Raises:
        InputError: one is below zero or not finite.
    """
    bad = ~(np.isfinite(energy) & (energy >= 0))
    if bad.any():
        place = int(bad.argmax())
        raise InputError(f"{source}: an energy of {energy[place]:g} in shower {owner[place]}")


def refuse_bad_showers(part: PackedPart, layers: int, source: str) -> None:
    """Refuse points and particles that no shower has.

    Args:
        part: the showers.
        layers: of the geometry.
        source: file that they are from.

    Raises:
        InputError: an energy is not positive, a layer is not there, a value is not finite, points are not ordered by
            layer, two points of a shower are the same, points add up to far more than the incident energy or in most
            showers to far less, or a direction is no unit vector into the stack.
    """
    layer, energy = part.points[:, 2], part.points[:, 3]
    owner = part.owners
    faults = {
        "a value that is not finite": ~np.isfinite(part.points).all(axis=1),
        "an energy that is not positive": ~(energy > 0),
        f"a layer outside of 0 to {layers - 1}": ~((layer >= 0) & (layer < layers) & (layer == np.floor(layer))),
    }
    for what, bad in faults.items():
        if bad.any():
            raise InputError(f"{source}: a point with {what} in shower {owner[bad.argmax()]}")
    falls = (np.diff(layer) < 0) & (np.diff(owner) == 0)
    if falls.any():
        raise InputError(f"{source}: the points of shower {owner[falls.argmax()]} are not ordered by layer")
    same = (np.diff(part.points, axis=0) == 0).all(axis=1) & (np.diff(owner) == 0)
    if same.any():
        raise InputError(f"{source}: two points of shower {owner[same.argmax()]} are the same")
    total = np.bincount(owner, energy, minlength=len(part))
    above = total > _MOST * part.features[:, 0]
    if above.any():
        shower = above.argmax()
        raise InputError(
            f"{source}: the points of shower {shower} add up to {total[shower]:.3g} GeV, its particle has "
            f"{part.features[shower, 0]:.3g} GeV: is the unit right?"
        )
    seen = (part.counts > 0) & (part.features[:, 0] > 0)
    visible = float(np.median(total[seen] / part.features[seen, 0])) if seen.any() else 1.0
    if visible < _LEAST:
        raise InputError(
            f"{source}: the points of a shower add up to {visible:.2g} of the energy of its particle (median): is its "
            "unit right?"
        )
    size = np.linalg.norm(part.features[:, 1:4], axis=1)
    bad = ~(np.abs(size - 1) < 1e-3) | ~(part.features[:, 3] > 0) | ~(part.features[:, 0] > 0)
    if bad.any():
        raise InputError(f"{source}: shower {bad.argmax()} has no positive energy or no direction into the stack")
