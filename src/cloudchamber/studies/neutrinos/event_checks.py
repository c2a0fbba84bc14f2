"""Whether files of events hold what the study takes them for: units, detector, copies of events."""

import sys
from pathlib import Path
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.preparation.alike import cut_at
from cloudchamber.preparation.identical import fingerprints
from cloudchamber.readers.jagged import offsets_of
from cloudchamber.studies.neutrinos.events import Events
from cloudchamber.studies.neutrinos.settings import DetectorSettings

__all__ = ["FileCounts", "event_fingerprints", "refuse_other_detector"]

# So many hits tell two events apart.
_HITS = 16
# Visible energy over that of the neutrino, median of the events of a file: 0.6 in those of this study, 0.3 of neutral
# currents alone. GeV and MeV are a thousand apart, minimum ionising particles and GeV thirty.
_VISIBLE = (0.05, 3.0)
# Of all hits of a file, those that the window about the vertex shows: 0.9 in those of this study.
_LEAST_SHOWN = 0.5
# Of all hits of a file, those of each view: 0.4 to 0.6 in those of this study.
_LEAST_OF_A_VIEW = 0.1
_VIEWS = ("HitXZ", "HitYZ")


def refuse_other_detector(path: Path, events: Events, detector: DetectorSettings) -> None:
    """Refuse hits that the detector has not.

    Raises:
        InputError: a plane or a cell is outside of it.
    """
    for name, most in (("plane", detector.planes), ("cell", detector.cells)):
        values = getattr(events.hits, name)
        bad = (values < 0) | (values >= most)
        if bad.any():
            at = int(events.number[events.hits.event[bad.argmax()]])
            raise InputError(
                f"{path}: a hit of event {at} is in {name} {values[bad.argmax()]}, the detector of the settings has 0 "
                f"to {most - 1}"
            )


def event_fingerprints(events: Events, first: int = 0) -> np.ndarray:
    """Return (n,) uint64, equal for events with the same brightest hits; events without hits are copies of nothing.

    Args:
        events: some of those that are compared.
        first: how many were before them, in all files: numbers of events begin anew in each.
    """
    hits, n = events.hits, len(events)
    counts = np.bincount(hits.event, minlength=n)
    order = np.lexsort((hits.cell, hits.plane, hits.view, -hits.energy, hits.event))
    owner = hits.event[order]
    rank = np.arange(len(order)) - offsets_of(counts)[owner]
    brightest = rank < _HITS
    kept = np.zeros((n, _HITS, 3), np.float32)
    values = np.column_stack([2 * hits.plane + hits.view, hits.cell, hits.energy])[order]
    kept[owner[brightest], rank[brightest]] = values[brightest]
    found = fingerprints(kept, np.column_stack([events.energy, events.interaction, counts]), 2)
    found[counts == 0] = (first + np.flatnonzero(counts == 0)).astype(np.uint64)
    return found


@final
class FileCounts:
    """What is counted of the hits of one file, by which its units are told, and whether it has both views and all hits.

    Args:
        path: the file.
        mip: energy that a minimum ionising particle leaves in a plane [GeV].
    """

    def __init__(self, path: Path, mip: float) -> None:
        self._path, self._mip = path, mip
        self._visible: list[np.ndarray] = []
        # Numbers of hits of the events, in each view and in both.
        self._counts: list[list[np.ndarray]] = [[] for _ in (*_VIEWS, "both")]
        self._hits = self._shown = 0
        self._of_views = np.zeros(len(_VIEWS), np.int64)

    def add(self, events: Events, shown: int) -> None:
        """Count events, of whose hits so many are in the window."""
        visible = 0.5 * self._mip * np.bincount(events.hits.event, events.hits.energy, minlength=len(events))
        self._visible.append(visible / events.energy)
        self._hits += len(events.hits)
        self._shown += shown
        for view, counts in enumerate(self._counts):
            chosen = events.hits.event[(events.hits.view == view) | (view == len(_VIEWS))]
            counts.append(np.bincount(chosen, minlength=len(events)))
        self._of_views += np.bincount(events.hits.view, minlength=len(_VIEWS))

    def check(self) -> None:
        """Refuse the file where it is in other units than those that are expected, or lacks a view.

        Raises:
            InputError: by the visible energy of a typical event, the hits that are far from the vertex, or a view that
                has hardly any.
        """
        fewest = int(self._of_views.argmin())
        if self._of_views[fewest] < _LEAST_OF_A_VIEW * self._hits:
            raise InputError(
                f"{self._path}: {self._of_views[fewest]} of {self._hits} hits are in branch '{_VIEWS[fewest]}': events "
                "have two views"
            )
        typical = float(np.median(np.concatenate(self._visible)))
        if not _VISIBLE[0] < typical < _VISIBLE[1]:
            raise InputError(
                f"{self._path}: the hits of an event add up to {typical:.2g} of the energy of its neutrino (median): "
                "are Event.neutrino_energy in GeV and the energies of hits in minimum ionising particles?"
            )
        if self._shown < _LEAST_SHOWN * self._hits:
            raise InputError(
                f"{self._path}: {self._hits - self._shown} of {self._hits} hits are outside of the window about the "
                "reconstructed vertex: is Reconstructed.x, .y, .z in cm from the axis and the first plane?"
            )

    def say_cut(self) -> None:
        """Say that many events have the largest number of hits, as where their writer had no room for more."""
        for where, found in zip((*(f"'{view}'" for view in _VIEWS), "both views"), self._counts, strict=True):
            counts = np.bincount(np.concatenate([np.zeros(0, np.int64), *found]))
            most = cut_at(counts) if len(counts) else None
            if most is not None:
                sys.stderr.write(
                    f"neutrinos ingest: WARNING: {counts[most]} of {counts.sum()} events in {self._path} have {most} "
                    f"hits in {where} and none has more: were they cut?\n"
                )
