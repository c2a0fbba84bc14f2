"""Files of observables: one number per jet and observable.

A file is HDF5: one dataset of (N,) numbers per observable in the group ``observables``, each with a Fletcher-32
checksum, and the attribute ``complete``, which is written last.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.hdf5 import Hdf5Output, create_hdf5
from cloudchamber.storage import sha256

__all__ = [
    "ObservableFile",
    "ObservableWriter",
    "create_observables",
    "open_observables",
    "open_observables_of",
    "read_observables",
    "read_observables_of",
    "refuse_other_source",
    "write_observables",
]

# What errors of damaged files call them.
_KIND = "a file of observables"

FORMAT = "cloudchamber-observables"
VERSION = 1


@final
class ObservableWriter:
    """Appends the observables of some jets after those of others; made by :func:`create_observables`."""

    def __init__(self, output: Hdf5Output, jets: int) -> None:
        self._output, self._group = output, output.file.create_group("observables")
        self._jets, self._rows = jets, 0

    def append(self, table: Mapping[str, np.ndarray]) -> None:
        """Append arrays of equal length, (n,) each; every time those of the same names."""
        lengths = {len(values) for values in table.values()}
        if len(lengths) != 1:
            raise ValueError(f"columns of different lengths {sorted(lengths)}")
        end = self._rows + lengths.pop()
        for name, values in table.items():
            if not self._rows:
                self._group.create_dataset(name, shape=(self._jets,), dtype="f8", chunks=True, fletcher32=True)
            self._group[name][self._rows : end] = values
        self._rows = end
        self._output.check()

    def close(self) -> None:
        """Check that there is a number for each jet."""
        if self._rows != self._jets:
            raise ValueError(f"{self._rows} of {self._jets} jets were written")


@contextmanager
def create_observables(path: str | Path, jets: int, meta: Mapping[str, Any]) -> Iterator[ObservableWriter]:
    """Open a new file of observables; it appears at ``path`` only when the block ends without an error.

    Args:
        path: where the file is to be.
        jets: how many it will hold.
        meta: what describes them; anything that can be written as JSON.

    Raises:
        StorageError: the file cannot be written.
    """
    with create_hdf5(path) as output:
        file = output.file
        file.attrs["format"] = np.bytes_(FORMAT)
        file.attrs["version"] = VERSION
        file.attrs["n_jets"] = jets
        text = np.frombuffer(json.dumps(dict(meta), sort_keys=True).encode(), "u1")
        file.create_dataset("meta", data=text, chunks=True, fletcher32=True)
        writer = ObservableWriter(output, jets)
        yield writer
        writer.close()


def write_observables(path: str | Path, table: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Write observables to ``path`` at once or not at all.

    Args:
        path: where the file is to be.
        table: arrays of equal length, (N,) each.
        meta: what describes them; anything that can be written as JSON.

    Raises:
        StorageError: the file cannot be written.
    """
    with create_observables(path, len(next(iter(table.values()))), meta) as writer:
        writer.append(table)


@final
class ObservableFile:
    """An open file of observables, of which one at a time is read; made by :func:`open_observables`.

    Attributes:
        names: of the observables.
        jets: how many there are.
        meta: what describes them.
    """

    def __init__(self, path: str | Path, file: h5py.File) -> None:
        self._path, self._file = path, file
        with readable_as(path, _KIND):
            if file.attrs.get("format") != np.bytes_(FORMAT) or file.attrs.get("version") != VERSION:
                raise InputError(f"{path}: not a file of observables ('{FORMAT}', version {VERSION})")
            if file.attrs.get("complete") != 1:
                raise InputError(f"{path}: the file was not written to its end")
            self.names = tuple(file["observables"])
            self.meta = json.loads(file["meta"][()].tobytes())
            self.jets = int(file.attrs["n_jets"])
        if not isinstance(self.meta, dict):
            raise InputError(f"{path}: 'meta' holds no keys and values")
        for name in self.names:
            with readable_as(path, _KIND):
                shape, dtype = file["observables"][name].shape, file["observables"][name].dtype
            if shape != (self.jets,) or dtype != np.float64:
                raise InputError(
                    f"{path}: dataset '{name}' is {dtype} {shape}, the header says {self.jets} jets of one float64"
                )

    def read(self, name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return the (n,) values of one observable, of all jets or of some consecutive ones."""
        with readable_as(self._path, _KIND):
            values: np.ndarray = self._file["observables"][name][start:stop]
        return values


@contextmanager
def open_observables(path: str | Path) -> Iterator[ObservableFile]:
    """Open a file of observables to read them one by one.

    Raises:
        InputError: the file is missing, damaged, incomplete or of another kind.
    """
    with readable_as(path, _KIND):
        file = h5py.File(path, "r", locking=False)
    with file:
        yield ObservableFile(path, file)


def read_observables(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the observables of a file and what describes them.

    Raises:
        InputError: the file is missing, damaged, incomplete or of another kind.
    """
    with open_observables(path) as file:
        return {name: file.read(name) for name in file.names}, file.meta


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
    with open_observables_of(clouds, n_clouds, path) as file:
        return {name: file.read(name) for name in file.names}, file.meta


@contextmanager
def open_observables_of(clouds: str | Path, n_clouds: int, path: str | Path) -> Iterator[ObservableFile]:
    """Do what :func:`open_observables` does, of the clouds of a certain file; as :func:`read_observables_of`."""
    with open_observables(path) as file:
        jets = file.jets if file.names else 0
        if jets != n_clouds:
            raise InputError(f"{path}: observables of {jets} jets, {clouds} has {n_clouds}")
        refuse_other_source(path, file.meta, clouds, "jets")
        yield file


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
