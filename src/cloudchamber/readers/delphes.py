"""Delphes ROOT files, and NanoAOD under the names of Delphes, read in steps of constant memory as values and offsets.

Leaves are asked for by their full names, such as ``Tower.ET``; ``fBits`` cannot be read reliably and is never touched.
Works alike on files of Delphes (split TClonesArray) and on files with the same leaves written by uproot.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar, final

import awkward as ak
import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.readers.awkward_lists import jagged, one_each, references_of
from cloudchamber.readers.branch_types import is_list_of_fours, is_list_of_numbers, is_number, is_references
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Step
from cloudchamber.readers.nanoaod import NanoNames
from cloudchamber.readers.root_file import one_line, open_root_tree
from cloudchamber.readers.whole_numbers import whole_numbers
from cloudchamber.settings.ingestion import RawLayout

__all__ = ["DelphesTree", "open_tree"]

T = TypeVar("T")

# NanoAOD has well over a thousand branches.
_NAMES_IN_A_LINE = 20
# uproot cannot write the one leaf that Delphes has for all four.
_EDGES = "Edges[4]"
_FOUR_EDGES = ("EdgeEtaLow", "EdgeEtaHigh", "EdgePhiLow", "EdgePhiHigh")


@final
class DelphesTree(EventTree):
    """An open tree; made by :func:`open_tree`.

    Attributes:
        path: the file.
        n_events: number of entries.
    """

    def __init__(self, path: Path, tree: Any, layout: RawLayout = "delphes") -> None:
        self.path = path
        self._tree = tree
        self.n_events = int(tree.num_entries)
        stored = self._guarded(lambda: tree.keys(full_paths=False))
        self._nano = NanoNames(stored) if layout == "nanoaod" else None
        self._names = set(stored) if self._nano is None else self._nano.aliases

    def stored_name(self, name: str) -> str:
        """Return how the file calls a branch."""
        return name if self._nano is None else self._nano.stored(name)

    def __contains__(self, branch: str) -> bool:
        return branch in self._names

    @property
    def collections(self) -> list[str]:
        """Names of the collections that have leaves."""
        return sorted({name.partition(".")[0] for name in self._names if "." in name})

    def leaves_of(self, collection: str) -> frozenset[str]:
        """Return the leaves of a collection, without its name."""
        return frozenset(name.partition(".")[2] for name in self._names if name.partition(".")[0] == collection) - {""}

    def cell_edges(self, collection: str, start: int, stop: int) -> np.ndarray:
        """Return (n, 4) edges of the calorimeter cells of a collection in the events from ``start`` to before ``stop``:
        lower and upper eta, lower and upper phi [rad]. There are none, (0, 4), where the file does not have them.

        Raises:
            InputError: their branch is damaged.
        """
        one, four = f"{collection}.{_EDGES}", [f"{collection}.{leaf}" for leaf in _FOUR_EDGES]
        if one in self and self._holds(one, is_list_of_fours):
            return self._values(one, start, stop).reshape(-1, 4)
        if all(leaf in self and self._holds(leaf, is_list_of_numbers) for leaf in four):
            columns = [self._values(leaf, start, stop) for leaf in four]
            if len({len(column) for column in columns}) > 1:
                raise InputError(f"{self.path}: branches '{four[0]}' and its like have different numbers of values")
            return np.column_stack(columns)
        return np.zeros((0, 4))

    def _values(self, name: str, start: int, stop: int) -> np.ndarray:
        """Return all values of a branch in some events, as one row."""
        branch = self._branch(name)
        return self._guarded(lambda: np.asarray(ak.flatten(branch.array(None, start, stop), axis=None)), name)

    @property
    def numeric_leaves(self) -> list[str]:
        """Full names of the leaves that are a list of numbers per event."""
        names = sorted(name for name in self._names if "." in name and not name.endswith(("fBits", "fUniqueID")))
        return [name for name in names if self._holds(name, is_list_of_numbers)]

    def steps(
        self,
        leaves: Sequence[str],
        step_size: str,
        references: Sequence[str] = (),
        integers: Sequence[str] = (),
        numbers: Sequence[str] = (),
    ) -> Generator[Step]:
        """Read the tree in steps.

        Args:
            leaves: full names of leaves with one list of numbers per event.
            step_size: data read at a time, such as "8 MB".
            references: full names of leaves that refer to other objects, one (TRef) or several (TRefArray) each.
            integers: names of branches with one whole number per event, of any type; a list of one number counts,
                as Delphes has it for what an event has once (``Event.Number``).
            numbers: the same for numbers that need not be whole (``Event.Weight``).

        Raises:
            InputError: a branch is missing, of another type or damaged, or its list lengths are not those of the
                rest of its collection or of the branch ``X_size``. The last happens in files that hold two
                collections of the same name. Or one of ``integers`` or ``numbers`` has no number or several, or one
                of ``integers`` is not whole.
        """
        for name in references:
            self._require(name, is_references, "a TRefArray or TRef per object")
        for name in leaves:
            self._require(name, is_list_of_numbers, "a list of numbers per event")
        for name in (*integers, *numbers):
            self._require(name, lambda branch: is_number(branch) or is_list_of_numbers(branch), "a number per event")
        collections = {name.partition(".")[0] for name in (*leaves, *references)}
        sizes = [f"{name}_size" for name in sorted(collections) if f"{name}_size" in self]
        for name in sizes:
            self._require(name, is_number, "a number per event")
        names = list(dict.fromkeys([*leaves, *references, *integers, *numbers, *sizes]))
        with closing(self._arrays(names, step_size)) as pieces:
            for start, arrays in pieces:
                step = self._decode(start, arrays, leaves, references, integers, numbers)
                self._check_lengths(step, {name.removesuffix("_size"): np.asarray(arrays[name]) for name in sizes})
                yield step

    def _require(self, name: str, accepts: Callable[[Any], bool], expected: str) -> None:
        if name not in self:
            collection = name.partition(".")[0]
            has = sorted(self.stored_name(key) for key in self._names if key.startswith(f"{collection}."))
            others = (
                f"collections there are {_some(self.collections)}"
                if self.collections
                else f"there are {_some(sorted(self._names))}"
            )
            there = f"'{collection}' has {_some(has)}" if has else others
            raise InputError(f"{self.path}: no branch '{self.stored_name(name)}'; {there}")
        branch, stored = self._branch(name), self.stored_name(name)
        if not self._holds(name, accepts):
            raise InputError(f"{self.path}: branch '{stored}' holds '{branch.typename}', expected {expected}")
        if branch.num_entries != self.n_events:
            raise InputError(
                f"{self.path}: branch '{stored}' has {branch.num_entries} entries, the tree {self.n_events}"
            )

    def _holds(self, name: str, accepts: Callable[[Any], bool]) -> bool:
        """Return whether a branch is of a type."""
        return self._guarded(lambda: accepts(self._branch(name)), name)

    def _arrays(self, names: list[str], step_size: str) -> Generator[tuple[int, dict[str, ak.Array]]]:
        stored = [self.stored_name(name) for name in names]
        per_step = max(1, self._guarded(lambda: self._tree.num_entries_for(step_size, stored)))
        with closing(self._tree.iterate(stored, step_size=per_step, library="ak", how=dict)) as iterator:
            for start in range(0, self.n_events, per_step):
                stop = min(start + per_step, self.n_events)
                try:
                    arrays = next(iterator)
                except Exception as error:  # damaged bytes make uproot raise almost anything
                    self._blame(names, start, stop)
                    raise InputError(f"{self.path}: events {start}-{stop - 1}: {one_line(error)}") from error
                for name, array in arrays.items():
                    if len(array) != stop - start:
                        what = f"has {len(array)} of the {stop - start} entries from {start} on"
                        raise InputError(f"{self.path}: branch '{name}' {what}")
                yield start, {name: arrays[of_file] for name, of_file in zip(names, stored, strict=True)}

    def _blame(self, names: Iterable[str], start: int, stop: int) -> None:
        """Read branch by branch, so that the error names the damaged one."""
        for name in names:
            self._guarded(lambda name=name: self._branch(name).array(entry_start=start, entry_stop=stop), name)  # type: ignore[misc]

    def _branch(self, name: str) -> Any:
        return self._tree[self.stored_name(name)]

    def _guarded(self, read: Callable[[], T], branch: str | None = None) -> T:
        try:
            return read()
        except Exception as error:
            where = f"branch '{self.stored_name(branch)}' cannot be read" if branch else "cannot be read"
            raise InputError(f"{self.path}: {where}: {one_line(error)}") from error

    def _decode(
        self,
        start: int,
        arrays: dict[str, ak.Array],
        leaves: Sequence[str],
        references: Sequence[str],
        integers: Sequence[str],
        numbers: Sequence[str],
    ) -> Step:
        n_events = len(next(iter(arrays.values())))
        return Step(
            np.arange(start, start + n_events),
            {name: jagged(arrays[name].layout) for name in leaves},
            {name: references_of(arrays[name].layout) for name in references},
            {
                name: whole_numbers(
                    self.path, f"branch '{name}'", one_each(self.path, name, start, arrays[name]), start
                )
                for name in integers
            },
            {name: one_each(self.path, name, start, arrays[name]).astype(np.float64) for name in numbers},
        )

    def _check_lengths(self, step: Step, sizes: Mapping[str, np.ndarray]) -> None:
        """Check that all leaves of a collection have the lengths that its ``X_size`` (or its first leaf) says."""
        counts = {name: leaf.counts for name, leaf in step.leaves.items()}
        counts |= {name: np.diff(leaf.objects) for name, leaf in step.references.items()}
        expected = {collection: (f"{collection}_size", values) for collection, values in sizes.items()}
        for name, values in counts.items():
            source, lengths = expected.setdefault(name.partition(".")[0], (name, values))
            wrong = np.flatnonzero(values != lengths)
            if len(wrong):
                event = wrong[0]
                raise InputError(
                    f"{self.path}: branch '{self.stored_name(name)}' has {values[event]} values in event "
                    f"{step.events[event]}, '{self.stored_name(source)}' says {lengths[event]}; "
                    "are there two collections of this name?"
                )


@contextmanager
def open_tree(
    path: str | Path, name: str, recorded: bool = True, layout: RawLayout = "delphes"
) -> Iterator[DelphesTree]:
    """Open the tree ``name`` of a ROOT file, its highest cycle.

    Args:
        path: the file.
        name: of the tree.
        recorded: whether the file is compared with its record, which reads it whole; not where it is opened once more.
        layout: how the file names its branches.

    Raises:
        InputError: the file is missing, truncated, not a ROOT file or only a Git LFS pointer; it is not what its
            record says was written; it has no such tree; the tree has no events.
    """
    with open_root_tree(Path(path), name, recorded) as tree:
        yield DelphesTree(Path(path), tree, layout)


def _some(names: Sequence[str]) -> str:
    """Return names in words, of many the first."""
    more = len(names) - _NAMES_IN_A_LINE
    return f"{list(names[:_NAMES_IN_A_LINE])}" + (f" and {more} more" if more > 0 else "")
