"""Events as packed clouds of pixels: one cloud an event, its hits as points, its true prongs as features and labels."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.cloud import Column
from cloudchamber.errors import InputError
from cloudchamber.packed_cloud_file import PackedCloudFile, open_packed_clouds
from cloudchamber.packed_cloud_writer import PackedCloudWriter, create_packed_clouds
from cloudchamber.packed_clouds import PackedPart
from cloudchamber.studies.neutrinos.names import INTERACTIONS, PRONGS

__all__ = ["PARTS", "REST", "EventClouds", "Window", "create_event_clouds", "read_event_clouds", "refuse_bad_events"]

PARTS = ("train", "validation", "test")
_POINTS = (Column("view"), Column("plane"), Column("cell"), Column("energy", "mip"), Column("prong"))
_KINEMATICS = (Column("neutrino_energy", "GeV"), Column("q2", "GeV^2"), Column("x"), Column("y"), Column("w", "GeV"))
# True visible energy of what has no prong of its own in the cloud, electrons and photons as "light".
REST = ("muon", "light", "proton", "pion", "other")
_OF_PRONG = (
    Column("visible", "GeV"),
    Column("direction_x"),
    Column("direction_y"),
    Column("direction_z"),
    Column("length", "cm"),
    Column("contained"),
)
_EVENT = (*_KINEMATICS, *(Column(f"rest_{name}", "GeV") for name in REST))
_LABELS = (Column("event"), Column("interaction"), Column("neutrino_pdg"), Column("prongs"))


@final
@dataclass(frozen=True)
class Window:
    """What clouds show, and how a hit's energy becomes one in GeV.

    Attributes:
        planes, cells: of the window in each view.
        upstream: planes before that of the reconstructed vertex.
        prongs: most prongs of an event.
        mip: energy that a minimum ionising particle leaves in a plane [GeV].
    """

    planes: int
    cells: int
    upstream: int
    prongs: int
    mip: float


@final
@dataclass(frozen=True)
class EventClouds:
    """All events of a file.

    Attributes:
        path: the file.
        window: what clouds show.
        points: (M, 5) float32: view, plane, cell, energy, prong (-1 for none), event after event.
        counts: (N,) int64 hits of each event.
        interaction: (N,) int64.
        energy: (N,) of the neutrino [GeV].
        number: (N,) int64 of the event.
        prong_class: (N, P) int64, -1 where there is no prong.
        truth: (N, P, 6) float32: visible [GeV], direction, length [cm], contained; zero where there is no prong.
        rest: (N, 5) float32 true visible energy of particles without a prong in the cloud, by ``REST`` [GeV].
        parts: rows of "train", "validation" and "test".
        meta: what describes the events.
    """

    path: Path
    window: Window
    points: np.ndarray
    counts: np.ndarray
    interaction: np.ndarray
    energy: np.ndarray
    number: np.ndarray
    prong_class: np.ndarray
    truth: np.ndarray
    rest: np.ndarray
    parts: Mapping[str, np.ndarray]
    meta: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def offsets(self) -> np.ndarray:
        """(N + 1,) int64, first hit of each event, and behind the last."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def prong_mask(self) -> np.ndarray:
        """(N, P) bool, true for prongs, which come first."""
        return self.prong_class >= 0

    @property
    def visible_energy(self) -> np.ndarray:
        """(N,) energy of all hits of both views, halved [GeV]."""
        owners = np.repeat(np.arange(len(self)), self.counts)
        return 0.5 * self.window.mip * np.bincount(owners, self.points[:, 3], minlength=len(self))

    def hits(self, row: int) -> np.ndarray:
        """Return the (m, 5) hits of one event."""
        offsets = self.offsets
        return self.points[offsets[row] : offsets[row + 1]]


