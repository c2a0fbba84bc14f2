"""Files of clouds: the only module that knows how clouds lie on disk.

``docs/formats.md`` describes the layout. A file is complete only if its attribute ``complete`` is 1, which is written
last. Every byte that is read lies under a checksum, so that a flipped bit is an error and never a wrong number:
datasets carry a Fletcher-32 sum, headers with their attributes one of the file format.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np

from cloudchamber.cloud import EVENT_WEIGHT, Clouds, Column
from cloudchamber.errors import CloudchamberError, InputError
from cloudchamber.hdf5 import Hdf5Output, create_hdf5, growing_dataset

__all__ = ["CloudWriter", "create_clouds", "read_clouds", "read_header", "write_clouds"]

FORMAT = "cloudchamber-clouds"
VERSION = 1
# Type and number of dimensions of each dataset.
_ARRAYS: Mapping[str, tuple[str, int]] = {
    "points": ("float32", 3),
    "mask": ("bool", 2),
    "features": ("float32", 2),
    "labels": ("int64", 2),
}
_CHUNK_BYTES = 1 << 20


@final
class CloudWriter:
    """Appends clouds to an open file; made by :func:`create_clouds`."""

    def __init__(self, output: Hdf5Output, width: int, columns: Mapping[str, tuple[Column, ...]]) -> None:
        self._output = output
        self._file = output.file
        self._rows = 0
        n_points, n_features, n_labels = (len(columns[key]) for key in ("points", "features", "labels"))
        self._add("points", (width, n_points), "f4", columns["points"])
        self._add("mask", (width,), "bool", ())
        self._add("features", (n_features,), "f4", columns["features"])
        self._add("labels", (n_labels,), "i8", columns["labels"])
        self._file.create_group("indices")

    def _add(self, name: str, shape: tuple[int, ...], dtype: str, columns: tuple[Column, ...]) -> None:
        row_bytes = max(1, int(np.prod(shape)) * np.dtype(dtype).itemsize)
        rows = max(1, min(4096, _CHUNK_BYTES // row_bytes))
        growing_dataset(self._file, name, shape, dtype, rows, columns)

    def append(self, points: np.ndarray, mask: np.ndarray, features: np.ndarray, labels: np.ndarray) -> None:
        """Append clouds: points (n, P, F), mask (n, P), features (n, C), labels (n, L)."""
        n = len(points)
        for name, values in (("points", points), ("mask", mask), ("features", features), ("labels", labels)):
            if len(values) != n:
                raise ValueError(f"{name} has {len(values)} rows, points has {n}")
            dataset = self._file[name]
            dataset.resize(self._rows + n, axis=0)
            dataset[self._rows :] = values
        self._rows += n
        self._output.check()

    def add_indices(self, name: str, rows: np.ndarray) -> None:
        """Store the index array of a named part."""
        self._file.create_dataset(f"indices/{name}", data=np.asarray(rows, "i8"), chunks=True, fletcher32=True)

    def add_meta(self, meta: Mapping[str, Any]) -> None:
        """Store what describes the clouds; replaces what was stored before."""
        if "meta" in self._file:
            del self._file["meta"]
        text = np.frombuffer(json.dumps(meta, sort_keys=True).encode(), "u1")
        self._file.create_dataset("meta", data=text, chunks=True, compression="gzip", fletcher32=True)

    @property
    def rows(self) -> int:
        """Number of clouds written so far."""
        return self._rows


@contextmanager
def create_clouds(
    path: str | Path,
    width: int,
    point_columns: Sequence[Column],
    feature_columns: Sequence[Column] = (),
    label_columns: Sequence[Column] = (),
) -> Iterator[CloudWriter]:
    """Open a new cloud file for appending; it appears at ``path`` only when the block ends without an error.

    Args:
        path: where the file is to be.
        width: P, the padded number of particles.
        point_columns, feature_columns, label_columns: names and units.

    Raises:
        StorageError: the file cannot be written.
    """
    columns = {
        "points": tuple(point_columns),
        "features": tuple(feature_columns),
        "labels": tuple(label_columns),
    }
    with create_hdf5(path) as output:
        output.file.attrs["format"] = np.bytes_(FORMAT)
        output.file.attrs["version"] = VERSION
        writer = CloudWriter(output, width, columns)
        writer.add_meta({})
        yield writer
        output.file.attrs["n_clouds"] = writer.rows


def write_clouds(path: str | Path, clouds: Clouds) -> None:
    """Write clouds to ``path`` at once or not at all.

    Raises:
        StorageError: the file cannot be written.
    """
    with create_clouds(
        path, clouds.points.shape[1], clouds.point_columns, clouds.feature_columns, clouds.label_columns
    ) as writer:
        writer.append(clouds.points, clouds.mask, clouds.features, clouds.labels)
        for name, rows in clouds.indices.items():
            writer.add_indices(name, rows)
        writer.add_meta(clouds.meta)


@contextmanager
def _open(path: str | Path) -> Iterator[h5py.File]:
    """Open a cloud file for reading and turn every failure of HDF5 into one line that names the file."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            if file.attrs.get("format") != np.bytes_(FORMAT):
                raise InputError(f"{path}: not a cloud file (attribute 'format' is not '{FORMAT}')")
            if file.attrs.get("version") != VERSION:
                raise InputError(f"{path}: layout version {file.attrs.get('version')}, expected {VERSION}")
            if file.attrs.get("complete") != 1:
                raise InputError(f"{path}: the file was not written to its end")
            yield file
    except (CloudchamberError, MemoryError):
        raise
    except Exception as error:  # damaged bytes make HDF5 raise almost anything
        raise InputError(f"{path}: cannot be read as a cloud file: {' '.join(str(error).split())}") from error


