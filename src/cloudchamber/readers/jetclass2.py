"""The Parquet layout of JetClass-II (arXiv 2405.12972).

One row per jet: lists ``part_px``, ``part_py``, ``part_pz`` and ``part_energy`` [GeV] of its constituents, and
``jet_label``, one of 188 classes (https://github.com/jet-universe/sophon, README.md). The package ``pyarrow`` is not
among those of the analysis: install the extra ``parquet``.
"""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.optional import optional_package
from cloudchamber.readers.jagged import Jagged, offsets_of
from cloudchamber.readers.labelled import LabelledJets, labelled_jets
from cloudchamber.readers.whole_numbers import whole_numbers

__all__ = ["N_CLASSES", "read_jetclass2"]

N_CLASSES = 188

_MOMENTA, _LABEL = ("part_px", "part_py", "part_pz", "part_energy"), "jet_label"
_JETS_PER_STEP = 4096


def read_jetclass2(path: Path) -> Generator[LabelledJets]:
    """Read jets step by step; the label is ``jet_label``.

    Raises:
        InputError: the file is damaged, lacks a column or holds impossible values, or ``pyarrow`` is not installed.
    """
    arrow, parquet = (optional_package(name, "parquet", "Parquet") for name in ("pyarrow", "pyarrow.parquet"))
    columns = [*_MOMENTA, _LABEL]
    with readable_as(path, "a Parquet file"), parquet.ParquetFile(path, page_checksum_verification=True) as file:
        _check_columns(path, arrow, file.schema_arrow)
        first = 0
        for batch in file.iter_batches(_JETS_PER_STEP, columns=columns, use_threads=False):
            labels = whole_numbers(path, f"column '{_LABEL}'", _values(path, _LABEL, batch[_LABEL]), first)
            wrong = np.flatnonzero((labels < 0) | (labels >= N_CLASSES))
            if len(wrong):
                what = f"column '{_LABEL}' is {labels[wrong[0]]} in entry {first + wrong[0]}"
                raise InputError(f"{path}: {what}, expected 0 to {N_CLASSES - 1}")
            momenta = {name: _lists(path, name, batch[name]) for name in _MOMENTA}
            yield labelled_jets(path, first, momenta, labels)
            first += len(batch)


def _check_columns(path: Path, arrow: Any, schema: Any) -> None:
    for name in (*_MOMENTA, _LABEL):
        if name not in schema.names:
            raise InputError(f"{path}: no column '{name}'; there are {sorted(schema.names)}")
        kind, expected = schema.field(name).type, "numbers"
        if name != _LABEL:
            is_list = arrow.types.is_list(kind) or arrow.types.is_large_list(kind)
            kind, expected = (kind.value_type if is_list else None), "lists of numbers"
        if kind is None or not (arrow.types.is_integer(kind) or arrow.types.is_floating(kind)):
            raise InputError(f"{path}: column '{name}' holds '{schema.field(name).type}', expected {expected}")


def _lists(path: Path, name: str, column: Any) -> Jagged:
    if column.null_count:
        raise InputError(f"{path}: column '{name}' has entries without a list")
    offsets = offsets_of(column.value_lengths().to_numpy()).astype(np.int64)
    return Jagged(_values(path, name, column.flatten()), offsets)


def _values(path: Path, name: str, column: Any) -> np.ndarray:
    if column.null_count:
        raise InputError(f"{path}: column '{name}' has missing values")
    values: np.ndarray = column.to_numpy()
    return values
