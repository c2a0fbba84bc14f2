"""What a file of clouds says of itself: its kind and version, that it is complete, its columns and meta data."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cloudchamber.cloud import Column
from cloudchamber.cloud_layout import VERSION
from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError

__all__ = ["KIND", "columns_of", "meta_of", "opened", "require"]

# What errors of damaged files call them.
KIND = "a cloud file"


@contextmanager
def opened(path: str | Path, *kinds: str) -> Iterator[h5py.File]:
    """Open a file that says that it is one of some kinds, of this version, and complete.

    Raises:
        InputError: it is missing, damaged, incomplete or of another kind.
    """
    with readable_as(path, KIND):
        file = h5py.File(path, "r", locking=False)
    with file:
        with readable_as(path, KIND):
            if file.attrs.get("format") not in [np.bytes_(kind) for kind in kinds]:
                raise InputError(f"{path}: not a cloud file (attribute 'format' is not '{kinds[0]}')")
            if file.attrs.get("version") != VERSION:
                raise InputError(f"{path}: layout version {file.attrs.get('version')}, expected {VERSION}")
            if file.attrs.get("complete") != 1:
                raise InputError(f"{path}: the file was not written to its end")
        yield file


def require(path: str | Path, dataset: h5py.Dataset, dtype: str, dimensions: int) -> None:
    """Check type and number of dimensions of a dataset.

    Raises:
        InputError: they are others.
    """
    if dataset.dtype != dtype or dataset.ndim != dimensions:
        there = f"{dataset.dtype} {dataset.shape}"
        raise InputError(f"{path}: dataset '{dataset.name}' is {there}, expected {dtype} of {dimensions} dimensions")


def meta_of(file: h5py.File) -> dict[str, Any]:
    """Return what describes the clouds.

    Raises:
        InputError: it holds no keys and values.
    """
    meta = json.loads(file["meta"][()].tobytes())
    if not isinstance(meta, dict):
        raise InputError(f"{file.filename}: 'meta' holds no keys and values")
    return meta


def columns_of(dataset: h5py.Dataset) -> tuple[Column, ...]:
    """Return names and units of the columns of a dataset."""
    names, units = (np.char.decode(dataset.attrs[key], "utf-8") for key in ("names", "units"))
    return tuple(Column(str(name), str(unit)) for name, unit in zip(names, units, strict=True))
