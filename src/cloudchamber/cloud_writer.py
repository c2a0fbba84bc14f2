"""Writing files of clouds, whole or not at all; :mod:`cloudchamber.cloud_file` reads them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_layout import ARRAYS, BLOCK, FORMAT, VERSION
from cloudchamber.errors import InputError
from cloudchamber.hdf5 import Hdf5Output, create_hdf5, growing_dataset, write_indices, write_meta

__all__ = ["CloudWriter", "create_clouds", "write_clouds"]

_CHUNK_BYTES = 1 << 20


@final
class CloudWriter:
    """Appends clouds to an open file; made by :func:`create_clouds`.

    Attributes:
        feature_columns: names and units of the features.
    """

    def __init__(self, output: Hdf5Output, width: int, columns: Mapping[str, tuple[Column, ...]]) -> None:
        self._output = output
        self._file = output.file
        self.feature_columns = columns["features"]
        self._rows = self._written = 0
        self._waiting: list[dict[str, np.ndarray]] = []
        n_points, n_features, n_labels = (len(columns[key]) for key in ("points", "features", "labels"))
        self._add("points", (width, n_points), columns["points"])
        self._add("mask", (width,), ())
        self._add("features", (n_features,), columns["features"])
        self._add("labels", (n_labels,), columns["labels"])
        self._file.create_group("indices")

    def _add(self, name: str, shape: tuple[int, ...], columns: tuple[Column, ...]) -> None:
        row_bytes = max(1, int(np.prod(shape)) * np.dtype(ARRAYS[name][0]).itemsize)
        rows = max(1, min(BLOCK, _CHUNK_BYTES // row_bytes))
        growing_dataset(self._file, name, shape, ARRAYS[name][0], rows, columns)

    def append(self, points: np.ndarray, mask: np.ndarray, features: np.ndarray, labels: np.ndarray) -> None:
        """Append clouds: points (n, P, F), mask (n, P), features (n, C), labels (n, L)."""
        n = len(points)
        given = {"points": points, "mask": mask, "features": features, "labels": labels}
        for name, values in given.items():
            if len(values) != n:
                raise ValueError(f"{name} has {len(values)} rows, points has {n}")
        start = 0
        while start < n:
            stop = min(n, start + BLOCK - (self._rows - self._written))
            self._waiting.append({name: values[start:stop].astype(ARRAYS[name][0]) for name, values in given.items()})
            self._rows += stop - start
            start = stop
            if self._rows - self._written == BLOCK:
                self.flush()

    def flush(self) -> None:
        """Write what waits for its block to be full: at the end, since that ends the block."""
        if not self._waiting:
            return
        for name in ARRAYS:
            dataset = self._file[name]
            dataset.resize(self._rows, axis=0)
            dataset[self._written :] = np.concatenate([rows[name] for rows in self._waiting])
        self._waiting, self._written = [], self._rows
        self._output.check()

    def add_rows(self, name: str, values: np.ndarray) -> None:
        """Store a number of each cloud, (N,), that is no feature: what a group of files keeps until it is joined."""
        self._file.create_dataset(
            f"rows/{name}", data=values, chunks=True, maxshape=(None,), compression="gzip", fletcher32=True
        )

    def add_indices(self, name: str, rows: np.ndarray) -> None:
        """Store the index array of a named part."""
        write_indices(self._file, name, rows)

    def add_meta(self, meta: Mapping[str, Any]) -> None:
        """Store what describes the clouds; replaces what was stored before."""
        write_meta(self._file, meta)

    @property
    def rows(self) -> int:
        """Number of clouds appended so far."""
        return self._rows


@contextmanager
def create_clouds(
    path: str | Path,
    width: int,
    point_columns: Sequence[Column],
    feature_columns: Sequence[Column] = (),
    label_columns: Sequence[Column] = (),
    *,
    kind: str = FORMAT,
) -> Iterator[CloudWriter]:
    """Open a new cloud file for appending; it appears at ``path`` only when the block ends without an error.

    Args:
        path: where the file is to be.
        width: P, the padded number of particles.
        point_columns, feature_columns, label_columns: names and units.
        kind: what the file says that it is.

    Raises:
        StorageError: the file cannot be written.
    """
    columns = {
        "points": tuple(point_columns),
        "features": tuple(feature_columns),
        "labels": tuple(label_columns),
    }
    with create_hdf5(path) as output:
        output.file.attrs["format"] = np.bytes_(kind)
        output.file.attrs["version"] = VERSION
        writer = CloudWriter(output, width, columns)
        writer.add_meta({})
        yield writer
        writer.flush()
        output.file.attrs["n_clouds"] = writer.rows


def write_clouds(path: str | Path, clouds: Clouds) -> None:
    """Write clouds to ``path`` at once or not at all.

    Raises:
        InputError: they are no clouds.
        StorageError: the file cannot be written.
    """
    if not isinstance(clouds, Clouds):
        raise InputError(f"clouds: is {type(clouds).__name__}, expected Clouds (clouds_from_arrays makes them)")
    with create_clouds(
        path, clouds.points.shape[1], clouds.point_columns, clouds.feature_columns, clouds.label_columns
    ) as writer:
        writer.append(clouds.points, clouds.mask, clouds.features, clouds.labels)
        for name, rows in clouds.indices.items():
            writer.add_indices(name, rows)
        writer.add_meta(clouds.meta)
