"""The HDF5 layout of the top tagging reference data (arXiv 1902.09914, Zenodo 2603256).

One row per jet with the columns ``E_0, PX_0, PY_0, PZ_0, ..., PZ_199`` [GeV], zero for constituents that are not
there, ``truthE, truthPX, truthPY, truthPZ``, ``ttv`` and ``is_signal_new``, 1 for top jets and 0 for QCD jets (the
description of the record; https://huggingface.co/datasets/dl4phys/top_tagging). pandas writes such a frame as one data
set ``table/table`` with a field per type, ``values_block_0`` (N, 804) and ``values_block_1`` (N, 2), and pickles the
names of their columns into attributes; it can also write each column as a field or data set of its own.

Pickles are never loaded, which would run whatever they hold: only the strings in their text are looked at. Where these
are not there, a block has to have as many columns as the published ones and these have to be in the order above. No
published file was at hand, so that fields and order of its blocks are not verified.
"""

import pickletools
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import h5py
import numpy as np

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.readers.jagged import Jagged, offsets_of
from cloudchamber.readers.labelled import LabelledJets, labelled_jets
from cloudchamber.readers.whole_numbers import whole_numbers

__all__ = ["CLASSES", "read_top_tagging"]

CLASSES = ("QCD", "top")

_CONSTITUENTS, _JETS_PER_STEP = 200, 2048
_COMPONENTS, _LABEL = ("PX", "PY", "PZ", "E"), "is_signal_new"
_MOMENTA = [f"{component}_{number}" for component in _COMPONENTS for number in range(_CONSTITUENTS)]
_PARTICLES = [f"{component}_{number}" for number in range(_CONSTITUENTS) for component in ("E", "PX", "PY", "PZ")]
# The columns of each block as published.
_BLOCKS = ([*_PARTICLES, "truthE", "truthPX", "truthPY", "truthPZ"], ["ttv", _LABEL])


@final
@dataclass(frozen=True)
class _Place:
    """Where a column is: in a data set, in a field of one, or at a position in a field that holds several."""

    dataset: h5py.Dataset
    field: str | None = None
    position: int | None = None

    def values(self, rows: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the column of ``rows``, which maps names of data sets to some of their rows."""
        values = rows[self.dataset.name]
        if self.field is not None:
            values = values[self.field]
        return values if self.position is None else values[:, self.position]


def read_top_tagging(path: Path) -> Generator[LabelledJets]:
    """Read jets step by step; the label is ``is_signal_new``, the position of the class in :data:`CLASSES`.

    Constituents whose four components are zero are not there. ``ttv`` and the momentum of the top quark are not read.

    Raises:
        InputError: the file is damaged, lacks a column, has other blocks or holds impossible values.
    """
    with readable_as(path, "a file of the top tagging data"), h5py.File(path, "r", locking=False) as file:
        found = dict(_places(path, file))
        missing = [name for name in (*_MOMENTA, _LABEL) if name not in found]
        if missing:
            raise InputError(f"{path}: no column '{missing[0]}' in the data sets of the file")
        places = {name: found[name] for name in (*_MOMENTA, _LABEL)}
        datasets = {place.dataset.name: place.dataset for place in places.values()}
        lengths = [len(dataset) for dataset in datasets.values()]
        if min(lengths) < max(lengths):
            raise InputError(f"{path}: the columns have {min(lengths)} to {max(lengths)} rows")
        for first in range(0, max(lengths), _JETS_PER_STEP):
            rows = {name: dataset[first : first + _JETS_PER_STEP] for name, dataset in datasets.items()}
            yield _jets(path, first, {name: place.values(rows) for name, place in places.items()})


def _jets(path: Path, first: int, columns: Mapping[str, np.ndarray]) -> LabelledJets:
    labels = whole_numbers(path, f"column '{_LABEL}'", columns[_LABEL], first)
    wrong = np.flatnonzero(~np.isin(labels, (0, 1)))
    if len(wrong):
        at = wrong[0]
        raise InputError(f"{path}: column '{_LABEL}' is {labels[at]} in entry {first + at}, expected 0 or 1")
    momenta = np.stack([columns[name] for name in _MOMENTA], axis=1).reshape(len(labels), -1, _CONSTITUENTS)
    there = momenta.any(axis=1)
    offsets = offsets_of(there.sum(axis=1))
    lists = {name: Jagged(momenta[:, row][there], offsets) for row, name in enumerate(_COMPONENTS)}
    return labelled_jets(path, first, lists, labels)


def _places(path: Path, file: h5py.File) -> Iterator[tuple[str, _Place]]:
    """Yield name and place of each column of numbers."""
    table = file.get("table/table")
    if isinstance(table, h5py.Dataset) and table.dtype.names:
        for field in table.dtype.names:
            dtype = table.dtype[field]
            if dtype.base.kind not in "biuf" or len(dtype.shape) > 1:
                continue
            if dtype.shape == ():
                yield field, _Place(table, field)
            else:
                for position, name in enumerate(_names(path, table, field)):
                    yield name, _Place(table, field, position)
    else:
        group = file["table"] if isinstance(file.get("table"), h5py.Group) else file
        for name, dataset in group.items():
            if isinstance(dataset, h5py.Dataset) and dataset.ndim == 1 and dataset.dtype.kind in "biuf":
                yield name, _Place(dataset)


def _names(path: Path, table: h5py.Dataset, field: str) -> Sequence[str]:
    """Return the names of the columns of a block."""
    (width,) = table.dtype[field].shape
    written = _strings(table.attrs.get(f"{field}_kind"))
    if len(written) == width:
        return written
    for names in _BLOCKS:
        if len(names) == width:
            return names
    there = " and ".join(str(len(names)) for names in _BLOCKS)
    raise InputError(f"{path}: '{field}' of 'table/table' has {width} columns, those published have {there}")


def _strings(pickled: object) -> list[str]:
    """Return the strings in a pickle in their order, without loading it; none where it cannot be parsed."""
    if not isinstance(pickled, np.bytes_ | np.void):
        return []
    try:
        return [item for _, item, _ in pickletools.genops(pickled.tobytes()) if isinstance(item, str)]
    except ValueError:
        return []
