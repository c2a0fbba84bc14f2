"""Constituents of Delphes events: which collections and leaves hold them, and one flat table of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from cloudchamber.cloud import Column
from cloudchamber.errors import InputError
from cloudchamber.particle_codes import INVISIBLE
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Jagged, Step, offsets_of
from cloudchamber.readers.nanoaod import CANDIDATES
from cloudchamber.readers.whole_numbers import in_single_precision
from cloudchamber.settings.ingestion import Constituents, EnergyFlow

__all__ = [
    "VISIBLE_LEAVES",
    "ConstituentTable",
    "absent_collections",
    "bad_values",
    "candidate_collections",
    "constituent_collections",
    "constituent_leaves",
    "detector_view",
    "gather",
    "merge",
    "point_columns",
    "pt_leaves",
    "refuse_rounded",
    "visible",
]

VISIBLE_LEAVES = ("Particle.Status", "Particle.PID")

_ENERGY_FLOW = ("EFlowTrack", "EFlowPhoton", "EFlowNeutralHadron")
_CANDIDATES = ("Tower", *_ENERGY_FLOW, "ParticleFlowCandidate")
# Objects of the class Tower store the transverse energy: the pT of a massless constituent.
_WITH_ET = {"Tower", "EFlowPhoton", "EFlowNeutralHadron"}
# What Delphes writes for objects parallel to the beam, and for energy-flow tracks that lost all their momentum.
_NO_DIRECTION = np.float32(999.9)
# No particle is beyond these; within them all sums are finite in float32.
_ETA_LIMIT, _PT_LIMIT = 50.0, 1e9
# Azimuths are written from minus pi, from 0, or without taking turns off; degrees are beyond.
_PHI_LIMIT = 2 * np.pi + 1
_FLOAT_LIMIT = np.finfo(np.float32).max
_UNITS = {
    "GeV": ("E", "ET", "PT", "P", "Px", "Py", "Pz", "Mass", "Eem", "Ehad", "Etrk"),
    "mm": ("X", "Y", "Z", "XOuter", "YOuter", "ZOuter", "D0", "DZ"),
    "s": ("T", "TOuter"),
}


@final
@dataclass(frozen=True)
class ConstituentTable:
    """All constituents of some events, taken as massless.

    Attributes:
        columns: (F, total) float32: pT [GeV], eta, phi [rad], further leaves.
        offsets: (n_events + 1,) int64.
    """

    columns: np.ndarray
    offsets: np.ndarray

    @property
    def with_direction(self) -> np.ndarray:
        """(total,) bool, false where Delphes has no direction to write.

        That is Eta = +-999.9. Objects without a transverse momentum, as tracks that a subtraction of pile-up took out,
        have in other versions the Eta of where they meet the calorimeter, and Phi = 0 which is none.
        """
        return (np.abs(self.columns[1]) < _ETA_LIMIT) & (self.columns[0] > 0)

    def keep(self, constituents: np.ndarray) -> "ConstituentTable":
        """Return all events with only the constituents where the mask is true."""
        if constituents.all():
            return self
        return ConstituentTable(self.columns[:, constituents], offsets_of(constituents)[self.offsets])


def point_columns(extra: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return names and units of the columns of a :class:`ConstituentTable` with the leaves ``extra``."""
    units = {leaf: unit for unit, leaves in _UNITS.items() for leaf in leaves}
    further = (Column(leaf, units.get(leaf, "1")) for leaf in extra)
    return (Column("pt", "GeV"), Column("eta"), Column("phi", "rad"), *further)


def constituent_collections(
    tree: EventTree, kind: Constituents, chosen: Sequence[EnergyFlow] | None = None
) -> tuple[str, ...]:
    """Return the collections that hold the constituents of a kind.

    Energy flow is what was ``chosen``; else ``ParticleFlowCandidate`` in files that have it (cards with pile-up
    subtraction), else the three collections ``EFlow*``.
    """
    if chosen is not None:
        return tuple(chosen)
    if kind == "tower":
        return ("Tower",)
    if kind == "particle":
        return ("Particle",)
    if kind == "candidate":
        return (CANDIDATES,)
    return ("ParticleFlowCandidate",) if "ParticleFlowCandidate.PT" in tree else _ENERGY_FLOW


def candidate_collections(tree: EventTree, jets: str) -> tuple[str, ...]:
    """Return the collections of the file that constituents of stored jets can be in.

    Jets of the generator (``GenJet``, ...) are made of ``Particle``, all others of what the detector saw.
    """
    candidates = _candidates(jets)
    return tuple(name for name in candidates if name in tree.collections) or candidates[:1]


def absent_collections(tree: EventTree, jets: str) -> tuple[str, ...]:
    """Return the collections that constituents of stored jets can be in, and that the file does not have."""
    return tuple(name for name in _candidates(jets) if name not in tree.collections)


