"""What becomes a cloud: a jet as stored, a jet clustered anew, or a whole event."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.cloud import Column
from cloudchamber.errors import InputError
from cloudchamber.preparation.clustering import JetKinematics, cluster, four_vector_sums
from cloudchamber.preparation.columns import JET_FEATURES, MULTIPLICITY
from cloudchamber.preparation.selection import hardest
from cloudchamber.preparation.truth import TRUTH_LEAVES, matched, read_prongs
from cloudchamber.readers.constituents import (
    VISIBLE_LEAVES,
    ConstituentTable,
    candidate_collections,
    constituent_collections,
    constituent_leaves,
    gather,
    merge,
    visible,
)
from cloudchamber.readers.delphes import DelphesTree
from cloudchamber.readers.jagged import Jagged, Step
from cloudchamber.readers.references import Resolved, from_index, referenced_collections, resolve
from cloudchamber.settings.data import Constituents, IngestionSettings, ReclusteredJets, StoredJets, WholeEvents

__all__ = ["CloudSource", "RawClouds", "feature_columns", "open_source"]

_STORED_FEATURES = (
    Column("stored_pt", "GeV"),
    Column("stored_eta"),
    Column("stored_phi", "rad"),
    Column("stored_mass", "GeV"),
)
_EVENT_FEATURES = (Column("sum_pt", "GeV"), Column("mass", "GeV"))


@final
@dataclass(frozen=True)
class RawClouds:
    """Clouds of one step before sorting and padding.

    Attributes:
        columns: (F, total) float32, constituents of all clouds.
        offsets: (n + 1,) int64.
        event: (n,) int64, position of the event in the step.
        rank: (n,) int64, 0 for the hardest jet of the event.
        features: (n, C) float64.
        with_constituents: (n_events,) bool, which events of the step have any constituents.
        without_direction: constituents left out because Delphes has no direction for them.
        resolved, dangling: constituents found through references, and references that lead nowhere, of all jets.
        incomplete, empty: accepted jets that lack some of their constituents, and those that lack all.
        unmatched: jets left out because the truth match asks for others.
    """

    columns: np.ndarray
    offsets: np.ndarray
    event: np.ndarray
    rank: np.ndarray
    features: np.ndarray
    with_constituents: np.ndarray
    without_direction: int
    resolved: int = 0
    dangling: int = 0
    incomplete: int = 0
    empty: int = 0
    unmatched: int = 0


class CloudSource(ABC):
    """Abstract: makes clouds of the events of one file.

    Attributes:
        leaves, references: what to read.
        collections: where the constituents are.
    """

    leaves: tuple[str, ...]
    references: tuple[str, ...] = ()
    collections: tuple[str, ...]

    @abstractmethod
    def clouds(self, step: Step) -> RawClouds:
        """Return the clouds of the events of ``step``."""


def feature_columns(clouds: StoredJets | ReclusteredJets | WholeEvents) -> tuple[Column, ...]:
    """Return names and units of the features of each kind of cloud.

    ``jet_*``, ``sum_pt`` and ``mass`` are of the sum over all constituents before truncation, taken as massless;
    ``stored_*`` are the values in the file, after its energy scale; ``n_constituents`` counts before truncation.
    """
    if isinstance(clouds, WholeEvents):
        return (*_EVENT_FEATURES, MULTIPLICITY)
    stored = _STORED_FEATURES if isinstance(clouds, StoredJets) else ()
    return (*JET_FEATURES, *stored, MULTIPLICITY)


def open_source(tree: DelphesTree, settings: IngestionSettings) -> CloudSource:
    """Return what makes clouds of the events of ``tree``.

    Raises:
        InputError: a branch is missing or damaged.
    """
    clouds = settings.clouds
    if isinstance(clouds, StoredJets):
        return StoredJetSource(tree, clouds, settings.extra_leaves, settings.step_size)
    if isinstance(clouds, ReclusteredJets):
        return ReclusteredJetSource(tree, clouds, settings.extra_leaves)
    return EventSource(tree, clouds, settings.extra_leaves)


class _ConstituentSource(CloudSource):
    """Abstract: makes clouds of all constituents of a kind."""

    def __init__(self, tree: DelphesTree, kind: Constituents, extra: tuple[str, ...]) -> None:
        self._extra, self._select_visible = extra, kind == "particle"
        self.collections = constituent_collections(tree, kind)
        selection = VISIBLE_LEAVES if self._select_visible else ()
        self.leaves = (*constituent_leaves(self.collections, extra), *selection)

    def _table(self, step: Step) -> tuple[ConstituentTable, int]:
        """Return the constituents that have a direction, and the number of those without."""
        table = gather(step, self.collections, self._extra)
        if self._select_visible:
            table = table.keep(visible(step))
        directed = table.with_direction
        return table.keep(directed), len(directed) - int(directed.sum())


@final
class EventSource(_ConstituentSource):
    """Each event with constituents is a cloud."""

    def __init__(self, tree: DelphesTree, clouds: WholeEvents, extra: tuple[str, ...]) -> None:
        super().__init__(tree, clouds.constituents, extra)

    def clouds(self, step: Step) -> RawClouds:
        """Return one cloud for each event that has constituents."""
        table, without_direction = self._table(step)
        counts = np.diff(table.offsets)
        filled = counts > 0
        offsets = np.concatenate((table.offsets[:1], table.offsets[1:][filled]))
        pt, eta, phi = table.columns[:3]
        sums = four_vector_sums(pt, eta, phi, offsets)
        event = np.flatnonzero(filled)
        return RawClouds(
            table.columns,
            offsets,
            event,
            np.zeros_like(event),
            np.column_stack([sums.sum_pt, sums.mass, counts[filled]]),
            with_constituents=filled,
            without_direction=without_direction,
        )


@final
class ReclusteredJetSource(_ConstituentSource):
    """Jets clustered from the constituents of each event."""

    def __init__(self, tree: DelphesTree, clouds: ReclusteredJets, extra: tuple[str, ...]) -> None:
        super().__init__(tree, clouds.constituents, extra)
        self._path, self._settings = tree.path, clouds
        if clouds.truth_match is not None:
            if "Particle" not in tree.collections:
                raise InputError(f"{tree.path}: no branch 'Particle', which the truth match needs")
            self.leaves = tuple(dict.fromkeys([*self.leaves, *TRUTH_LEAVES]))

    def clouds(self, step: Step) -> RawClouds:
        """Return the accepted jets of each event."""
        table, without_direction = self._table(step)
        settings = self._settings
        # A little below the window, whose edge is applied to our own sums.
        pt_min = settings.pt_window[0] * (1 - 1e-6)
        pt, eta, phi = table.columns[:3]
        jets = cluster(pt, eta, phi, table.offsets, algorithm=settings.algorithm, radius=settings.radius, pt_min=pt_min)
        members = Jagged(jets.members, jets.offsets)
        sums = _sums(table, members)
        chosen, rank = hardest(jets.event, sums.pt, sums.eta, sums.mass, settings)
        accepted = len(chosen)
        if settings.truth_match is not None:
            kept = matched(
                jets.event[chosen],
                sums.eta[chosen],
                sums.phi[chosen],
                read_prongs(step, self._path),
                settings.truth_match,
            )
            chosen, rank = chosen[kept], rank[kept]
        features = np.column_stack([sums.pt, sums.eta, sums.phi, sums.mass, members.counts])
        members = members.take(chosen)
        return RawClouds(
            table.columns[:, members.values],
            members.offsets,
            jets.event[chosen],
            rank,
            features[chosen],
            with_constituents=np.diff(table.offsets) > 0,
            without_direction=without_direction,
            unmatched=accepted - len(chosen),
        )


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
        self.leaves = (*constituent_leaves(self.collections, extra), *link_leaves, *self._jet_leaves)

    def clouds(self, step: Step) -> RawClouds:
        """Return the accepted jets of each event that have constituents."""
        table = gather(step, self.collections, self._extra)
        stored = [step.leaves[name] for name in self._jet_leaves]
        pt, eta, _, mass = (leaf.values.astype(np.float64) for leaf in stored)
        event = np.repeat(np.arange(len(step.events)), stored[0].counts)
        found = self._constituents(step, stored[0].offsets)
        chosen, rank = hardest(event, pt, eta, mass, self._settings)
        directed = table.with_direction[found.members.values]
        members = found.members.keep_values(directed)
        filled = members.counts[chosen] > 0
        empty = len(chosen) - int(filled.sum())
        chosen, rank = chosen[filled], rank[filled]
        members = members.take(chosen)
        sums = _sums(table, members)
        values = [sums.pt, sums.eta, sums.phi, sums.mass, *(leaf.values[chosen] for leaf in stored), members.counts]
        return RawClouds(
            table.columns[:, members.values],
            members.offsets,
            event[chosen],
            rank,
            np.column_stack(values),
            with_constituents=np.diff(table.offsets) > 0,
            without_direction=len(directed) - int(directed.sum()),
            resolved=len(found.members.values),
            dangling=int(found.dangling.sum()),
            incomplete=int((found.dangling[chosen] > 0).sum()),
            empty=empty,
        )

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


def _sums(table: ConstituentTable, members: Jagged) -> JetKinematics:
    pt, eta, phi = (row[members.values] for row in table.columns[:3])
    return four_vector_sums(pt, eta, phi, members.offsets)
