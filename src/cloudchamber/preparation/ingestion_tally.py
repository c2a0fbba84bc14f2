"""What an ingestion reads of raw files, and what of it does not become clouds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self, final

from cloudchamber.errors import InputError
from cloudchamber.preparation.alike import FileContent, difference, unlikely_unit
from cloudchamber.preparation.cloud_counts import CloudCounts
from cloudchamber.preparation.raw_clouds import RawClouds
from cloudchamber.preparation.stored_counts import StoredCounts
from cloudchamber.readers.jagged import Step
from cloudchamber.settings.ingestion import EventConstituents, IngestionSettings

__all__ = ["IngestionTally"]


@final
@dataclass
class IngestionTally:
    """What was read, and what was left out of the clouds.

    Attributes:
        compares: whether files are compared as they come, all with the first one of the data set and with those before
            them. Those of a group are compared once the groups are joined.
        contents: what was read of the first file, or of each file that is still to be compared.
        alike: what was read of the first file and of those that are like it, together: a first file may be too small to
            tell anything.
        mixed: how files differ from these, or some of their events from others, by path.
        apart: the latter.
    """

    compares: bool = True

    events: int = 0
    events_bad: int = 0
    events_without_constituents: int = 0
    without_direction: int = 0
    pile_up: int = 0
    pile_up_left_out: int = 0
    jets_unmatched: int = 0
    not_accepted: int = 0
    stored: StoredCounts = field(default_factory=StoredCounts)
    contents: list[FileContent] = field(default_factory=list)
    alike: FileContent | None = None
    mixed: dict[str, str] = field(default_factory=dict)
    apart: set[str] = field(default_factory=set)
    collections: set[str] = field(default_factory=set)
    pile_up_by: set[str] = field(default_factory=set)
    unlikely: str | None = None

    def add_step(self, step: Step, good: Step, raw: RawClouds) -> None:
        self.events += len(step.events)
        self.events_bad += len(step.events) - len(good.events)
        self.events_without_constituents += int((~raw.with_constituents).sum())
        self.without_direction += raw.without_direction
        self.pile_up += int(raw.pile_up.sum())
        self.pile_up_left_out += raw.pile_up_left_out
        self.jets_unmatched += raw.unmatched
        self.not_accepted += raw.not_accepted
        self.stored += raw.stored

    def compare(self, content: FileContent, settings: IngestionSettings) -> None:
        """Compare a file with the first one and with those before it; refuse it, or note it, where they differ or its
        own events do."""
        if not self.compares:
            return
        found = content.apart
        if found is None and self.alike is not None:
            found = difference(self.contents[0], content) or difference(self.alike, content)
        if found is None:
            return
        if settings.mixed_files == "fail":
            by_name = isinstance(settings.clouds, EventConstituents) and settings.clouds.constituents == "energy_flow"
            ways = f"{'collections names what to read, ' if by_name else ''}mixed_files: accept takes both"
            raise InputError(f"{content.path}: {found} {ways}")
        self.mixed[str(content.path)] = found
        if found == content.apart:
            self.apart.add(str(content.path))

    def keep(self, content: FileContent) -> None:
        """Keep what was read of a file as long as others are to be compared with it, or it with others."""
        self.unlikely = self.unlikely or unlikely_unit(content.path, content.typical_pt)
        if not self.contents or not self.compares:
            self.contents.append(content)
        if self.alike is None:
            self.alike = content
        elif str(content.path) not in self.mixed:
            self.alike = self.alike.joined(content)

    def add_group(self, other: "IngestionTally", settings: IngestionSettings) -> None:
        """Count what a group of further files had, and compare its files with the first one of all."""
        for content in other.contents:
            self.compare(content, settings)
            self.keep(content)
        for name in _COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.stored += other.stored
        self.collections |= other.collections
        self.pile_up_by |= other.pile_up_by

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        contents = [
            {
                **asdict(content),
                "path": str(content.path),
                "leaves": {name: sorted(leaves) for name, leaves in content.leaves.items()},
            }
            for content in self.contents
        ]
        counted = {name: getattr(self, name) for name in _COUNTED}
        sets = {"collections": sorted(self.collections), "pile_up_by": sorted(self.pile_up_by)}
        return {**counted, **sets, "stored": asdict(self.stored), "contents": contents}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the tally that :meth:`to_json` described."""
        contents = [
            FileContent(
                Path(content["path"]),
                tuple(content["collections"]),
                {name: frozenset(leaves) for name, leaves in content["leaves"].items()},
                content["cells"],
                content["log_pt_sum"],
                content["constituents"],
                content["events"],
                content["pile_up"],
                content["apart"],
            )
            for content in value["contents"]
        ]
        stored = StoredCounts(**{**value["stored"], "closure_sum": tuple(value["stored"]["closure_sum"])})
        made = cls(stored=stored, contents=contents)
        made.collections, made.pile_up_by = set(value["collections"]), set(value["pile_up_by"])
        for name in _COUNTED:
            setattr(made, name, value[name])
        return made

    def meta(self) -> dict[str, Any]:
        return {
            "events": {
                "read": self.events,
                "without_constituents": self.events_without_constituents,
                "skipped_bad_values": self.events_bad,
                "not_accepted": self.not_accepted,
            },
            "truth": {"jets_unmatched": self.jets_unmatched},
            "constituents": {
                "collections": sorted(self.collections),
                "massless": True,
                "without_direction": self.without_direction,
            },
            **self._of_alike_files(),
            "mixed_files": self.mixed,
            "pile_up": {
                "constituents": self.pile_up,
                "left_out": self.pile_up_left_out,
                "told_by": sorted(self.pile_up_by),
            },
            **self.stored.meta(),
        }

    def _of_alike_files(self) -> dict[str, Any]:
        """Return what was read of the first file and of those that are like it."""
        if self.alike is None:
            return {}
        leaves = {name: sorted(leaves) for name, leaves in self.alike.leaves.items()}
        return {"leaves": leaves, "cells": {name: dict(cells) for name, cells in self.alike.cells.items()}}

    def summary(self, counts: CloudCounts, paths: Sequence[Path]) -> str:
        """Return one line: what was made, what was left out."""
        parts = [
            f"{len(counts.content)} clouds of {self.events} events",
            f"{self.events_without_constituents} events without constituents",
            f"{self.events_bad} skipped for bad values",
            counts.summary(paths),
        ]
        if unlike := len(self.mixed) - len(self.apart):
            parts.append(f"{unlike} of the files differ from the first in what is read")
        if self.apart:
            parts.append(f"{len(self.apart)} of the files have events that differ in what is read")
        if self.unlikely is not None:
            parts.append(self.unlikely)
        if self.without_direction:
            parts.append(f"{self.without_direction} constituents without momentum or direction left out")
        if self.pile_up:
            fate = "left out" if self.pile_up_left_out else "kept"
            parts.append(f"{self.pile_up} constituents from pile-up {fate}")
        if self.stored.chosen:
            parts.append(self.stored.summary())
        if self.not_accepted:
            parts.append(f"{self.not_accepted} events left out by the selection")
        if self.jets_unmatched:
            parts.append(f"{self.jets_unmatched} jets left out by the truth match")
        return "; ".join(parts)


_COUNTED = (
    "events",
    "events_bad",
    "events_without_constituents",
    "without_direction",
    "pile_up",
    "pile_up_left_out",
    "jets_unmatched",
    "not_accepted",
)
