"""The HDF5 layout of the package showerdata (0.7), in which the data of arXiv 2601.11716 are published.

``showers`` (N,) lists of float32, points behind each other; ``shape`` (3,) = N, most points, columns; ``num_points``
(N,); ``energies`` (N, 1) [GeV]; ``directions`` (N, 3); ``pdg`` (N,); ``shower_ids`` (N,). Columns are x, y [mm], layer,
energy [GeV] and maybe a time; points of no energy are padding and come last.
"""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.hdf5 import create_hdf5
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.shower_file import particles_of

__all__ = ["read_showerdata", "write_showerdata"]

_KIND = "a file of showerdata"
_VERSION = "0.7.0"
_SHOWERS = 1000
_KEYS = ("showers", "shape", "num_points", "energies", "directions", "pdg")


def read_showerdata(path: Path) -> Iterator[tuple[Particles, np.ndarray, np.ndarray]]:
    """Yield particles, (M, 4) points and (M,) their showers, some showers at a time.

    Raises:
        InputError: the file cannot be read, lacks a key, or its keys contradict each other.
    """
    with readable_as(path, _KIND), h5py.File(path, "r", locking=False) as file:
        for key in _KEYS:
            if key not in file:
                raise InputError(f"{path}: no key '{key}' among {sorted(file)}")
        number, _, columns = (int(item) for item in file["shape"][()])
        if columns not in (4, 5) or number != len(file["showers"]):
            raise InputError(f"{path}: key 'shape' says {number} showers of {columns} columns")
        for start in range(0, number, _SHOWERS):
            rows = slice(start, min(start + _SHOWERS, number))
            flat = file["showers"][rows]
            counts = file["num_points"][rows].astype(np.int64)
            for place, values in enumerate(flat):
                if len(values) < counts[place] * columns or counts[place] < 0:
                    raise InputError(f"{path}: key 'num_points' of shower {start + place} is {counts[place]}")
                if np.any(values.reshape(-1, columns)[counts[place] :, 3]):
                    raise InputError(f"{path}: key 'showers': points of shower {start + place} behind its padding")
            kept = [values[: count * columns] for values, count in zip(flat, counts, strict=True)]
            points = np.concatenate([np.zeros(0), *kept]).reshape(-1, columns)[:, :4].astype(np.float64)
            # Some writers store layers with rounding.
            points[:, 2] = np.rint(points[:, 2])
            particles = Particles(
                file["energies"][rows].reshape(-1).astype(np.float64),
                file["directions"][rows].astype(np.float64),
                file["pdg"][rows].astype(np.int64),
            )
            yield particles, points, np.repeat(np.arange(len(counts)), counts)


def write_showerdata(showers: PackedCloudFile, path: Path) -> None:
    """Write all showers of a file.

    Raises:
        StorageError: the file cannot be written.
    """
    number = len(showers)
    with create_hdf5(path) as output:
        file = output.file
        data = file.create_dataset("showers", (number,), dtype=h5py.vlen_dtype(np.float32))
        for rows, part in showers.pieces(np.arange(number)):
            ends = np.cumsum(part.counts)[:-1]
            for row, values in zip(rows, np.split(part.points, ends), strict=True):
                data[row] = values.ravel()
            output.check()
        particles = particles_of(showers, np.arange(number))
        file["shape"] = np.array([number, showers.counts.max(initial=0), 4])
        file["num_points"] = showers.counts.astype(np.int32)
        file["energies"] = particles.energy[:, None].astype(np.float32)
        file["directions"] = particles.direction.astype(np.float32)
        file["pdg"] = particles.pdg.astype(np.int32)
        file["shower_ids"] = np.arange(number, dtype=np.int32)
        file.attrs["showerdata_version"] = _VERSION
