"""Files of packed clouds are written piece by piece, so that memory does not grow with them.

Checksums and the mark of completeness are those of :mod:`cloud_file`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.cloud import Column
from cloudchamber.hdf5 import Hdf5Output, create_hdf5, growing_dataset, write_indices, write_meta
from cloudchamber.packed_clouds import ARRAYS, FORMAT, VERSION, PackedPart

__all__ = ["PackedCloudWriter", "create_packed_clouds"]

# Rows of a chunk: what is read at least where single clouds are asked for.
_CHUNK_ROWS = 4096


@final
class PackedCloudWriter:
    """Appends clouds to an open file; made by :func:`create_packed_clouds`."""

    def __init__(self, output: Hdf5Output, columns: Mapping[str, tuple[Column, ...]]) -> None:
        self._output, self._file = output, output.file
        self.clouds = self.points = 0
        for name, (dtype, dimensions) in ARRAYS.items():
            named = columns.get(name, ())
            shape = (len(named),) if dimensions == 2 else ()
            growing_dataset(self._file, name, shape, dtype, _CHUNK_ROWS, named)
        self._file.create_group("indices")

    def append(self, part: PackedPart) -> None:
        """Append clouds.

        Raises:
            ValueError: the arrays do not fit each other.
        """
        if int(part.counts.sum()) != len(part.points) or not len(part.features) == len(part.labels) == len(part):
            raise ValueError("counts, points, features and labels are not of the same clouds")
        self._extend("points", self.points, part.points)
        for name in ("counts", "features", "labels"):
            self._extend(name, self.clouds, getattr(part, name))
        self.points += len(part.points)
        self.clouds += len(part)
        self._output.check()

    def _extend(self, name: str, rows: int, values: np.ndarray) -> None:
        dataset = self._file[name]
        dataset.resize(rows + len(values), axis=0)
        dataset[rows:] = values

    def add_indices(self, name: str, rows: np.ndarray) -> None:
        """Store the index array of a named part."""
        write_indices(self._file, name, rows)

    def add_meta(self, meta: Mapping[str, Any]) -> None:
        """Store what describes the clouds; replaces what was stored before."""
        write_meta(self._file, meta)


@contextmanager
def create_packed_clouds(
    path: str | Path,
    point_columns: Sequence[Column],
    feature_columns: Sequence[Column] = (),
    label_columns: Sequence[Column] = (),
) -> Iterator[PackedCloudWriter]:
    """Open a new file for appending; it appears at ``path`` only when the block ends without an error.

    Raises:
        StorageError: the file cannot be written.
    """
    columns = {"points": tuple(point_columns), "features": tuple(feature_columns), "labels": tuple(label_columns)}
    with create_hdf5(path) as output:
        output.file.attrs["format"] = np.bytes_(FORMAT)
        output.file.attrs["version"] = VERSION
        writer = PackedCloudWriter(output, columns)
        writer.add_meta({})
        yield writer
        output.file.attrs["n_clouds"] = writer.clouds
        output.file.attrs["n_points"] = writer.points