def read_header(path: str | Path) -> Mapping[str, Any]:
    """Return the meta data of a cloud file without reading its clouds.

    Raises:
        InputError: the file is missing, damaged, incomplete or of another kind.
    """
    with _open(path) as file:
        return _meta(file)


def read_clouds(path: str | Path, weighted: bool = False) -> Clouds:
    """Read a whole cloud file and verify it.

    Clouds whose events do not all weigh the same are refused unless the caller says that it takes their weights into
    account, so that no step ignores them without a word.

    Args:
        path: the file.
        weighted: whether the caller takes :attr:`Clouds.event_weight` into account.

    Raises:
        InputError: the file is missing, damaged, incomplete or of another kind; a value is not finite; real
            particles do not come first or a padded slot is not zero; there are event weights and ``weighted`` is false.
    """
    with _open(path) as file:
        if not weighted and EVENT_WEIGHT in [column.name for column in _columns(file["features"])]:
            raise InputError(
                f"{path}: its clouds have event weights (feature '{EVENT_WEIGHT}'), which this step cannot take into "
                "account; event_weights: unweight of 'prepare' or 'combine-classes' makes jets that weigh the same"
            )
        arrays = {name: _array(path, file[name], *kind) for name, kind in _ARRAYS.items()}
        columns = {name: _columns(file[name]) for name in ("points", "features", "labels")}
        group = file["indices"]
        indices = {name: _array(path, group[name], "int64", 1) for name in group}
        meta = _meta(file)
        expected = int(file.attrs["n_clouds"])
    for name, values in arrays.items():
        if len(values) != expected:
            raise InputError(f"{path}: dataset '{name}' has {len(values)} rows, the header says {expected}")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise InputError(f"{path}: dataset '{name}' holds values that are not finite")
    for name, named in columns.items():
        if len(named) != arrays[name].shape[-1]:
            raise InputError(f"{path}: dataset '{name}' has {arrays[name].shape[-1]} columns and {len(named)} names")
    mask = arrays["mask"]
    if mask.shape != arrays["points"].shape[:2]:
        raise InputError(f"{path}: 'mask' is {mask.shape}, 'points' {arrays['points'].shape}")
    if np.any(mask[:, 1:] & ~mask[:, :-1]):
        raise InputError(f"{path}: real particles do not come first in 'mask'")
    if np.any(arrays["points"][~mask]):
        raise InputError(f"{path}: dataset 'points' is not zero where 'mask' is false")
    for name, rows in indices.items():
        if len(rows) and (rows.min() < 0 or rows.max() >= expected):
            raise InputError(f"{path}: index array '{name}' points outside the {expected} clouds")
    return Clouds(
        **arrays,
        point_columns=columns["points"],
        feature_columns=columns["features"],
        label_columns=columns["labels"],
        indices=indices,
        meta=meta,
    )


def _array(path: str | Path, dataset: h5py.Dataset, dtype: str, dimensions: int) -> np.ndarray:
    if dataset.dtype != dtype or dataset.ndim != dimensions:
        there = f"{dataset.dtype} {dataset.shape}"
        raise InputError(f"{path}: dataset '{dataset.name}' is {there}, expected {dtype} of {dimensions} dimensions")
    values: np.ndarray = dataset[()]
    return values


def _meta(file: h5py.File) -> dict[str, Any]:
    meta = json.loads(file["meta"][()].tobytes())
    if not isinstance(meta, dict):
        raise InputError(f"{file.filename}: 'meta' holds no keys and values")
    return meta


def _columns(dataset: h5py.Dataset) -> tuple[Column, ...]:
    names, units = (np.char.decode(dataset.attrs[key], "utf-8") for key in ("names", "units"))
    return tuple(Column(str(name), str(unit)) for name, unit in zip(names, units, strict=True))
