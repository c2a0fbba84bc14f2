"""The step from published HDF5 layouts to one file of showers."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from cloudchamber import seeds
from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.progress import progress
from cloudchamber.storage import provenance
from cloudchamber.studies.showers.axis_checks import ShowerAxes
from cloudchamber.studies.showers.calo_challenge import read_calo_challenge
from cloudchamber.studies.showers.calo_clouds import read_calo_clouds
from cloudchamber.studies.showers.copies import refuse_few, shower_fingerprints, split
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.geometry import Geometry, geometry_of
from cloudchamber.studies.showers.shower_file import (
    create_showers,
    refuse_bad_energies,
    refuse_bad_showers,
    shower_part,
)
from cloudchamber.studies.showers.showerdata_file import read_showerdata
from cloudchamber.studies.showers.source_settings import FileSource, IngestionSettings
from cloudchamber.studies.showers.species import species_numbers
from cloudchamber.studies.showers.unit_checks import ShowerUnits
from cloudchamber.wildcards import existing_files

__all__ = ["read"]

_MEV = 1e-3


def read(
    sources: list[Path],
    source: FileSource,
    settings: IngestionSettings,
    geometry: str,
    seed: int,
    output: Path,
    fewest: int | None = None,
) -> None:
    """Read files of one layout and write their showers, with parts.

    Points keep their places. Those below the threshold are left out, and points of one shower at one place and layer
    become one. Copies of a shower are counted and in its part.

    Args:
        sources: the files.
        source: their layout, and what the files do not say.
        settings: threshold and parts.
        geometry: name of the stack of layers.
        seed: of the parts, and of places within voxels.
        output: the file of showers.
        fewest: of :func:`cloudchamber.studies.showers.copies.refuse_few`; by default any number is taken.

    Raises:
        InputError: a file cannot be used.
        SettingsError: the layout has layers of its own, and the geometry others.
        StorageError: the output cannot be written.
    """
    if source.layout == "calo_challenge" and geometry != "calo_challenge":
        raise SettingsError(f"geometry: '{geometry}' has not the layers of CaloChallenge: it is calo_challenge")
    sources = existing_files(sources)
    for path in sources:
        with readable_as(path, "HDF5"), h5py.File(path, "r", locking=False):
            pass
    stack, first = geometry_of(geometry), 0
    rng = seeds.generator(seed, "showers", "voxels")
    # Of voxels the threshold is on the energies of the file, and they are cut where they are read.
    least = 0.0 if source.layout == "calo_challenge" else _MEV * settings.threshold
    content: list[np.ndarray] = []
    codes: list[np.ndarray] = []
    with create_showers(output, stack, {}) as writer, progress("reading", None, "showers") as bar:
        for path in sources:
            units, axes, before = ShowerUnits(path, stack), ShowerAxes(path, stack), first
            for particles, points, owners in _showers(path, source, stack, settings, rng):
                species_numbers(particles.pdg, str(path))
                refuse_bad_energies(points[:, 3], owners, str(path))
                units.add_stored(np.bincount(owners[points[:, 3] > 0], minlength=len(particles)))
                kept = points[:, 3] >= max(least, 1e-12)
                ordered, of_shower = _ordered(points[kept], owners[kept])
                counts = np.bincount(of_shower, minlength=len(particles))
                part = shower_part(particles, first + np.arange(len(particles)), ordered, counts)
                refuse_bad_showers(part, stack.layers, str(path))
                units.add(part)
                axes.add(part)
                writer.append(part)
                content.append(shower_fingerprints(part))
                codes.append(particles.pdg)
                first += len(particles)
                bar.update(len(particles))
            if first == before:
                raise InputError(f"{path}: no showers")
            units.check()
            units.say_cut()
            axes.check()
        parts = split(first, settings, seed, str(output), np.concatenate(content))
        if fewest is not None:
            refuse_few(parts, np.concatenate(codes), fewest, str(output))
        for name, rows in parts.items():
            writer.add_indices(name, rows)
        record = provenance("showers read", source.model_dump(mode="json"), sources, seed)
        writer.add_meta({"geometry": geometry, "source": source.title, "provenance": record})


def _showers(
    path: Path, source: FileSource, geometry: Geometry, settings: IngestionSettings, rng: np.random.Generator
) -> Iterator[tuple[Particles, np.ndarray, np.ndarray]]:
    match source.layout:
        case "showerdata":
            return read_showerdata(path)
        case "calo_challenge":
            assert source.binning is not None, "the settings ask for it"
            assert source.pdg is not None, "the settings ask for it"
            places = rng if source.within_voxels == "uniform" else None
            return read_calo_challenge(path, source.binning, source.pdg, settings.threshold, places)
        case "calo_clouds":
            assert source.pdg is not None, "the settings ask for it"
            return read_calo_clouds(path, source.pdg, geometry)
    raise InputError(f"{path}: files of the layout '{source.layout}' are ingested")


def _ordered(points: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points ordered by shower and layer, those at one place summed up."""
    order = np.lexsort((points[:, 1], points[:, 0], points[:, 2], owners))
    points, owners = points[order].astype(np.float32), owners[order]
    if not len(points):
        return points, owners
    new = np.ones(len(points), bool)
    new[1:] = (np.diff(points[:, :3], axis=0) != 0).any(axis=1) | (np.diff(owners) != 0)
    energy = np.add.reduceat(points[:, 3].astype(np.float64), np.flatnonzero(new))
    return np.column_stack([points[new, :3], energy]), owners[new]
