"""The weights of the events of one file, as they are in it."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.readers.jagged import Step
from cloudchamber.readers.nanoaod_runs import generated_sum
from cloudchamber.readers.open_events import open_events
from cloudchamber.settings.ingestion import IngestionSettings

__all__ = ["CROSS_SECTION", "ENOUGH_EVENTS", "SAME_PROCESS", "StoredWeights", "stored_weights"]

CROSS_SECTION = "Event.CrossSection"
_GEN_WEIGHT = "genWeight"
# Files may lack these without a word: who names another branch has it.
_USUAL = {"delphes": "Event.Weight", "nanoaod": _GEN_WEIGHT, "hepmc": "Event.Weight"}
# Estimates of one cross section from so many events differ by less.
SAME_PROCESS = 2.0
ENOUGH_EVENTS = 50
# What Runs says of all events that are there; its sums may be of float32.
_SAME_SUM = 1e-3


@final
@dataclass(frozen=True)
class StoredWeights:
    """The weights of one file: their number, sums and limits; and the last cross section that it states [pb], or 0.

    ``generated`` is their sum before any selection, where the file knows it (``counted``), else that of the events in
    it.
    """

    there: bool
    events: int
    total: float
    squares: float
    negative: int
    low: float
    high: float
    smallest: float
    cross_section: float
    generated: float
    counted: bool


def stored_weights(path: Path, settings: IngestionSettings) -> StoredWeights:
    """Read the weights of all events of a file, and its cross section.

    Raises:
        InputError: the branch cannot be read, a weight is not finite, or the file was put together from files of
            different cross sections, whose events only these would tell apart.
    """
    branch = settings.weight_branch
    with open_events(path, settings.tree, recorded=False, layout=settings.layout) as tree:
        there = branch is not None and (branch in tree or branch != _USUAL[settings.layout])
        asked = [branch] if there and branch is not None else []
        stated = [CROSS_SECTION] if settings.cross_sections != "ignore" and CROSS_SECTION in tree else []
        parts: list[tuple[float, ...]] = []
        runs = _Runs()
        if asked or stated:
            with closing(tree.steps((), settings.step_size, numbers=(*asked, *stated))) as steps:
                for step in steps:
                    if stated:
                        runs.add(step.numbers[CROSS_SECTION])
                    if asked:
                        parts.append(_sums(path, step, asked[0], settings.on_bad_event == "skip"))
        if settings.label_branch is None:
            runs.refuse_slices(path)
        cross_section = runs.ends[-1] if runs.ends else 0.0
        if not parts:
            n = tree.n_events
            return StoredWeights(False, n, n, n, 0, 1.0, 1.0, 1.0, cross_section, *_generated(path, n, n, settings))
    events, total, squares, negative = (sum(part[i] for part in parts) for i in range(4))
    low, high, smallest = (choose(part[i] for part in parts) for i, choose in ((4, min), (5, max), (6, min)))
    generated = _generated(path, total, int(events), settings)
    return StoredWeights(
        True, int(events), total, squares, int(negative), low, high, smallest, cross_section, *generated
    )


@final
class _Runs:
    """Runs of events of one file whose cross section goes on from event to event, as an estimate does.

    Attributes:
        ends: the last cross section of each run [pb].
        events: how many events it has.
    """

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.events: list[int] = []

    def add(self, sections: np.ndarray) -> None:
        """Take the cross sections of the next events."""
        values = np.concatenate([self.ends[-1:], sections.astype(np.float64)])
        first, second = values[:-1], values[1:]
        jumps = np.flatnonzero(np.maximum(first, second) > SAME_PROCESS * np.minimum(first, second)) + 1
        for number, run in enumerate(np.split(values, jumps)):
            goes_on = number == 0 and bool(self.ends)
            if goes_on:
                self.ends[-1] = float(run[-1])
                self.events[-1] += len(run) - 1
            elif len(run):
                self.ends.append(float(run[-1]))
                self.events.append(len(run))

    def refuse_slices(self, path: Path) -> None:
        """Refuse runs that are of different cross sections, both as they are and per event.

        Raises:
            InputError: there are such.
        """
        found = zip(self.ends, self.events, strict=True)
        known = [(end, events) for end, events in found if events >= ENOUGH_EVENTS and end > 0]
        for values in ([end for end, _ in known], [end / events for end, events in known]):
            if not values or max(values) <= SAME_PROCESS * min(values):
                return
        low, high = min(known), max(known)
        raise InputError(
            f"{path}: '{CROSS_SECTION}' is {low[0]:g} pb in {low[1]} events, {high[0]:g} pb in {high[1]}: slices were "
            "put into one file. Take the files of each with its cross section, or events as they are (cross_sections: "
            "ignore)"
        )


def _generated(path: Path, total: float, events: int, settings: IngestionSettings) -> tuple[float, bool]:
    """Return what the weights of all generated events of a file add up to, and whether the file says it: those of a
    skim are not all in it."""
    if settings.layout != "nanoaod" or settings.cross_sections in ({}, "ignore"):
        return total, False
    if settings.weight_branch not in (_GEN_WEIGHT, None):
        counted = generated_sum(path, weighted=False)
        if counted is not None and abs(counted - events) > _SAME_SUM * events:
            raise InputError(
                f"{path}: has {events} of the {counted:g} events that were generated, and the sum of "
                f"'{settings.weight_branch}' over all of these is not known: Runs adds up '{_GEN_WEIGHT}' alone"
            )
        return total, counted is not None
    found = generated_sum(path, weighted=settings.weight_branch is not None)
    if found is None:
        return total, False
    counted = found if settings.weight_branch is None else generated_sum(path, weighted=False)
    # Weights may cancel, events may not: what is missing of a count was never counted, as where a file was put together
    # with Runs of one of its parts.
    if counted is not None and counted < events * (1 - _SAME_SUM):
        raise InputError(f"{path}: has {events} events, its tree Runs says that {counted:g} were generated")
    return total if abs(found - total) <= _SAME_SUM * abs(total) else found, True


def _sums(path: Path, step: Step, branch: str, skip: bool) -> tuple[float, ...]:
    weights = step.numbers[branch]
    good = np.isfinite(weights)
    if not good.all() and not skip:
        event = step.events[np.flatnonzero(~good)[0]]
        raise InputError(f"{path}: branch '{branch}' is not finite in event {event}")
    weights = weights[good]
    size = np.abs(weights)
    return (
        len(weights),
        weights.sum(),
        (weights**2).sum(),
        (weights < 0).sum(),
        weights.min(initial=np.inf),
        weights.max(initial=-np.inf),
        size[size > 0].min(initial=np.inf),
    )