def _candidates(jets: str) -> tuple[str, ...]:
    return ("Particle",) if jets.startswith("Gen") else _CANDIDATES


def detector_view(collections: Sequence[str]) -> frozenset[str]:
    """Return which views of an event the collections belong to: those of energy flow that are read together are one."""
    return frozenset("EFlow" if name in _ENERGY_FLOW else name for name in collections)


def pt_leaves(collections: Sequence[str]) -> list[str]:
    """Return the full names of the leaves with the pT of constituents."""
    return [_kinematic_leaves(name, ())[0] for name in collections]


def _kinematic_leaves(collection: str, extra: Sequence[str]) -> list[str]:
    pt = "ET" if collection in _WITH_ET else "PT"
    return [f"{collection}.{leaf}" for leaf in (pt, "Eta", "Phi", *extra)]


def constituent_leaves(collections: Sequence[str], extra: Sequence[str] = ()) -> list[str]:
    """Return the full names of the leaves that :func:`gather` needs for the same arguments."""
    return [name for collection in collections for name in _kinematic_leaves(collection, extra)]


def gather(step: Step, collections: Sequence[str], extra: Sequence[str] = ()) -> ConstituentTable:
    """Return the constituents of all events, within an event one collection after the other.

    Args:
        step: the events.
        collections: where the constituents are.
        extra: further leaves to keep.
    """
    rows = zip(*(_kinematic_leaves(collection, extra) for collection in collections), strict=True)
    leaves = [merge([step.leaves[name] for name in names]) for names in rows]
    return ConstituentTable(np.stack([leaf.values.astype(np.float32) for leaf in leaves]), leaves[0].offsets)


def refuse_rounded(step: Step, collections: Sequence[str], extra: Sequence[str], path: Path) -> None:
    """Refuse whole numbers of the leaves ``extra`` that single precision, in which clouds hold them, makes others.

    Raises:
        InputError: such as the codes of nuclei; the message names file, leaf and event.
    """
    for name in (f"{collection}.{leaf}" for collection in collections for leaf in extra):
        lists = step.leaves[name]
        if lists.values.dtype.kind not in "iu":
            continue
        rounded = in_single_precision(lists.values)
        wrong = np.flatnonzero(rounded != lists.values)
        if len(wrong):
            event = step.events[np.searchsorted(lists.offsets, wrong[0], side="right") - 1]
            raise InputError(
                f"{path}: '{name}' is {lists.values[wrong[0]]} in event {event}, which the single precision of clouds "
                f"makes {rounded[wrong[0]]:.0f}: leave '{name.partition('.')[2]}' out of extra_leaves"
            )


def visible(step: Step) -> np.ndarray:
    """Return which generator particles a perfect detector would see: those of status 1, without neutrinos
    and what else is invisible.

    Needs the leaves :data:`VISIBLE_LEAVES`.
    """
    status, pid = (step.leaves[name].values for name in VISIBLE_LEAVES)
    return (status == 1) & ~np.isin(np.abs(pid), INVISIBLE)


def merge(parts: Sequence[Jagged]) -> Jagged:
    """Join the lists of several leaves event by event."""
    if len(parts) == 1:
        return parts[0]
    offsets = np.sum([part.offsets for part in parts], axis=0)
    values = np.empty(offsets[-1], np.result_type(*(part.values for part in parts)))
    starts = offsets[:-1].copy()
    for part in parts:
        shift = np.repeat(starts - part.offsets[:-1], part.counts)
        values[np.arange(len(part.values)) + shift] = part.values
        starts += part.counts
    return Jagged(values, offsets)


def bad_values(step: Step) -> Mapping[str, np.ndarray]:
    """Return, for each leaf or number with bad values, the mask (n_events,) of the events that have them.

    Bad are NaN, infinity, a negative pT or ET, a pT or eta that no particle has, and an azimuth beyond a turn.
    """
    found = {name: bad for name, values in step.numbers.items() if (bad := ~np.isfinite(values)).any()}
    for name, leaf in step.leaves.items():
        bad = _bad(name.rpartition(".")[2], leaf.values)
        if bad.any():
            events = np.zeros(len(leaf), bool)
            events[np.searchsorted(leaf.offsets, np.flatnonzero(bad), side="right") - 1] = True
            found[name] = events
    return found


def _bad(leaf: str, values: np.ndarray) -> np.ndarray:
    if leaf in ("PT", "ET"):
        return ~((values >= 0) & (values <= _PT_LIMIT))
    size = np.abs(values)
    if leaf == "Eta":
        return ~((size <= _ETA_LIMIT) | (size == _NO_DIRECTION))
    return ~(size <= (_PHI_LIMIT if leaf == "Phi" else _FLOAT_LIMIT))
