"""Jets as a Delphes file has them, with the constituents that they refer to."""

from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.preparation.linked_jets import Linked, LinkedJetSource
from cloudchamber.preparation.stored_counts import StoredCounts
from cloudchamber.readers.constituents import (
    absent_collections,
    candidate_collections,
    constituent_leaves,
    gather,
    merge,
)
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Jagged, Step
from cloudchamber.readers.references import Resolved, from_index, referenced_collections, resolve
from cloudchamber.readers.whole_numbers import whole_lists
from cloudchamber.settings.ingestion import StoredJets

__all__ = ["StoredJetSource"]


@final
class StoredJetSource(LinkedJetSource):
    """Jets of a Delphes file.

    Their constituents are found through ``Jet.Constituents`` where that is there, else through the leaf
    ``Tower.JetIndex``: the position of the jet in the event for each tower, -1 for none.
    """

    def __init__(self, tree: EventTree, clouds: StoredJets, extra: tuple[str, ...], step_size: str) -> None:
        super().__init__(tree, clouds)
        self._extra = extra
        self._jet_leaves = tuple(f"{clouds.collection}.{leaf}" for leaf in ("PT", "Eta", "Phi", "Mass"))
        self._index = f"Tower.{clouds.collection}Index"
        references = f"{clouds.collection}.Constituents"
        if references not in tree and self._index in tree:
            self.collections = ("Tower",)
            link_leaves = [self._index]
        else:
            self.references = (references,)
            self.collections = candidate_collections(tree, clouds.collection)
            if len(self.collections) > 1:
                self.collections = referenced_collections(tree, references, self.collections, step_size)
            link_leaves = [f"{collection}.fUniqueID" for collection in self.collections]
        self._absent = absent_collections(tree, clouds.collection)
        of_jets = (*self._jet_leaves, *self._label_leaves)
        self.leaves = (*constituent_leaves(self.collections, extra), *link_leaves, *of_jets)

    def _linked(self, step: Step) -> Linked:
        stored = [step.leaves[name] for name in self._jet_leaves]
        pt, eta, phi, mass = (leaf.values.astype(np.float64) for leaf in stored)
        found = self._constituents(step, stored[0].offsets)
        table, labels = gather(step, self.collections, self._extra), self._labels(step, len(pt))
        # Delphes keeps no pT from before the energy scale.
        return Linked(table, stored[0].offsets, pt, eta, phi, mass, pt, found, labels)

    def _lost(self, counts: StoredCounts) -> str:
        if not counts.dangling:
            return ""
        absent = f"; not in the file: {', '.join(self._absent)}" if self._absent else ""
        return (
            f": {counts.dangling} of {counts.resolved + counts.dangling} references of '{self.references[0]}' lead to "
            f"no object in {', '.join(self.collections)}{absent}"
        )

    def _constituents(self, step: Step, jets: np.ndarray) -> Resolved:
        if self.references:
            unique_ids = merge([step.leaves[f"{collection}.fUniqueID"] for collection in self.collections])
            return resolve(step.references[self.references[0]], unique_ids)
        index = step.leaves[self._index]
        index = Jagged(whole_lists(self._path, self._index, index, step.events), index.offsets)
        event = np.repeat(np.arange(len(index)), index.counts)
        n_jets = np.diff(jets)[event]
        wrong = np.flatnonzero((index.values < -1) | (index.values >= n_jets))
        if len(wrong):
            at = wrong[0]
            raise InputError(
                f"{self._path}: branch '{self._index}' is {index.values[at]} in event {step.events[event[at]]}, "
                f"which has {n_jets[at]} jets"
            )
        return from_index(index, jets)