@contextmanager
def create_event_clouds(path: Path, window: Window) -> Iterator[PackedCloudWriter]:
    """Open a new file of events.

    Raises:
        StorageError: the file cannot be written.
    """
    columns = [
        Column(f"prong{number}_{column.name}", column.unit) for number in range(window.prongs) for column in _OF_PRONG
    ]
    classes = [Column(f"prong{number}_class") for number in range(window.prongs)]
    with create_packed_clouds(path, _POINTS, (*_EVENT, *columns), (*_LABELS, *classes)) as writer:
        yield writer


def read_event_clouds(path: str | Path, parts: Sequence[str] = PARTS) -> EventClouds:
    """Return the events of a file.

    Args:
        path: the file.
        parts: which it must have, none of them empty.

    Raises:
        InputError: it cannot be used, has other columns, a part is missing or empty, or a value is none that an event
            has.
    """
    with open_packed_clouds(path) as clouds:
        window = _window(clouds)
        names = [f"prong{number}_class" for number in range(window.prongs)]
        if clouds.point_columns != _POINTS or [c.name for c in clouds.label_columns[4:]] != names:
            raise InputError(f"{path}: no neutrino events: points {[c.name for c in clouds.point_columns]}")
        if len(clouds.feature_columns) != len(_EVENT) + window.prongs * len(_OF_PRONG):
            raise InputError(f"{path}: {len(clouds.feature_columns)} features are not those of {window.prongs} prongs")
        for name in parts:
            if not len(clouds.part(name)):
                raise InputError(f"{path}: the part '{name}' is empty")
        every: PackedPart = clouds.take(np.arange(len(clouds)))
        events = EventClouds(
            path=Path(path),
            window=window,
            points=every.points,
            counts=every.counts,
            interaction=clouds.label("interaction"),
            energy=clouds.feature("neutrino_energy").astype(np.float64),
            number=clouds.label("event"),
            prong_class=clouds.labels[:, len(_LABELS) :],
            truth=clouds.features[:, len(_EVENT) :].reshape(len(clouds), window.prongs, len(_OF_PRONG)),
            rest=clouds.features[:, len(_KINEMATICS) : len(_EVENT)],
            parts=clouds.indices,
            meta=clouds.meta,
        )
    refuse_bad_events(events)
    return events


def _window(clouds: PackedCloudFile) -> Window:
    try:
        return Window(**clouds.meta["window"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{clouds.path}: no neutrino events: 'window' of its meta data is missing or wrong") from error


def refuse_bad_events(events: EventClouds) -> None:
    """Refuse hits and labels that no event has.

    Raises:
        InputError: there are some.
    """
    view, plane, cell, energy, prong = events.points.T
    window = events.window
    owners = np.repeat(np.arange(len(events)), events.counts)
    faults = {
        "a view that is none": ~np.isin(view, (0, 1)),
        "a plane outside of the window": ~((plane >= 0) & (plane < window.planes)),
        "a cell outside of the window": ~((cell >= 0) & (cell < window.cells)),
        "an energy that is not positive": ~(energy > 0) | ~np.isfinite(energy),
        "a prong that is not there": ~((prong >= -1) & (prong < events.prong_mask.sum(axis=1)[owners])),
    }
    for what, bad in faults.items():
        if bad.any():
            raise InputError(f"{events.path}: a hit with {what} in event {owners[bad.argmax()]}")
    if not np.isin(events.interaction, range(len(INTERACTIONS))).all():
        raise InputError(f"{events.path}: a label 'interaction' that is none of {list(INTERACTIONS)}")
    if not ((events.prong_class >= -1) & (events.prong_class < len(PRONGS))).all():
        raise InputError(f"{events.path}: a class of a prong that is none of {list(PRONGS)}")
    if (events.prong_mask[:, 1:] & ~events.prong_mask[:, :-1]).any():
        raise InputError(f"{events.path}: the prongs of an event do not come first")
    if not (np.isfinite(events.truth).all() and np.isfinite(events.rest).all()):
        raise InputError(f"{events.path}: a true value of a prong is not finite")
