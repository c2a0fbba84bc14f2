"""Splits into training, validation and test parts, made once and stored as indices."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import AnyClouds
from cloudchamber.errors import CloudchamberError, InputError
from cloudchamber.hdf5 import create_hdf5
from cloudchamber.preparation.identical import joined, numbered, told_apart
from cloudchamber.settings.data import SplitSettings

__all__ = [
    "PARTS",
    "event_labels",
    "halved",
    "halves",
    "joined_events",
    "read_split",
    "split",
    "split_by_event",
    "write_split",
]

PARTS = ("train", "validation", "test")
_FORMAT = np.bytes_("cloudchamber-split")
_MOMENTA = "jet_pt"
# Another machine may round the sum of the constituents otherwise.
_SAME_MOMENTUM = 1e-3


def event_labels(clouds: AnyClouds) -> np.ndarray:
    """Return file and event of each cloud, (N, 2) int64; where no event is known, each is an event of its own.

    Clouds of one's own arrays may have the label event alone: they are of one file then.
    """
    names = {column.name for column in clouds.label_columns}
    events = clouds.label("event") if "event" in names else np.arange(len(clouds))
    files = clouds.label("file") if {"file", "event"} <= names else np.zeros(len(clouds), np.int64)
    return np.stack([files, events], axis=1)


def joined_events(clouds: AnyClouds) -> np.ndarray:
    """Return (N, 1) int64, equal for clouds of one event; events with identical clouds count as one."""
    content = np.empty(len(clouds), np.uint64)
    for positions, piece in clouds.pieces():
        content[positions] = told_apart(piece, positions)
    return joined(event_labels(clouds), content)


def split(
    events: np.ndarray, jet_pt: np.ndarray, settings: SplitSettings, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return the rows of each part: as the file of indices says, where the settings name one, else by fractions.

    Args:
        events: (N, K) int64, rows that are equal belong to the same event; with those joined that have identical
            clouds (:func:`cloudchamber.preparation.identical.joined`), no cloud is in one part and its copy in another.
        jet_pt: (N,) by which a file of indices tells whether it was made for these clouds.
        settings: fractions or file.
        rng: decides a random order.

    Raises:
        InputError: see :func:`split_by_event` and :func:`read_split`; or the file has an event in two parts.
    """
    if settings.indices is None:
        return split_by_event(events, settings, rng)
    parts = read_split(settings.indices, len(events), jet_pt)
    rows = np.concatenate(list(parts.values()))
    part = np.repeat(np.arange(len(parts)), [len(rows) for rows in parts.values()])
    _, first, owner = np.unique(numbered(events[rows]), return_index=True, return_inverse=True)
    apart = np.flatnonzero(part != part[first][owner])
    if len(apart):
        raise InputError(
            f"{settings.indices}: {len(np.unique(owner[apart]))} events have clouds in more than one part (events with "
            f"identical clouds count as one): rows {rows[first[owner[apart[0]]]]} and {rows[apart[0]]}, for example"
        )
    return parts


