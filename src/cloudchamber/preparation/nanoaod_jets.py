"""Jets of PFNano, with the candidates that its tables link to them."""

from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.preparation.clustering import four_vector_sums
from cloudchamber.preparation.linked_jets import Linked, LinkedJetSource
from cloudchamber.preparation.puppi import takes_puppi
from cloudchamber.preparation.stored_counts import StoredCounts
from cloudchamber.readers.constituents import ConstituentTable, constituent_leaves, gather
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Jagged, Step, offsets_of
from cloudchamber.readers.nanoaod import CANDIDATES, link_leaves
from cloudchamber.readers.references import Resolved
from cloudchamber.settings.ingestion import StoredJets

__all__ = ["NanoJetSource"]

# Sums of the right candidates are within 0.1 % of their jets. What is further off than this, and twice as far as with
# the other choice, was made of the other ones.
_CLOSE = 0.02
_WEIGHT = f"{CANDIDATES}.puppiWeight"


@final
class NanoJetSource(LinkedJetSource):
    """Jets of a PFNano file, which store what their pT was before its corrections (``rawFactor``)."""

    collections = (CANDIDATES,)

    def __init__(self, tree: EventTree, clouds: StoredJets, extra: tuple[str, ...]) -> None:
        super().__init__(tree, clouds)
        jets = clouds.collection
        if CANDIDATES not in tree.collections:
            raise InputError(
                f"{tree.path}: no branches '{CANDIDATES}_*': NanoAOD without the candidates that jets are made of;"
                " PFNano has them"
            )
        self._extra = extra
        self._jet_leaves = tuple(f"{jets}.{leaf}" for leaf in ("PT", "Eta", "Phi", "Mass"))
        self._raw = (f"{jets}.rawFactor",) if f"{jets}.rawFactor" in tree else ()
        self._links = link_leaves(jets)
        self._stored = {name: tree.stored_name(name) for name in self._links}
        self._puppi = takes_puppi(jets, clouds.puppi)
        self._said = clouds.puppi is not None
        weight = (_WEIGHT,) if self._puppi or _WEIGHT in tree else ()
        self._off, self._compared = np.zeros(2), 0
        candidates = constituent_leaves(self.collections, extra)
        of_jets = (*self._jet_leaves, *self._raw, *self._label_leaves)
        self.leaves = tuple(dict.fromkeys([*candidates, *weight, *of_jets, *self._links]))

    def _linked(self, step: Step) -> Linked:
        stored = [step.leaves[name] for name in self._jet_leaves]
        pt, eta, phi, mass = (leaf.values.astype(np.float64) for leaf in stored)
        raw = [step.leaves[name].values.astype(np.float64) for name in self._raw]
        table = self._table(step)
        summed = pt * (1 - raw[0]) if raw else pt
        members = self._members(step, stored[0].offsets, table)
        self._compare(step, members, summed)
        # Those that PUPPI takes out altogether are none.
        members = members.keep_values(table.columns[0, members.values] > 0)
        found = Resolved(members, np.zeros(len(members), np.int64))
        return Linked(table, stored[0].offsets, pt, eta, phi, mass, summed, found, self._labels(step, len(pt)))

    def _table(self, step: Step) -> ConstituentTable:
        table = gather(step, self.collections, self._extra)
        if not self._puppi:
            return table
        columns = table.columns.copy()
        columns[0] *= step.leaves[_WEIGHT].values
        return ConstituentTable(columns, table.offsets)

    def _compare(self, step: Step, members: Jagged, summed: np.ndarray) -> None:
        """Sum up how far the jets are from the sums of their candidates, without and with PUPPI weights."""
        if _WEIGHT not in step.leaves:
            return
        pt, eta, phi = (step.leaves[name].values[members.values] for name in constituent_leaves(self.collections))
        weighted = pt * step.leaves[_WEIGHT].values[members.values]
        sums = np.stack([four_vector_sums(of, eta, phi, members.offsets).pt for of in (pt, weighted)])
        good = (sums > 0).all(axis=0) & (summed > 0)
        self._off += np.abs(np.log(sums[:, good] / summed[good])).sum(axis=1)
        self._compared += int(good.sum())

    def refuse_incomplete(self, counts: StoredCounts) -> None:
        """Raise where the jets of the file are the sums of the other candidates, or too many lack theirs."""
        others = None if self._said else self._of_other_candidates()
        if others is not None:
            choice = str(self._puppi).lower()
            raise InputError(
                f"{self._path}: {others}: say clouds.puppi: {str(not self._puppi).lower()}, or {choice} to leave it so"
            )
        super().refuse_incomplete(counts)

    def unlikely(self) -> str | None:
        """Say that the jets are the sums of the other candidates, which is refused where nobody says ``puppi``, and
        what is unlikely of all stored jets."""
        return "; ".join(filter(None, (self._of_other_candidates(), super().unlikely()))) or None

    def _of_other_candidates(self) -> str | None:
        """Return how far the jets are off the sums of either candidates, where they are those of the other ones."""
        mine, other = (self._off[::-1] if self._puppi else self._off) / max(self._compared, 1)
        if mine <= _CLOSE or 2 * other >= mine:
            return None
        ways = ("without", "with") if self._puppi else ("with", "without")
        return (
            f"jets of '{self._settings.collection}' are {other:.2g} off the sums of their candidates "
            f"{ways[0]} PUPPI weights and {mine:.2g} {ways[1]} them"
        )

    def _members(self, step: Step, jets: np.ndarray, table: ConstituentTable) -> Jagged:
        """Return the candidates of each jet."""
        of_jet, candidate = (step.leaves[name] for name in self._links)
        event = np.repeat(np.arange(len(of_jet)), of_jet.counts)
        for name, values, there, what in (
            (self._links[0], of_jet.values, np.diff(jets), "jets"),
            (self._links[1], candidate.values, np.diff(table.offsets), "candidates"),
        ):
            wrong = np.flatnonzero((values < 0) | (values >= there[event]))
            if len(wrong):
                at = wrong[0]
                raise InputError(
                    f"{self._path}: branch '{self._stored[name]}' is {values[at]} in event {step.events[event[at]]}, "
                    f"which has {there[event[at]]} {what}"
                )
        position = table.offsets[event] + candidate.values
        jet = jets[event] + of_jet.values
        order = np.argsort(jet, kind="stable")
        return Jagged(position[order], offsets_of(np.bincount(jet, minlength=int(jets[-1]))))

    def _lost(self, counts: StoredCounts) -> str:
        return f": '{self._stored[self._links[0]]}' links no candidates to them"
