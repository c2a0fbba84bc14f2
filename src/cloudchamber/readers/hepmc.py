"""Events of generators in the text formats of HepMC 2 and 3 (arXiv 1912.08005), also compressed with gzip.

Momenta are in GeV and lengths in mm, whatever the file has them in. The package ``pyhepmc`` is not among those of the
analysis: install the extra ``hepmc``. It ends quietly where a file cannot be read on, so that the events of a file are
counted before (:mod:`cloudchamber.readers.hepmc_text`).

A file may have a hundred weights for each event, in an order that says nothing: versions of HepMC sort them by name.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.optional import optional_package
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.generated_event import GeneratedEvent, generated_event, particle_columns
from cloudchamber.readers.hepmc_text import count_events
from cloudchamber.readers.jagged import Jagged, Step, offsets_of
from cloudchamber.records.record import verify_record

__all__ = ["WEIGHT", "HepMCFile", "open_hepmc"]

WEIGHT, CROSS_SECTION = "Event.Weight", "Event.CrossSection"
_NUMBER = "Event.Number"
_LEAVES = ("PID", "Status", "E", "Px", "Py", "Pz", "PT", "Eta", "Phi", "Mass", "X", "Y", "Z", "T")
# The weight that is meant where nobody says which: what generators call it, and numbers where weights have no names.
_NOMINAL = re.compile(r"(weight|default|nominal|central|0)(_merging=0\.0+)?", re.IGNORECASE)
# Text of a particle with its vertex.
_BYTES = 120


@final
class HepMCFile(EventTree):
    """The stable particles of a file of events, as the collection ``Particle``; made by :func:`open_hepmc`."""

    def __init__(self, path: Path, hepmc: Any, n_events: int) -> None:
        self.path, self.n_events, self._hepmc = path, n_events, hepmc
        with closing(self.events()) as events:
            first = next(events)
        self._weights = tuple(first.weights)
        self._names = {_NUMBER, *(f"Particle.{leaf}" for leaf in _LEAVES), *self._weights}
        self._names |= {WEIGHT} if self._weights else set()
        self._names |= set() if first.cross_section is None else {CROSS_SECTION}

    def __contains__(self, branch: str) -> bool:
        return branch in self._names

    def stored_name(self, name: str) -> str:
        return name

    @property
    def collections(self) -> list[str]:
        return ["Particle"]

    def leaves_of(self, collection: str) -> frozenset[str]:
        return frozenset(_LEAVES) if collection == "Particle" else frozenset()

    def weight_name(self, asked: str) -> str:
        """Return the name of a weight; of ``WEIGHT`` the nominal one.

        Raises:
            InputError: there is no such weight, or nothing tells which is the nominal one.
        """
        if asked in self._weights:
            return asked
        nominal = [name for name in self._weights if _NOMINAL.fullmatch(name)]
        if asked == WEIGHT and len(self._weights) == 1:
            return self._weights[0]
        if asked == WEIGHT and len(nominal) == 1:
            return nominal[0]
        some = ", ".join(f"'{name}'" for name in (*self._weights[:3], *self._weights[3:][-1:]))
        why = "nothing tells which is the nominal one" if asked == WEIGHT else f"none is '{asked}'"
        raise InputError(
            f"{self.path}: of its {len(self._weights)} weights ({some}) {why}: name one (weight_branch), or leave "
            "weights unread (weight_branch: null)"
        )

    def events(self) -> Generator[GeneratedEvent]:
        """Yield the events one by one.

        Raises:
            InputError: they cannot be read to the end.
        """
        read = 0
        with _readable(self.path), self._hepmc.open(str(self.path)) as file:
            for event in file:
                yield generated_event(event, self._hepmc.Units)
                read += 1
        if read != self.n_events:
            raise InputError(f"{self.path}: event {read} of {self.n_events} (from 0) cannot be read as HepMC")

    def cell_edges(self, collection: str, start: int, stop: int) -> np.ndarray:
        """Return (0, 4): generated particles are in no cell."""
        return np.zeros((0, 4))

    def steps(
        self,
        leaves: Sequence[str],
        step_size: str,
        references: Sequence[str] = (),
        integers: Sequence[str] = (),
        numbers: Sequence[str] = (),
    ) -> Generator[Step]:
        for name in (*leaves, *references, *integers):
            if name not in self._names - set(self._weights):
                raise InputError(f"{self.path}: no branch '{name}'; 'Particle' has {sorted(_LEAVES)}")
        weights = {name: self.weight_name(name) for name in numbers if name != CROSS_SECTION}
        amount, unit = re.fullmatch(r"(\d+) ?([kM])B", step_size).groups()  # type: ignore[union-attr]
        particles = int(amount) * (1000 if unit == "k" else 1_000_000) // _BYTES
        waiting: list[GeneratedEvent] = []
        first = held = 0
        with closing(self.events()) as events:
            for event in events:
                waiting.append(event)
                held += len(event.pid)
                if held >= particles:
                    yield self._step(first, waiting, leaves, integers, numbers, weights)
                    first, held, waiting = first + len(waiting), 0, []
        if waiting:
            yield self._step(first, waiting, leaves, integers, numbers, weights)

    def _step(
        self,
        first: int,
        events: Sequence[GeneratedEvent],
        leaves: Sequence[str],
        integers: Sequence[str],
        numbers: Sequence[str],
        weights: dict[str, str],
    ) -> Step:
        offsets = offsets_of(np.array([len(event.pid) for event in events]))
        columns = particle_columns(events)
        of_events = {name: np.empty(len(events)) for name in numbers}
        for position, event in enumerate(events):
            for name, values in of_events.items():
                if name in weights and weights[name] not in event.weights:
                    raise InputError(f"{self.path}: event {first + position} has no weight '{weights[name]}'")
                section = np.nan if event.cross_section is None else event.cross_section
                values[position] = event.weights[weights[name]] if name in weights else section
        return Step(
            np.arange(first, first + len(events)),
            {name: Jagged(columns[name.partition(".")[2]], offsets) for name in leaves},
            integers={name: np.array([event.number for event in events], np.int64) for name in integers},
            numbers=of_events,
        )


def open_hepmc(path: Path, recorded: bool = True) -> HepMCFile:
    """Open a file of HepMC.

    Args:
        path: the file.
        recorded: whether the file is compared with its record.

    Raises:
        InputError: the file is missing, no text of HepMC, cut short or without events; or ``pyhepmc`` is not installed.
    """
    n_events = count_events(path)
    if recorded:
        verify_record(path)
    return HepMCFile(path, optional_package("pyhepmc", "hepmc", "HepMC"), n_events)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as HepMC: {' '.join(str(error).split())}") from error
