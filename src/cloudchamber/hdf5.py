"""HDF5 files that appear whole or not at all, also where the disk fills up.

HDF5 keeps what it could not write and tries again while it closes the file and when the interpreter ends; there it
writes tracebacks or crashes. So it writes through a file of Python here, which remembers the first failure and lets
HDF5 believe that all later writes went well. The failure is raised as soon as control is back in Python.

The format of HDF5 1.10 is used, since it has checksums for headers and attributes. They do not cover strings of
variable length, so that texts are stored in a fixed length (:func:`fixed_length`) or as bytes.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np

from cloudchamber.cloud import Column
from cloudchamber.storage import atomic_path

__all__ = ["Hdf5Output", "create_hdf5", "fixed_length", "growing_dataset", "write_indices", "write_meta"]


@final
class _Unfailing(io.FileIO):
    """A new file whose writes never fail but are dropped after the first that does; ``error`` keeps it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self.error: BaseException | None = None

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        written = 0
        try:
            while self.error is None and written < len(view):
                written += super().write(view[written:])
        except BaseException as error:
            # Also one that a signal handler raises: HDF5 must not be left in the middle of a write.
            self.error = error
        return len(view)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = super().readinto(view)
        # What was dropped reads as zeros.
        view[count:] = bytes(len(view) - count)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        try:
            return self.tell() if self.error else super().truncate(size)
        except OSError as error:
            self.error = error
            return self.tell()


@final
class Hdf5Output:
    """An HDF5 file that is being written; made by :func:`create_hdf5`.

    Attributes:
        file: the open file.
    """

    def __init__(self, file: h5py.File, target: _Unfailing) -> None:
        self.file = file
        self._target = target

    def check(self) -> None:
        """Raise the failure of an earlier write, if there was one; to be called between large writes."""
        if self._target.error is not None:
            raise self._target.error


def write_indices(file: h5py.File, name: str, rows: np.ndarray) -> None:
    """Write the index array of a named part to the group "indices"."""
    file.create_dataset(f"indices/{name}", data=np.asarray(rows, "i8"), chunks=True, fletcher32=True)


def write_meta(file: h5py.File, meta: Mapping[str, Any]) -> None:
    """Write keys and values to the data set "meta", in place of what it held before."""
    if "meta" in file:
        del file["meta"]
    text = np.frombuffer(json.dumps(meta, sort_keys=True).encode(), "u1")
    file.create_dataset("meta", data=text, chunks=True, compression="gzip", fletcher32=True)


def growing_dataset(
    file: h5py.File, name: str, shape: tuple[int, ...], dtype: str, chunk_rows: int, columns: Sequence[Column]
) -> None:
    """Create a dataset without rows, compressed and under checksums, that grows along its first axis.

    Args:
        file: where it goes.
        name: what it is called.
        shape: of one row.
        dtype: of its values.
        chunk_rows: rows that are compressed together.
        columns: of the last axis, whose names and units are kept; empty where it has none.
    """
    dataset = file.create_dataset(
        name,
        shape=(0, *shape),
        # A chunk has at least one column, which HDF5 wants to fit into the largest shape.
        maxshape=(None, *(size or None for size in shape)),
        chunks=(chunk_rows, *(max(1, size) for size in shape)),
        dtype=dtype,
        compression="gzip",
        compression_opts=1,
        shuffle=True,
        fletcher32=True,
    )
    dataset.attrs["names"] = fixed_length([column.name for column in columns])
    dataset.attrs["units"] = fixed_length([column.unit for column in columns])


@contextmanager
def create_hdf5(path: str | Path) -> Iterator[Hdf5Output]:
    """Open a new HDF5 file; it appears at ``path`` only when the block ends without an error.

    The attribute ``complete`` is set to 1 at the end, after everything else is written.

    Raises:
        StorageError: the file cannot be written.
    """
    with atomic_path(path) as aside, _Unfailing(aside) as target:
        try:
            with h5py.File(target, "w", libver=("v110", "v110")) as file:
                output = Hdf5Output(file, target)
                yield output
                file.flush()
                output.check()
                file.attrs["complete"] = 1
        except Exception as error:
            if target.error in (None, error):
                raise
            # After a failed write, HDF5 may stumble over what it reads back.
            raise target.error from error
        output.check()


def fixed_length(texts: Sequence[str]) -> np.ndarray:
    """Return texts as an array of UTF-8 bytes of one length, which HDF5 stores under its checksums."""
    return np.array([text.encode() for text in texts], "S")
