"""Assignments of the events of one sample by several methods, on disk."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.hdf5 import create_hdf5
from cloudchamber.jets.observable_file import refuse_other_source

__all__ = ["Assignments", "Attention", "read_assignments", "read_attention", "write_assignments"]

_FORMAT = np.bytes_("cloudchamber-assignments")
_KIND = "a file of assignments"
_NUMBERS = ("jets", "log_probability", "detection")


@final
@dataclass(frozen=True)
class Assignments:
    """What one method makes of some events.

    Attributes:
        method: name of the method: a model, or a chi-square.
        trained_on: name of the sample that it was trained on, "" for a chi-square.
        training_events: complete training events that a point of the learning curve asks for, None for all there are.
        complete_events: complete events that it was trained with; of folds their mean; 0 for a chi-square.
        seed: of the training; 0 for a chi-square.
        rows: (n,) int64, the events.
        jets: (n, T) int64, jets of the partons, -1 where the method gives none.
        log_probability: (n, P) float64, of the choice for each particle; half of minus chi-square for a chi-square.
        detection: (n, P) float64, probability that each particle has all its jets; not a number for a chi-square.
    """

    method: str
    trained_on: str
    training_events: int | None
    complete_events: int
    seed: int
    rows: np.ndarray
    jets: np.ndarray
    log_probability: np.ndarray
    detection: np.ndarray

    @property
    def is_trained(self) -> bool:
        return bool(self.trained_on)


@final
@dataclass(frozen=True)
class Attention:
    """How much the jets of one event look at each other: (layers, heads, n, n), each row sums to one."""

    row: int
    weights: np.ndarray


@final
@dataclass(frozen=True)
class _Content:
    meta: Mapping[str, Any]
    assignments: Sequence[Assignments]
    attention: Sequence[Attention] = field(default_factory=tuple)


def write_assignments(
    path: Path, assignments: Sequence[Assignments], attention: Sequence[Attention], meta: str
) -> None:
    """Write assignments, the attention of some events, and JSON text that says where they are from.

    Raises:
        StorageError: the file cannot be written.
    """
    with create_hdf5(path) as output:
        file = output.file
        file.attrs["format"], file.attrs["version"] = _FORMAT, 1
        for number, item in enumerate(assignments):
            group = file.create_group(f"assignments/{number:04d}")
            group.attrs["method"] = np.bytes_(item.method.encode())
            group.attrs["trained_on"] = np.bytes_(item.trained_on.encode())
            group.attrs["training_events"] = -1 if item.training_events is None else item.training_events
            group.attrs["complete_events"], group.attrs["seed"] = item.complete_events, item.seed
            for name in ("rows", *_NUMBERS):
                _dataset(group, name, getattr(item, name))
        for number, seen in enumerate(attention):
            group = file.create_group(f"attention/{number:04d}")
            group.attrs["row"] = seen.row
            _dataset(group, "weights", seen.weights)
        _dataset(file, "meta", np.frombuffer(meta.encode(), "u1"))
        output.check()


def _dataset(group: h5py.Group, name: str, values: np.ndarray) -> None:
    group.create_dataset(name, data=values, chunks=True, compression="gzip", compression_opts=1, fletcher32=True)


def read_assignments(path: Path, events: Path | None = None) -> list[Assignments]:
    """Return all assignments of a file.

    Args:
        path: the file.
        events: the events that they are to be of; None for any.

    Raises:
        InputError: the file cannot be read or is not complete, or the assignments are of other events.
    """
    content = _read(path)
    if events is not None:
        refuse_other_source(path, content.meta, events, "events")
    return list(content.assignments)


def read_attention(path: Path) -> list[Attention]:
    """Return the attention of the events of a file; errors as of :func:`read_assignments`."""
    return list(_read(path).attention)


def _read(path: Path) -> _Content:
    with readable_as(path, _KIND), h5py.File(path, "r") as file:
        if file.attrs.get("format") != _FORMAT or not file.attrs.get("complete"):
            raise InputError(f"{path}: not {_KIND}, or not complete")
        assignments = [_assignments(group) for _, group in sorted(file["assignments"].items())]
        seen = [
            Attention(int(group.attrs["row"]), group["weights"][()])
            for _, group in sorted(file.get("attention", {}).items())
        ]
        meta = json.loads(file["meta"][()].tobytes() or b"{}")
    return _Content(meta if isinstance(meta, dict) else {}, assignments, seen)


def _assignments(group: h5py.Group) -> Assignments:
    attributes: Mapping[str, Any] = group.attrs
    events = int(attributes["training_events"])
    return Assignments(
        bytes(attributes["method"]).decode(),
        bytes(attributes["trained_on"]).decode(),
        None if events < 0 else events,
        int(attributes["complete_events"]),
        int(attributes["seed"]),
        group["rows"][()],
        *(group[name][()] for name in _NUMBERS),
    )