def split_by_event(events: np.ndarray, settings: SplitSettings, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the rows of the parts "train", "validation" and "test", in random order or as they are stored.

    All clouds of one event go to the same part: the two jets of an event share colour and recoil, so that a jet in
    the test part whose partner was trained on would not be independent.

    Args:
        events: (N, K) int64, rows that are equal belong to the same event; stored order is that of their values.
        settings: fractions of the events, and their order.
        rng: decides a random order.

    Raises:
        InputError: a part would be empty.

    Example:
        >>> events = np.array([[0], [0], [1], [1], [2], [3]])
        >>> fractions = SplitSettings(train=0.5, validation=0.25, order="stored")
        >>> split_by_event(events, fractions, np.random.default_rng(1))
        {'train': array([0, 1, 2, 3]), 'validation': array([4]), 'test': array([5])}
    """
    owner = numbered(events)
    n_events = int(owner.max()) + 1 if len(owner) else 0
    shuffled = settings.order == "random"
    place = rng.permutation(n_events)[owner] if shuffled else owner
    n_train = round(settings.train * n_events)
    n_validation = round(settings.validation * n_events)
    chosen = {
        "train": place < n_train,
        "validation": (place >= n_train) & (place < n_train + n_validation),
        "test": place >= n_train + n_validation,
    }
    parts = {name: np.flatnonzero(rows) for name, rows in chosen.items()}
    for name, rows in parts.items():
        if not len(rows):
            raise InputError(f"the {name} part of {len(owner)} clouds from {n_events} events is empty")
    return {name: rng.permutation(rows) for name, rows in parts.items()} if shuffled else parts


def halves(clouds: Clouds) -> tuple[Clouds, Clouds]:
    """Return the clouds of :func:`halved`."""
    first, second = halved(clouds)
    return clouds[first], clouds[second]


def halved(clouds: AnyClouds) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of two halves that share neither an event nor a copy of a cloud.

    Events are taken in the order of their first clouds, and the clouds of a half as they are stored. The first half is
    the larger one where it does not come out even.

    Raises:
        InputError: there are less than two events.
    """
    events = joined_events(clouds)
    _, first, owner = np.unique(events.ravel(), return_index=True, return_inverse=True)
    if len(first) < 2:
        raise InputError(f"{len(clouds)} clouds of {len(first)} events cannot be halved")
    place = first[owner]
    in_first = place <= np.sort(place)[len(place) // 2 - 1]
    if in_first.all():
        in_first = place < place.max()
    return np.flatnonzero(in_first), np.flatnonzero(~in_first)


def write_split(path: str | Path, parts: Mapping[str, np.ndarray], jet_pt: np.ndarray) -> None:
    """Write the rows of each part as a file of indices.

    Args:
        path: file to write.
        parts: rows of "train", "validation" and "test".
        jet_pt: (N,) of all clouds that the rows count; the file is refused for clouds of other jets.

    Raises:
        StorageError: the file cannot be written.
    """
    with create_hdf5(path) as output:
        output.file.attrs["format"] = _FORMAT
        output.file.attrs["version"] = 1
        output.file.attrs["n_clouds"] = len(jet_pt)
        for name in PARTS:
            output.file.create_dataset(name, data=np.asarray(parts[name], "i8"), chunks=True, fletcher32=True)
        output.file.create_dataset(_MOMENTA, data=np.asarray(jet_pt, "f4"), chunks=True, fletcher32=True)


def read_split(path: str | Path, clouds: int, jet_pt: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Read a file of indices: HDF5 with the integer data sets "train", "validation" and "test".

    The attributes and momenta that :func:`write_split` adds are checked where they are there. Clouds in no part are
    left out.

    Args:
        path: file to read.
        clouds: number of clouds that the rows must fit.
        jet_pt: (clouds,) their pT, which is compared with that of the file; None for a file of any clouds.

    Raises:
        InputError: the file is missing or damaged or for another number of clouds, or for others; a part is missing,
            empty or no list of whole numbers; a row is outside the clouds or stands there twice.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            if file.attrs.get("format", _FORMAT) != _FORMAT or file.attrs.get("complete", 1) != 1:
                raise InputError(f"{path}: not a file of indices, or one not written to its end")
            if file.attrs.get("n_clouds", clouds) != clouds:
                raise InputError(f"{path}: is for {file.attrs['n_clouds']} clouds, there are {clouds}")
            parts = {name: _rows(path, file, name, clouds) for name in PARTS}
            if jet_pt is not None and _MOMENTA in file:
                _refuse_other_clouds(path, file[_MOMENTA][()], jet_pt)
    except (CloudchamberError, MemoryError):
        raise
    except Exception as error:  # damaged bytes make HDF5 raise almost anything
        raise InputError(f"{path}: cannot be read as a file of indices: {' '.join(str(error).split())}") from error
    rows, times = np.unique(np.concatenate(list(parts.values())), return_counts=True)
    if (times > 1).any():
        raise InputError(f"{path}: row {rows[times > 1][0]} stands there more than once")
    return parts


def _refuse_other_clouds(path: str | Path, made_for: np.ndarray, jet_pt: np.ndarray) -> None:
    if made_for.shape != jet_pt.shape:
        raise InputError(f"{path}: '{_MOMENTA}' has the shape {made_for.shape}, there are {len(jet_pt)} clouds")
    other = np.flatnonzero(~np.isclose(made_for, jet_pt, rtol=_SAME_MOMENTUM, atol=0))
    if len(other):
        row = other[0]
        raise InputError(
            f"{path}: is for other clouds: the jet pT of {len(other)} of {len(jet_pt)} differs, as that of row {row}, "
            f"{made_for[row]:.6g} there and {jet_pt[row]:.6g} GeV here"
        )


def _rows(path: str | Path, file: h5py.File, name: str, clouds: int) -> np.ndarray:
    dataset = file.get(name)
    if not isinstance(dataset, h5py.Dataset):
        raise InputError(f"{path}: no data set '{name}'; there are {sorted(file)}")
    if dataset.dtype.kind not in "iu" or dataset.ndim != 1 or not dataset.size:
        raise InputError(f"{path}: '{name}' is {dataset.dtype} {dataset.shape}, expected whole numbers (n,), n > 0")
    rows = dataset[()]
    if int(rows.min()) < 0 or int(rows.max()) >= clouds:
        raise InputError(f"{path}: '{name}' has rows from {rows.min()} to {rows.max()}, outside the {clouds} clouds")
    return rows.astype(np.int64)
