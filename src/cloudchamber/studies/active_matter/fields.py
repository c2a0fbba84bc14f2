"""Local values of a measured model on disk: HDF5, a group for each drive of each ensemble."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np

from cloudchamber.errors import CloudchamberError, InputError
from cloudchamber.hdf5 import fixed_length

__all__ = ["Fields", "read_fields", "write_fields"]

_ARRAYS = (
    "states",
    "velocities",
    "exact_velocity",
    "drift",
    "divergence",
    "region",
    "grid",
    "grid_velocity",
    "grid_exact_velocity",
)
_OPTIONAL = ("exact_velocity", "grid", "grid_velocity", "grid_exact_velocity")


@final
@dataclass(frozen=True)
class Fields:
    """Local values at some snapshots of one drive. Velocities are zero in channels without noise.

    Attributes:
        states: (M, N, C).
        velocities: (K, M, N, C) of each training.
        exact_velocity: (M, N, C) or None; not a number where the exact score is not known.
        drift: (M, N, C).
        divergence: (M, N, C) derivatives of the velocity by its own coordinate, mean over trainings.
        region: (M, N) number of the region of each particle, -1 for none.
        grid: (G, 1, 2) points for systems with two coordinates, or None.
        grid_velocity, grid_exact_velocity: (G, 1, 2) there, the mean over trainings and the exact one, or None.
        about: names of channels and regions, diffusions, length, dimensions, parity.
    """

    states: np.ndarray
    velocities: np.ndarray
    exact_velocity: np.ndarray | None
    drift: np.ndarray
    divergence: np.ndarray
    region: np.ndarray
    grid: np.ndarray | None
    grid_velocity: np.ndarray | None
    grid_exact_velocity: np.ndarray | None
    about: Mapping[str, Any]

    @property
    def diffusions(self) -> np.ndarray:
        """(C,)."""
        return np.array(self.about["diffusions"])


def write_fields(file: h5py.File, ensemble: str, drive: float, fields: Fields) -> None:
    """Add the group of one drive of an ensemble to an open file."""
    group = file.create_group(f"{ensemble}/{drive!r}")
    group.attrs["about"] = fixed_length([json.dumps(dict(fields.about), sort_keys=True)])
    for name in _ARRAYS:
        values = getattr(fields, name)
        if values is not None:
            kind = "i4" if name == "region" else "f4"
            group.create_dataset(name, data=values.astype(kind), chunks=True, compression="gzip", fletcher32=True)


def read_fields(path: str | Path) -> dict[tuple[str, float], Fields]:
    """Return the local values of each ensemble and drive.

    Raises:
        InputError: the file is missing, damaged, incomplete or of another kind.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            if file.attrs.get("complete") != 1:
                raise InputError(f"{path}: the file was not written to its end")
            return dict(_groups(file))
    except CloudchamberError:
        raise
    except Exception as error:  # damaged bytes make HDF5 raise almost anything
        raise InputError(f"{path}: cannot be read as local values: {' '.join(str(error).split())}") from error


def _groups(file: h5py.File) -> Iterator[tuple[tuple[str, float], Fields]]:
    for ensemble in file:
        for drive in file[ensemble]:
            group = file[ensemble][drive]
            missing = [name for name in _ARRAYS if name not in group and name not in _OPTIONAL]
            if missing:
                raise InputError(f"{file.filename}: {ensemble}/{drive}: no dataset {missing}")
            arrays: dict[str, Any] = {name: group[name][()] if name in group else None for name in _ARRAYS}
            about = json.loads(bytes(group.attrs["about"][0]))
            yield (ensemble, float(drive)), Fields(**arrays, about=about)
