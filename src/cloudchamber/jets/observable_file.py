"""Files of observables: one number per jet and observable.

A file is HDF5: one dataset of (N,) numbers per observable in the group ``observables``, each with a Fletcher-32
checksum, and the attribute ``complete``, which is written last.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cloudchamber.errors import CloudchamberError, InputError
from cloudchamber.hdf5 import create_hdf5
from cloudchamber.storage import sha256

__all__ = ["read_observables", "read_observables_of", "refuse_other_source", "write_observables"]

FORMAT = "cloudchamber-observables"
VERSION = 1


def write_observables(path: str | Path, table: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Write observables to ``path`` at once or not at all.

    Args:
        path: where the file is to be.
        table: arrays of equal length, (N,) each.
        meta: what describes them; anything that can be written as JSON.

    Raises:
        StorageError: the file cannot be written.
    """
    lengths = {len(values) for values in table.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns of different lengths {sorted(lengths)}")
    with create_hdf5(path) as output:
        file = output.file
        file.attrs["format"] = np.bytes_(FORMAT)
        file.attrs["version"] = VERSION
        file.attrs["n_jets"] = lengths.pop()
        text = np.frombuffer(json.dumps(dict(meta), sort_keys=True).encode(), "u1")
        file.create_dataset("meta", data=text, chunks=True, fletcher32=True)
        observables = file.create_group("observables")
        for name, values in table.items():
            observables.create_dataset(name, data=np.asarray(values, "f8"), chunks=True, fletcher32=True)


def read_observables(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the observables of a file and what describes them.

    Raises:
        InputError: the file is missing, damaged, incomplete or of another kind.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            if file.attrs.get("format") != np.bytes_(FORMAT) or file.attrs.get("version") != VERSION:
                raise InputError(f"{path}: not a file of observables ('{FORMAT}', version {VERSION})")
            if file.attrs.get("complete") != 1:
                raise InputError(f"{path}: the file was not written to its end")
            table = {name: values[()] for name, values in file["observables"].items()}
            meta = json.loads(file["meta"][()].tobytes())
            expected = int(file.attrs["n_jets"])
    except (CloudchamberError, MemoryError):
        raise
    except Exception as error:  # damaged bytes make HDF5 raise almost anything
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as a file of observables: {reason}") from error
    if not isinstance(meta, dict):
        raise InputError(f"{path}: 'meta' holds no keys and values")
    for name, values in table.items():
        if values.shape != (expected,) or values.dtype != np.float64:
            there = f"{values.dtype} {values.shape}"
            raise InputError(f"{path}: dataset '{name}' is {there}, the header says {expected} jets of one float64")
    return table, meta


def read_observables_of(
    clouds: str | Path, n_clouds: int, path: str | Path
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return what :func:`read_observables` does, of the clouds of a certain file.

    Args:
        clouds: the file that the observables are to be of.
        n_clouds: how many it has.
        path: the observables.

    Raises:
        InputError: see :func:`read_observables`; or the observables are of another number of clouds, or were made from
            a file with another content.
    """
    table, meta = read_observables(path)
    lengths = {len(values) for values in table.values()}
    if lengths != {n_clouds}:
        raise InputError(f"{path}: observables of {max(lengths, default=0)} jets, {clouds} has {n_clouds}")
    refuse_other_source(path, meta, clouds, "jets")
    return table, meta


def refuse_other_source(path: str | Path, meta: Mapping[str, Any], source: str | Path, what: str) -> None:
    """Refuse a file whose meta data say that it was made from others than a certain one.

    Args:
        path: the file.
        meta: its meta data.
        source: what it is to be made from.
        what: what that holds, in words.

    Raises:
        InputError: it was made from files with other contents.
    """
    provenance = meta.get("provenance")
    inputs = provenance.get("inputs") if isinstance(provenance, dict) else None
    if isinstance(inputs, dict) and sha256(source) not in inputs.values():
        raise InputError(f"{path}: was made from other {what} than those of {source} (SHA-256 differs); make it again")
