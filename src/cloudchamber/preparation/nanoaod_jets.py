"""Jets of PFNano, with the candidates that its tables link to them."""

from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.preparation.linked_jets import Linked, LinkedJetSource
from cloudchamber.preparation.stored_counts import StoredCounts
from cloudchamber.readers.constituents import ConstituentTable, constituent_leaves, gather
from cloudchamber.readers.delphes import DelphesTree
from cloudchamber.readers.jagged import Jagged, Step, offsets_of
from cloudchamber.readers.nanoaod import CANDIDATES, link_leaves
from cloudchamber.readers.references import Resolved
from cloudchamber.settings.ingestion import StoredJets

__all__ = ["NanoJetSource"]

# FatJet is clustered from candidates with PUPPI weights.
_WITH_PUPPI = ("FatJet",)


@final
class NanoJetSource(LinkedJetSource):
    """Jets of a PFNano file, which store what their pT was before its corrections (``rawFactor``)."""

    collections = (CANDIDATES,)

    def __init__(self, tree: DelphesTree, clouds: StoredJets, extra: tuple[str, ...]) -> None:
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
        self._puppi = clouds.puppi if clouds.puppi is not None else jets in _WITH_PUPPI
        weight = (f"{CANDIDATES}.puppiWeight",) if self._puppi else ()
        candidates = constituent_leaves(self.collections, extra)
        of_jets = (*self._jet_leaves, *self._raw, *self._label_leaves)
        self.leaves = tuple(dict.fromkeys([*candidates, *weight, *of_jets, *self._links]))

    def _linked(self, step: Step) -> Linked:
        stored = [step.leaves[name] for name in self._jet_leaves]
        pt, eta, phi, mass = (leaf.values.astype(np.float64) for leaf in stored)
        raw = [step.leaves[name].values.astype(np.float64) for name in self._raw]
        table = self._table(step)
        found = self._found(step, stored[0].offsets, table)
        summed = pt * (1 - raw[0]) if raw else pt
        return Linked(table, stored[0].offsets, pt, eta, phi, mass, summed, found, self._labels(step, len(pt)))

    def _table(self, step: Step) -> ConstituentTable:
        table = gather(step, self.collections, self._extra)
        if not self._puppi:
            return table
        columns = table.columns.copy()
        columns[0] *= step.leaves[f"{CANDIDATES}.puppiWeight"].values
        return ConstituentTable(columns, table.offsets)

    def _found(self, step: Step, jets: np.ndarray, table: ConstituentTable) -> Resolved:
        """Return the candidates of each jet; those that PUPPI takes out altogether are none."""
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
        members = Jagged(position[order], offsets_of(np.bincount(jet, minlength=int(jets[-1]))))
        members = members.keep_values(table.columns[0, members.values] > 0)
        return Resolved(members, np.zeros(len(members), np.int64))

    def _lost(self, counts: StoredCounts) -> str:
        return f": '{self._stored[self._links[0]]}' links no candidates to them"
