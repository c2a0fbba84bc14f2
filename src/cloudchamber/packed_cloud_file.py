"""Files of packed clouds, read piece by piece; their layout is in :mod:`packed_clouds`."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np

from cloudchamber.cloud import Column
from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.packed_clouds import ARRAYS, FORMAT, VERSION, PackedPart

__all__ = ["PackedCloudFile", "open_packed_clouds"]

# What errors of damaged files call them.
_KIND = "packed clouds"


@final
class PackedCloudFile:
    """An open file; made by :func:`open_packed_clouds`. What is of whole clouds is in memory, points stay on disk.

    Attributes:
        path: the file.
        counts: (N,) int64 points of each cloud.
        offsets: (N + 1,) int64 first point of each cloud, and behind the last.
        features, labels: (N, C) float32 and (N, L) int64.
        point_columns, feature_columns, label_columns: names and units.
        indices: rows of named parts.
        meta: what describes the clouds.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        _check_head(path, file)
        arrays = {name: _dataset(path, file, name) for name in ARRAYS}
        self._points = arrays["points"]
        self.counts: np.ndarray = arrays["counts"][()]
        self.features: np.ndarray = arrays["features"][()]
        self.labels: np.ndarray = arrays["labels"][()]
        self.offsets = np.concatenate([[0], np.cumsum(self.counts)])
        columns = {name: _columns(arrays[name]) for name in ("points", "features", "labels")}
        self.point_columns, self.feature_columns, self.label_columns = columns.values()
        self.indices: dict[str, np.ndarray] = {name: data[()] for name, data in file["indices"].items()}
        self.meta: dict[str, Any] = json.loads(file["meta"][()].tobytes())
        self._check()

    def __len__(self) -> int:
        return len(self.counts)

    def _check(self) -> None:
        n = len(self.counts)
        expected = int(self.counts.sum())
        if (self.counts < 0).any() or expected != len(self._points):
            raise InputError(f"{self.path}: 'counts' add up to {expected}, 'points' has {len(self._points)} rows")
        for name, values in (("features", self.features), ("labels", self.labels)):
            if len(values) != n:
                raise InputError(f"{self.path}: dataset '{name}' has {len(values)} rows, 'counts' {n}")
        for name, columns, width in (
            ("points", self.point_columns, self._points.shape[1]),
            ("features", self.feature_columns, self.features.shape[1]),
            ("labels", self.label_columns, self.labels.shape[1]),
        ):
            if len(columns) != width:
                raise InputError(f"{self.path}: dataset '{name}' has {width} columns and {len(columns)} names")
        for name, rows in self.indices.items():
            if len(rows) and (rows.min() < 0 or rows.max() >= n):
                raise InputError(f"{self.path}: index array '{name}' points outside the {n} clouds")

    def feature(self, name: str) -> np.ndarray:
        """Return the (N,) values of one feature.

        Raises:
            InputError: there is none of this name.
        """
        return self.features[:, self._position(self.feature_columns, name, "feature")]

    def label(self, name: str) -> np.ndarray:
        """Return the (N,) values of one label; errors as of :meth:`feature`."""
        return self.labels[:, self._position(self.label_columns, name, "label")]

    def part(self, name: str) -> np.ndarray:
        """Return the rows of a named part.

        Raises:
            InputError: the file has none of this name.
        """
        if name not in self.indices:
            raise InputError(f"{self.path}: no part '{name}' among {sorted(self.indices)}")
        return self.indices[name]

    def _position(self, columns: Sequence[Column], name: str, kind: str) -> int:
        names = [column.name for column in columns]
        if name not in names:
            raise InputError(f"{self.path}: no {kind} '{name}' among {names}")
        return names.index(name)

    def take(self, rows: np.ndarray) -> PackedPart:
        """Read the clouds of (n,) rows, in their order.

        Raises:
            InputError: the points cannot be read.
        """
        rows = np.asarray(rows, np.int64)
        counts = self.counts[rows]
        points = np.empty((int(counts.sum()), self._points.shape[1]), np.float32)
        place = np.concatenate([[0], np.cumsum(counts)])
        with readable_as(self.path, _KIND):
            for run in _runs(rows):
                first, last = rows[run.start], rows[run.stop - 1] + 1
                points[place[run.start] : place[run.stop]] = self._points[self.offsets[first] : self.offsets[last]]
        return PackedPart(points, counts, self.features[rows], self.labels[rows])

    def pieces(self, rows: np.ndarray, points: int = 1_000_000) -> Iterator[tuple[np.ndarray, PackedPart]]:
        """Yield rows, and their clouds, in pieces of about so many points and one cloud at least."""
        rows = np.asarray(rows, np.int64)
        ends = np.cumsum(self.counts[rows])
        start = 0
        while start < len(rows):
            before = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + points, side="right")))
            yield rows[start:stop], self.take(rows[start:stop])
            start = stop


def _runs(rows: np.ndarray) -> Iterator[slice]:
    """Yield slices of ``rows`` that follow one another in the file."""
    ends = np.flatnonzero(np.diff(rows) != 1) + 1
    starts = np.concatenate([[0], ends]) if len(rows) else ends
    for start, stop in zip(starts, [*ends, len(rows)], strict=len(rows) > 0):
        yield slice(int(start), int(stop))


@contextmanager
def open_packed_clouds(path: str | Path) -> Iterator[PackedCloudFile]:
    """Open a file of packed clouds.

    Raises:
        InputError: it is missing, damaged, incomplete, or no file of packed clouds.
    """
    with _opened(path) as file:
        with readable_as(path, _KIND):
            opened = PackedCloudFile(Path(path), file)
        yield opened


@contextmanager
def _opened(path: str | Path) -> Iterator[h5py.File]:
    with readable_as(path, _KIND):
        file = h5py.File(path, "r", locking=False)
    try:
        yield file
    finally:
        file.close()


def _check_head(path: Path, file: h5py.File) -> None:
    form = np.bytes_(file.attrs.get("format", b"")).decode(errors="replace")
    if form != FORMAT:
        raise InputError(f"{path}: not a file of packed clouds (attribute 'format' is '{form}')")
    if file.attrs.get("version") != VERSION:
        raise InputError(f"{path}: version {file.attrs.get('version')} of the layout, expected {VERSION}")
    if file.attrs.get("complete") != 1:
        raise InputError(f"{path}: not written to its end")
    expected = int(file.attrs["n_clouds"]), int(file.attrs["n_points"])
    found = len(file["counts"]), len(file["points"])
    if expected != found:
        raise InputError(f"{path}: {found[0]} clouds with {found[1]} points, expected {expected[0]} and {expected[1]}")


def _dataset(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    dtype, dimensions = ARRAYS[name]
    dataset = file[name]
    if dataset.dtype != dtype or dataset.ndim != dimensions:
        there = f"{dataset.dtype} {dataset.shape}"
        raise InputError(f"{path}: dataset '{name}' is {there}, expected {dtype} of {dimensions} dimensions")
    return dataset


def _columns(dataset: h5py.Dataset) -> tuple[Column, ...]:
    names, units = (np.char.decode(dataset.attrs[key], "utf-8") for key in ("names", "units"))
    return tuple(Column(str(name), str(unit)) for name, unit in zip(names, units, strict=True))
