"""Whether the files of one data set are alike: what was read of each has to mean the same."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np

from cloudchamber.preparation.cells import CellSizes, cell_sizes, other_cells
from cloudchamber.preparation.pile_up_amounts import events_differ, pile_up_differs
from cloudchamber.preparation.raw_clouds import CloudSource, RawClouds
from cloudchamber.readers.constituents import detector_view, pt_leaves
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Step

__all__ = [
    "FileContent",
    "cells_differ",
    "cut_at",
    "difference",
    "in_other_units",
    "leaves_differ",
    "units_differ",
    "unlikely_unit",
]

# The geometric mean of pT is 0.3 to 4 GeV in all files of Delphes that were looked at, whatever the process and the
# card; GeV and MeV are a thousand apart.
_LARGEST_RATIO = 50.0
# The numbers of constituents of jets fall off gently. Jets that were cut pile up at the largest number.
_FEWEST_CUT, _LOWEST_CUT, _STEP = 20, 10, 2
_EVENTS_WITH_CELLS = 100
_PUT_TOGETHER = "was it put together of files of two cards?"
# Wide enough for partons without a shower.
_LIKELY = (0.01, 250.0)


@final
@dataclass
class FileContent:
    """What was read of one file, or of several that are alike.

    Attributes:
        path: the file, or the first.
        collections: where the constituents are.
        leaves: of each collection that is read, all that the file has.
        cells: of each collection of constituents, how many calorimeter cells of the first events have which size.
        apart: how some of its events differ from others, where it was put together of files that are not alike.
        log_pt_sum, constituents: sum of ln(pT / GeV) of the constituents with pT > 0, and how many these are.
        events: how many.
        pile_up: how many constituents come from pile-up and are kept, None where the file does not tell.
        more: how many files there are beside the first.
    """

    path: Path
    collections: tuple[str, ...]
    leaves: Mapping[str, frozenset[str]]
    cells: Mapping[str, CellSizes] = field(default_factory=dict)
    log_pt_sum: float = 0.0
    constituents: int = 0
    events: int = 0
    pile_up: int | None = None
    apart: str | None = None
    more: int = 0

    @classmethod
    def of(cls, tree: EventTree, source: CloudSource) -> "FileContent":
        names = {name.partition(".")[0] for name in (*source.leaves, *source.references)}
        some, n = min(_EVENTS_WITH_CELLS, tree.n_events // 2), tree.n_events
        cells, first, last = (
            {name: cell_sizes(tree.cell_edges(name, *events)) for name in source.collections}
            for events in ((0, _EVENTS_WITH_CELLS), (0, some), (n - some, n))
        )
        found = cells_differ(first, last, "in its first events")
        leaves = {name: tree.leaves_of(name) for name in sorted(names)}
        return cls(
            tree.path,
            source.collections,
            leaves,
            cells,
            pile_up=0 if source.pile_up_by else None,
            apart=None if found is None else f"{found}: {_PUT_TOGETHER}",
        )

    def add(self, step: Step, raw: RawClouds) -> None:
        """Count the events of a step and their constituents.

        Args:
            step: the events.
            raw: what became of them.
        """
        self.events += len(step.events)
        if self.pile_up is not None:
            self.pile_up += int(raw.pile_up.sum()) - raw.pile_up_left_out
        for name in pt_leaves(self.collections):
            pt = step.leaves[name].values
            pt = pt[pt > 0]
            self.log_pt_sum += float(np.log(pt, dtype=np.float64).sum())
            self.constituents += len(pt)

    def compare_events(self, pile_up: np.ndarray) -> None:
        """Compare the first events with the rest, by (n,) constituents from pile-up that are kept of each."""
        found = events_differ(pile_up)
        if self.apart is None and found is not None:
            self.apart = f"{found}: {_PUT_TOGETHER}"

    def joined(self, other: "FileContent") -> "FileContent":
        """Return what was read of these files and of others that are like them."""
        # Events of files that do not tell say nothing of the pile-up in the others.
        telling = [content for content in (self, other) if content.pile_up is not None] or [self, other]
        return FileContent(
            self.path,
            self.collections,
            {**other.leaves, **self.leaves},
            {
                name: dict(sorted((Counter(self.cells.get(name)) + Counter(other.cells.get(name))).items()))
                for name in sorted(self.cells.keys() | other.cells.keys())
            },
            self.log_pt_sum + other.log_pt_sum,
            self.constituents + other.constituents,
            sum(content.events for content in telling),
            None if telling[0].pile_up is None else sum(content.pile_up or 0 for content in telling),
            more=self.more + other.more + 1,
        )

    @property
    def where(self) -> str:
        """The files in words."""
        return f"{self.path} and {self.more} more" if self.more else str(self.path)

    @property
    def typical_pt(self) -> float | None:
        """Geometric mean of the pT of the constituents [GeV]; None without any."""
        return float(np.exp(self.log_pt_sum / self.constituents)) if self.constituents else None


def difference(first: FileContent, other: FileContent) -> str | None:
    """Say how ``other`` differs from ``first`` in what is read, or return None. Units are compared once both are read.

    Jets of one file may be made of fewer kinds of energy-flow objects than those of another.
    """
    if detector_view(first.collections) != detector_view(other.collections):
        return (
            f"constituents are in {_names(other.collections)}, in {first.where} they are in "
            f"{_names(first.collections)}: are the files of two cards?"
        )
    found = leaves_differ(first.leaves, other.leaves)
    if found is not None:
        return f"{found}, unlike {first.where}: are the files of two versions of Delphes?"
    found = cells_differ(first.cells, other.cells, f"in {first.where}")
    if found is not None:
        return f"{found}: are the files of two cards?"
    found = pile_up_differs((first.pile_up, first.events), (other.pile_up, other.events), f"in {first.where}")
    if found is not None:
        return f"{found}: are the files of cards with other pile-up?"
    return units_differ(first.where, first.typical_pt, other.typical_pt)


def leaves_differ(mine: Mapping[str, Collection[str]], its: Mapping[str, Collection[str]]) -> str | None:
    """Say which leaves of a collection only the second of two files has, and which it lacks, or return None."""
    for collection in sorted(mine.keys() & its.keys()):
        one, other = set(mine[collection]), set(its[collection])
        if one != other:
            parts = [
                f"{what} {_names([f'{collection}.{leaf}' for leaf in sorted(leaves)])}"
                for what, leaves in (("has", other - one), ("lacks", one - other))
                if leaves
            ]
            return " and ".join(parts)
    return None


def cells_differ(mine: Mapping[str, CellSizes], its: Mapping[str, CellSizes], where: str) -> str | None:
    """Say that the calorimeter cells of a collection have other sizes in the second of two files, or return None.

    Args:
        mine, its: cells of each collection of both.
        where: what the first is, in words.
    """
    for collection in sorted(mine.keys() & its.keys()):
        found = other_cells(mine[collection], its[collection])
        if found is not None:
            return f"cells of {collection} have the size {found[1]} in eta and phi, {where} {found[0]}"
    return None


def in_other_units(pt: float | None, its_pt: float | None) -> bool:
    """Return whether two geometric means of pT are too far apart for one unit."""
    return bool(pt and its_pt and not 1 / _LARGEST_RATIO < its_pt / pt < _LARGEST_RATIO)


def units_differ(first: Path | str, pt: float | None, its_pt: float | None) -> str | None:
    """Say that the geometric means of pT of the first and of another file are in different units, or return None."""
    if in_other_units(pt, its_pt):
        return (
            f"the typical pT of constituents is {its_pt:.3g}, in {first} it is {pt:.3g}: "
            "are the files in different units?"
        )
    return None


def unlikely_unit(path: Path, pt: float | None) -> str | None:
    """Say that the geometric mean of pT of a file is far from that of other files in GeV, or return None."""
    if pt is None or _LIKELY[0] < pt < _LIKELY[1]:
        return None
    return f"WARNING: the typical pT of constituents is {pt:.3g} in {path}, which is taken as GeV: is that its unit?"


def cut_at(jets: np.ndarray, lowest: int = _LOWEST_CUT) -> int | None:
    """Return the number of constituents that jets were cut to before they were read, or None where nothing tells.

    Args:
        jets: (n,) how many jets have 0, 1, ... constituents; the last is not zero.
        lowest: smallest number that is taken for a cut.

    Example:
        >>> gently = np.array([0] * 20 + [30] * 20 + [20, 9, 4, 1])
        >>> cut_at(gently), cut_at(np.append(gently[:35], gently[35:].sum()))
        (None, 35)
    """
    most = len(jets) - 1
    if most < lowest or jets[most] < _FEWEST_CUT or jets[most] <= _STEP * jets[most - 1]:
        return None
    return most


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
