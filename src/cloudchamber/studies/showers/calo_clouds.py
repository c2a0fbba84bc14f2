"""The HDF5 layout of CaloClouds and CaloHadronic (arXiv 2309.05704, 2506.21720).

``events`` (N, 4 or 5, points), or with the last two axes exchanged: x, depth, z and energy [MeV], and maybe a time;
``energy`` (N,) or (N, 1) [GeV]. Points of no energy are padding, in front or behind. The depth is the number of the
layer, or the position in mm in the frame of the stack. ``p_norm_local`` (N, 3), directions, may be there.
"""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.geometry import Geometry
from cloudchamber.studies.showers.shower_file import refuse_bad_energies

__all__ = ["read_calo_clouds"]

_KIND = "a file of CaloClouds"
# Directions of later files, of which the frame is not the same in all.
_DIRECTION = "p_norm_local"
_ALONG = 0.999
_SHOWERS = 500
_MEV = 1e-3


def read_calo_clouds(path: Path, pdg: int, geometry: Geometry) -> Iterator[tuple[Particles, np.ndarray, np.ndarray]]:
    """Yield particles, (M, 4) points and (M,) their showers, some showers at a time; all go along the axis.

    Raises:
        InputError: the file cannot be read, a depth is in no layer, an energy is none, or showers are oblique.
    """
    with readable_as(path, _KIND), h5py.File(path, "r", locking=False) as file:
        for key in ("events", "energy"):
            if key not in file:
                raise InputError(f"{path}: no key '{key}' among {sorted(file)}")
        data = file["events"]
        if data.ndim != 3 or not {4, 5} & set(data.shape[1:]) or len(file["energy"]) != len(data):
            raise InputError(f"{path}: key 'events' is {data.shape}, expected (showers, 4 or 5, points)")
        if _DIRECTION in file and np.any(np.abs(file[_DIRECTION][()]).max(axis=-1) < _ALONG):
            raise InputError(f"{path}: key '{_DIRECTION}': showers are oblique, and are read as along the axis alone")
        for start in range(0, len(data), _SHOWERS):
            events = data[start : start + _SHOWERS].astype(np.float64)
            if events.shape[1] in (4, 5):
                events = events.transpose(0, 2, 1)
            energies = events[:, :, 3]
            refuse_bad_energies(energies.ravel(), start + np.arange(energies.size) // events.shape[1], str(path))
            shower, place = np.nonzero(energies > 0)
            values = events[shower, place]
            depth = values[:, 1]
            whole = bool((depth == np.floor(depth)).all()) and bool((depth < geometry.layers).all())
            layer = depth.astype(np.int64) if whole else geometry.layers_at(depth)
            if (layer < 0).any():
                raise InputError(
                    f"{path}: key 'events': a point at the depth {depth[(layer < 0).argmax()]:g} is in no layer of "
                    f"'{geometry.name}'"
                )
            points = np.column_stack([values[:, 0], values[:, 2], layer, _MEV * values[:, 3]])
            energy = file["energy"][start : start + _SHOWERS].reshape(-1).astype(np.float64)
            directions = np.tile([0.0, 0.0, 1.0], (len(energy), 1))
            yield Particles(energy, directions, np.full(len(energy), pdg, np.int64)), points, shower
