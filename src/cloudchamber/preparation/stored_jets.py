"""Jets as the file has them, with the constituents that they are the sum of."""

from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.jets.relative import wrap
from cloudchamber.preparation.clustering import JetKinematics, four_vector_sums
from cloudchamber.preparation.raw_clouds import CloudSource, RawClouds
from cloudchamber.preparation.selection import hardest
from cloudchamber.preparation.stored_counts import StoredCounts
from cloudchamber.readers.constituents import (
    absent_collections,
    candidate_collections,
    constituent_leaves,
    gather,
    merge,
)
from cloudchamber.readers.delphes import DelphesTree
from cloudchamber.readers.jagged import Step
from cloudchamber.readers.references import Resolved, from_index, referenced_collections, resolve
from cloudchamber.settings.data import StoredJets

__all__ = ["StoredJetSource"]

# The energy scale, area subtraction and the masses of constituents move the axis by less than 0.1; it is the smallest
# radius of jets that are in use.
_AXIS_DISTANCE = 0.2


@final
class StoredJetSource(CloudSource):
    """Jets as the file has them.

    Their constituents are found through ``Jet.Constituents`` where that is there, else through the leaf
    ``Tower.JetIndex``: the position of the jet in the event for each tower, -1 for none.
    """

    def __init__(self, tree: DelphesTree, clouds: StoredJets, extra: tuple[str, ...], step_size: str) -> None:
        self._path, self._settings, self._extra = tree.path, clouds, extra
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
        self.leaves = (*constituent_leaves(self.collections, extra), *link_leaves, *self._jet_leaves)

    def clouds(self, step: Step) -> RawClouds:
        """Return the accepted jets of each event that have all their constituents and are the sum of them."""
        table = gather(step, self.collections, self._extra)
        stored = [step.leaves[name] for name in self._jet_leaves]
        pt, eta, phi, mass = (leaf.values.astype(np.float64) for leaf in stored)
        event = np.repeat(np.arange(len(step.events)), stored[0].counts)
        found = self._constituents(step, stored[0].offsets)
        chosen, rank = hardest(event, pt, eta, mass, self._settings)
        directed = table.with_direction[found.members.values]
        members = found.members.keep_values(directed)
        columns = table.columns[:, members.values]
        sums = four_vector_sums(columns[0], columns[1], columns[2], members.offsets)
        closure = np.divide(sums.pt, pt, out=np.zeros_like(pt), where=pt > 0)
        empty = members.counts[chosen] == 0
        incomplete = ~empty & (found.dangling[chosen] > 0)
        not_closing = ~empty & ~incomplete & ~self._closes(closure, sums, eta, phi)[chosen]
        taken = ~(empty | incomplete | not_closing)
        counts = StoredCounts(
            len(found.members.values),
            int(found.dangling.sum()),
            len(chosen),
            int(empty.sum()),
            int(incomplete.sum()),
            int(not_closing.sum()),
            float(closure[chosen[taken]].sum()),
            float(closure[chosen[taken]].min(initial=np.inf)),
            float(closure[chosen[taken]].max(initial=-np.inf)),
        )
        chosen, rank = chosen[taken], rank[taken]
        of_sums = (sums.pt, sums.eta, sums.phi, sums.mass)
        values = [row[chosen] for row in (*of_sums, *(leaf.values for leaf in stored), members.counts)]
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
        )

    def _closes(self, closure: np.ndarray, sums: JetKinematics, eta: np.ndarray, phi: np.ndarray) -> np.ndarray:
        low, high = self._settings.closure
        distance = np.hypot(sums.eta - eta, wrap(sums.phi - phi))
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
        text = f"{of_jets} {lacking} lack constituents"
        if counts.dangling:
            text += (
                f": {counts.dangling} of {counts.resolved + counts.dangling} references of '{self.references[0]}' lead "
                f"to no object in {', '.join(self.collections)}"
            )
        if counts.dangling and self._absent:
            text += f"; not in the file: {', '.join(self._absent)}"
        raise InputError(f"{text}; {limit}")

    def _constituents(self, step: Step, jets: np.ndarray) -> Resolved:
        if self.references:
            unique_ids = merge([step.leaves[f"{collection}.fUniqueID"] for collection in self.collections])
            return resolve(step.references[self.references[0]], unique_ids)
        index = step.leaves[self._index]
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
