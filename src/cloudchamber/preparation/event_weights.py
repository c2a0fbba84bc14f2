"""What the events of a data set weigh: their weights in the files, times a factor of the slice that a file is of.

All weights are read from one branch of each file: the sum over a slice divides its cross section, and events that all
weigh the same get no column at all. Where one job reads all files this is before the first cloud is written; where
several do, each keeps the weights as they are until all are known.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.cloud import EVENT_WEIGHT, Column
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.preparation.stored_weights import (
    CROSS_SECTION,
    ENOUGH_EVENTS,
    SAME_PROCESS,
    StoredWeights,
    stored_weights,
)
from cloudchamber.preparation.weight_checks import check_alike, check_counted
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Step
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.wildcards import existing_files

__all__ = ["EventWeights", "combined", "read_event_weights", "weight_branch"]

# Equal weights may differ by the rounding of float32.
_ROUNDING = 1e-6
_FLOAT32 = np.finfo(np.float32)
# Of the ratio of a cross section to the one that files state, between slices: corrections and matching do less.
_CORRECTED = 10.0


@final
@dataclass(frozen=True)
class EventWeights:
    """Weights of the events of a data set.

    Attributes:
        branch: branch of the weights, None where none is read.
        factors: what the weights of each file are multiplied by; empty where all events weigh the same.
        unit: of the products, "pb" where cross sections are given.
        meta: what is to be known of them; empty where all events weigh the same.
        remark: what cross sections say against it that events of one class count alike; empty where nothing.
        repeated: which keys of cross sections have the same value; empty where none.
        misstated: which slices state cross sections of another ratio than the settings; empty where none do.
    """

    branch: str | None = None
    factors: Mapping[Path, float] = field(default_factory=dict)
    unit: str = "1"
    meta: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""
    repeated: str = ""
    misstated: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The feature of the clouds, if they need one."""
        return (Column(EVENT_WEIGHT, self.unit),) if self.factors else ()

    def summary(self) -> str:
        """Return in words what the events weigh, to follow other words."""
        remark = self.remark and (
            f"; WARNING: {self.remark}: events of one class count as they are; if files are slices of one class, give "
            "each its cross section (cross_sections)"
        )
        remark += self.repeated and (
            f"; WARNING: {self.repeated}: if they are of one process, as a sample and its extension, it counts twice, "
            "and one key has to name the files of both"
        )
        remark += self.misstated and (
            f"; WARNING: {self.misstated}: keys may have been exchanged, or one is in another unit than pb"
        )
        if not self.factors:
            return remark
        known = self.meta["event_weights"]
        skims = f"; {known['generated']:.6g} generated for {known['stored']:.6g} stored" if "generated" in known else ""
        return (
            f"{skims}; event weights of {known['events']} events count like {known['effective_events']:.4g} equal "
            f"ones, {known['negative_events']} are negative{remark}"
        )

    def branches(self, tree: EventTree) -> list[str]:
        """Return what is to be read of a file besides its clouds."""
        return [self.branch] if self.branch is not None and self.branch in tree else []

    def of(self, path: Path, step: Step) -> list[np.ndarray]:
        """Return the column of the events of a step, (n_events,) float64, if there is one."""
        return [self.factors[path] * self.stored(step)] if self.factors else []

    def stored(self, step: Step) -> np.ndarray:
        """Return what the events of a step weigh before any factor, (n_events,) float64."""
        return step.numbers.get(self.branch or "", np.ones(len(step.events)))


def read_event_weights(paths: Sequence[Path], settings: IngestionSettings) -> EventWeights:
    """Read the weights of all events of a data set.

    With cross sections the weight of an event is w sigma / sum(w), the sum over all events of the files of its slice,
    so that the weights of the clouds add up to their cross section [pb]. Without, it is w as the file has it. A file
    without the branch has w = 1.

    Args:
        paths: the files.
        settings: branch, cross sections, and what becomes of events with bad values.

    Raises:
        InputError: a branch cannot be read; a weight is not finite; some files have weights and others none; files
            without cross sections state very different ones; the weights of a slice add up to nothing; the events that
            were generated are counted in some files with cross sections and not in others.
        SettingsError: a file is of no slice or of two, or a slice has no file.
    """
    _slices(paths, _sections(settings))
    return combined({path: stored_weights(path, settings) for path in paths}, settings)


def weight_branch(stored: Iterable[StoredWeights], settings: IngestionSettings) -> str | None:
    """Return the branch that is read of files with these weights, or None."""
    return settings.weight_branch if any(found.there for found in stored) else None


