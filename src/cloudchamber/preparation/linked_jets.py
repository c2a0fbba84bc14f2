"""Jets as a file has them: what is made of them once it is known which constituents they are linked to."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.jets.relative import wrap
from cloudchamber.preparation.clustering import JetKinematics, four_vector_sums
from cloudchamber.preparation.exact_sum import exact_sum
from cloudchamber.preparation.raw_clouds import CloudSource, RawClouds
from cloudchamber.preparation.selection import hardest
from cloudchamber.preparation.softest_jet import SoftestJet
from cloudchamber.preparation.stored_counts import StoredCounts
from cloudchamber.readers.constituents import ConstituentTable
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Step
from cloudchamber.readers.references import Resolved
from cloudchamber.readers.whole_numbers import whole_lists
from cloudchamber.settings.ingestion import StoredJets

__all__ = ["Linked", "LinkedJetSource"]

# The energy scale, area subtraction and the masses of constituents move the axis by less than 0.1; it is the smallest
# radius of jets that are in use.
_AXIS_DISTANCE = 0.2
# Cards cut jets before their energy scale, which adds up to 15 % at 20 GeV.
_MARGIN = 1.25


@final
@dataclass(frozen=True)
class Linked:
    """The stored jets of some events with their constituents.

    Attributes:
        table: all constituents.
        offsets: (n_events + 1,) int64 of the jets.
        pt, eta, phi, mass: (n_jets,) float64, as the file has them.
        summed_pt: (n_jets,) float64, what the constituents add up to: the pT before corrections, where it is known.
        found: constituents of each jet.
        labels: (n_jets, L) int64.
    """

    table: ConstituentTable
    offsets: np.ndarray
    pt: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    mass: np.ndarray
    summed_pt: np.ndarray
    found: Resolved
    labels: np.ndarray


class LinkedJetSource(CloudSource, ABC):
    """Abstract: makes clouds of stored jets that have all their constituents and are the sum of them.

    Args:
        tree: the file.
        settings: which jets, and what is demanded of them.
    """

    def __init__(self, tree: EventTree, settings: StoredJets) -> None:
        self._path, self._settings = tree.path, settings
        self._label_leaves = tuple(f"{settings.collection}.{leaf}" for leaf in settings.jet_labels)
        self._branches = {name: tree.stored_name(name) for name in self._label_leaves}
        self._stored_jets = SoftestJet(settings.collection, "clouds.pt_window", settings.pt_window[0], _MARGIN)

    @abstractmethod
    def _linked(self, step: Step) -> Linked:
        """Return jets and constituents of the events of ``step``."""

    def _labels(self, step: Step, jets: int) -> np.ndarray:
        """Return the labels (jets, L) of all jets of ``step``."""
        columns = [np.zeros((jets, 0), np.int64)]
        for name in self._label_leaves:
            whole = whole_lists(self._path, self._branches[name], step.leaves[name], step.events)
            columns.append(whole.astype(np.int64)[:, None])
        return np.concatenate(columns, axis=1)

    @abstractmethod
    def _lost(self, counts: StoredCounts) -> str:
        """Return what is to be said of links that lead nowhere, to follow "... jets lack constituents"."""

    def clouds(self, step: Step) -> RawClouds:
        """Return the accepted jets of each event that have all their constituents and are the sum of them."""
        jets = self._linked(step)
        table = jets.table
        self._stored_jets.add(jets.pt)
        event = np.repeat(np.arange(len(step.events)), np.diff(jets.offsets))
        chosen, rank = hardest(event, jets.pt, jets.eta, jets.mass, self._settings)
        directed = table.with_direction[jets.found.members.values]
        members = jets.found.members.keep_values(directed)
        columns = table.columns[:, members.values]
        sums = four_vector_sums(columns[0], columns[1], columns[2], members.offsets)
        closure = np.divide(sums.pt, jets.summed_pt, out=np.zeros_like(jets.pt), where=jets.summed_pt > 0)
        empty = members.counts[chosen] == 0
        incomplete = ~empty & (jets.found.dangling[chosen] > 0)
        not_closing = ~empty & ~incomplete & ~self._closes(closure, sums, jets)[chosen]
        taken = ~(empty | incomplete | not_closing)
        counts = StoredCounts(
            len(jets.found.members.values),
            int(jets.found.dangling.sum()),
            len(chosen),
            int(empty.sum()),
            int(incomplete.sum()),
            int(not_closing.sum()),
            exact_sum([float(closure[chosen[taken]].sum())]),
            float(closure[chosen[taken]].min(initial=np.inf)),
            float(closure[chosen[taken]].max(initial=-np.inf)),
        )
        chosen, rank = chosen[taken], rank[taken]
        of_sums = (sums.pt, sums.eta, sums.phi, sums.mass)
        values = [row[chosen] for row in (*of_sums, jets.pt, jets.eta, jets.phi, jets.mass, members.counts)]
        members = members.take(chosen)
        return RawClouds(
            table.columns[:, members.values],
            members.offsets,
            event[chosen],
            rank,
            np.column_stack(values),
            with_constituents=np.diff(table.offsets) > 0,
            without_direction=len(directed) - int(directed.sum()),
            stored=counts,
            labels=jets.labels[chosen] if self._label_leaves else None,
        )

    def unlikely(self) -> str | None:
        """Say that none of the many jets of the file is as soft as the window."""
        return self._stored_jets.unlikely()

    def _closes(self, closure: np.ndarray, sums: JetKinematics, jets: Linked) -> np.ndarray:
        low, high = self._settings.closure
        distance = np.hypot(sums.eta - jets.eta, wrap(sums.phi - jets.phi))
        closes: np.ndarray = (closure >= low) & (closure <= high) & (distance < _AXIS_DISTANCE)
        return closes

    def refuse_incomplete(self, counts: StoredCounts) -> None:
        """Raise where too many of the chosen jets of the file lack constituents, or are not the sum of theirs."""
        settings = self._settings
        if counts.left_out <= settings.incomplete_share * counts.chosen:
            return
        of_jets = f"{self._path}: of {counts.chosen} jets of '{settings.collection}'"
        limit = f"incomplete_share allows {settings.incomplete_share:g}"
        lacking = counts.empty + counts.incomplete
        if lacking < counts.not_closing:
            low, high = settings.closure
            raise InputError(
                f"{of_jets} {counts.not_closing} are not the sum of their constituents in "
                f"{', '.join(self.collections)}: pT of the sum over stored pT is outside of {low:g} to {high:g}, or "
                f"its axis is further than {_AXIS_DISTANCE} from the stored one; links or units may be wrong, or the "
                f"setting closure too narrow; {limit}"
            )
        raise InputError(f"{of_jets} {lacking} lack constituents{self._lost(counts)}; {limit}")