def combined(stored: Mapping[Path, StoredWeights], settings: IngestionSettings) -> EventWeights:
    """Return what the events of a data set weigh, by the weights of each of its files, in their order.

    Raises:
        InputError, SettingsError: see :func:`read_event_weights`.
    """
    sections = _sections(settings)
    slices = _slices(list(stored), sections)
    unlike = [check_alike({path: stored[path] for path in files}, settings) for files in slices.values()]
    check_counted(stored)
    said = "; ".join(filter(None, unlike)), _repeated(sections), _misstated(stored, slices, sections)
    factors: dict[Path, float] = {}
    for key, files in slices.items():
        total = sum(stored[path].generated for path in files)
        if key is not None and not total > 0:
            raise InputError(f"{files[0]}: the weights of all events of '{key}' add up to {total:g}")
        factors |= dict.fromkeys(files, 1.0 if key is None else sections[key] / total)
    limits = [factors[path] * value for path, found in stored.items() for value in (found.low, found.high)]
    largest = max(map(abs, limits), default=0.0)
    branch = weight_branch(stored.values(), settings)
    if not limits or max(limits) - min(limits) <= _ROUNDING * largest:
        return EventWeights(branch, {}, "1", {}, *said)
    smallest = min(abs(factors[path]) * found.smallest for path, found in stored.items())
    if largest > _FLOAT32.max or smallest < _FLOAT32.tiny:
        raise InputError(
            f"{next(iter(stored))}: event weights reach from {smallest:g} to {largest:g}, too far for float32"
        )
    unit = "1" if None in slices else "pb"
    return EventWeights(branch, factors, unit, _meta(stored, factors, slices, settings), *said)


def _sections(settings: IngestionSettings) -> Mapping[str, float]:
    return {} if settings.cross_sections == "ignore" else settings.cross_sections


def _repeated(sections: Mapping[str, float]) -> str:
    """Return which two keys have the same cross section, or nothing: those of two processes differ in some digit."""
    first: dict[float, str] = {}
    for key, section in sections.items():
        if first.setdefault(section, key) != key:
            return f"cross_sections are {section:g} pb of '{first[section]}' and of '{key}'"
    return ""


def _misstated(
    stored: Mapping[Path, StoredWeights], slices: Mapping[str | None, Sequence[Path]], sections: Mapping[str, float]
) -> str:
    """Return which two slices state cross sections of another ratio than the settings, or nothing.

    A ratio, since files may have them in mb; and as well that per event, since some generators write running sums of
    weights, which say nothing where all weigh the same.
    """
    known = {
        key: max((stored[path] for path in files), key=lambda found: found.cross_section)
        for key, files in slices.items()
        if key is not None
    }
    known = {key: found for key, found in known.items() if found.cross_section > 0 and found.events >= ENOUGH_EVENTS}
    per_event = {key: found.cross_section / found.events for key, found in known.items()}
    if not known or max(per_event.values()) <= SAME_PROCESS * min(per_event.values()):
        return ""
    for stated in (per_event, {key: found.cross_section for key, found in known.items()}):
        ratios = {key: sections[key] / value for key, value in stated.items()}
        if max(ratios.values()) <= _CORRECTED * min(ratios.values()):
            return ""
    low, high = (choose(ratios, key=ratios.__getitem__) for choose in (min, max))
    return (
        f"cross_sections are {sections[low]:g} pb of '{low}' and {sections[high]:g} pb of '{high}', '{CROSS_SECTION}' "
        f"is {known[low].cross_section:g} and {known[high].cross_section:g} there"
    )


def _slices(paths: Sequence[Path], cross_sections: Mapping[str, float]) -> dict[str | None, list[Path]]:
    """Return the files of each slice; without cross sections all are of the slice None."""
    if not cross_sections:
        return {None: list(paths)}
    named = {key: {file.resolve() for file in existing_files([key])} for key in cross_sections}
    slices: dict[str | None, list[Path]] = {key: [] for key in cross_sections}
    for path in paths:
        keys = [key for key, files in named.items() if path.resolve() in files]
        if len(keys) != 1:
            which = f"both '{keys[0]}' and '{keys[1]}' name" if keys else "no key names"
            raise SettingsError(f"cross_sections: {which} the file {path}; each file needs one")
        slices[keys[0]].append(path)
    empty = [key for key, files in slices.items() if not files]
    if empty:
        raise SettingsError(f"cross_sections: '{empty[0]}' names none of the files that are read")
    return slices


def _meta(
    stored: Mapping[Path, StoredWeights],
    factors: Mapping[Path, float],
    slices: Mapping[str | None, Sequence[Path]],
    settings: IngestionSettings,
) -> dict[str, Any]:
    total, squares = (
        sum(factors[path] ** power * getattr(found, name) for path, found in stored.items())
        for power, name in ((1, "total"), (2, "squares"))
    )
    described = {
        "branch": settings.weight_branch,
        "events": sum(found.events for found in stored.values()),
        "sum": total,
        "effective_events": total**2 / squares,
        "negative_events": sum(found.negative for found in stored.values()),
    }
    generated = sum(found.generated for found in stored.values())
    of_events = sum(found.total for found in stored.values())
    if generated != of_events:
        described |= {"generated": generated, "stored": of_events}
    if None not in slices:
        described["factors"] = {str(key): factors[files[0]] for key, files in slices.items()}
    return {"event_weights": described}
