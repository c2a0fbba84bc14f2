"""What becomes a cloud: a jet as stored, a jet clustered anew, or a whole event."""

from typing import final

import numpy as np

from cloudchamber.cloud import Column
from cloudchamber.errors import InputError
from cloudchamber.preparation.clustering import JetKinematics, cluster, four_vector_sums
from cloudchamber.preparation.columns import JET_FEATURES, MULTIPLICITY
from cloudchamber.preparation.jet_events import JET_LEAVES, TARGET_COLUMNS, JetEventSource
from cloudchamber.preparation.nanoaod_jets import NanoJetSource
from cloudchamber.preparation.particle_tally import ParticleTally
from cloudchamber.preparation.raw_clouds import CloudSource, RawClouds
from cloudchamber.preparation.selection import hardest
from cloudchamber.preparation.stored_jets import StoredJetSource
from cloudchamber.preparation.truth import TRUTH_LEAVES, matched, read_prongs
from cloudchamber.readers.constituents import (
    VISIBLE_LEAVES,
    ConstituentTable,
    constituent_collections,
    constituent_leaves,
    gather,
    point_columns,
    visible,
)
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Jagged, Step, offsets_of
from cloudchamber.readers.pile_up import PARTICLE_PILE_UP, PileUp
from cloudchamber.settings.ingestion import (
    EventConstituents,
    IngestionSettings,
    JetEvents,
    ReclusteredJets,
    StoredJets,
    WholeEvents,
)

__all__ = ["feature_columns", "label_columns", "open_source", "particle_columns"]

_STORED_FEATURES = (
    Column("stored_pt", "GeV"),
    Column("stored_eta"),
    Column("stored_phi", "rad"),
    Column("stored_mass", "GeV"),
)
_EVENT_FEATURES = (Column("sum_pt", "GeV"), Column("mass", "GeV"))


def particle_columns(settings: IngestionSettings) -> tuple[Column, ...]:
    """Return names and units of what the particles of a cloud have."""
    of_jets = JET_LEAVES if isinstance(settings.clouds, JetEvents) else ()
    return point_columns((*of_jets, *settings.extra_leaves))


def label_columns(clouds: StoredJets | ReclusteredJets | WholeEvents | JetEvents) -> tuple[Column, ...]:
    """Return the labels that a kind of cloud has beyond those that all clouds have."""
    if isinstance(clouds, StoredJets):
        return tuple(Column(leaf) for leaf in clouds.jet_labels)
    return TARGET_COLUMNS if isinstance(clouds, JetEvents) else ()


def feature_columns(clouds: StoredJets | ReclusteredJets | WholeEvents | JetEvents) -> tuple[Column, ...]:
    """Return names and units of the features of each kind of cloud.

    ``jet_*``, ``sum_pt`` and ``mass`` are of the sum over all constituents before truncation, taken as massless;
    ``stored_*`` are the values in the file, after its energy scale; ``n_constituents`` counts before truncation.
    """
    if isinstance(clouds, WholeEvents):
        return (*_EVENT_FEATURES, MULTIPLICITY)
    if isinstance(clouds, JetEvents):
        return (_EVENT_FEATURES[0], MULTIPLICITY)
    stored = _STORED_FEATURES if isinstance(clouds, StoredJets) else ()
    return (*JET_FEATURES, *stored, MULTIPLICITY)


def open_source(tree: EventTree, settings: IngestionSettings) -> CloudSource:
    """Return what makes clouds of the events of ``tree``.

    Raises:
        InputError: a branch is missing or damaged.
    """
    clouds = settings.clouds
    if isinstance(clouds, StoredJets) and settings.layout == "nanoaod":
        return NanoJetSource(tree, clouds, settings.extra_leaves)
    if isinstance(clouds, StoredJets):
        return StoredJetSource(tree, clouds, settings.extra_leaves, settings.step_size)
    if isinstance(clouds, ReclusteredJets):
        return ReclusteredJetSource(tree, clouds, settings.extra_leaves)
    if isinstance(clouds, JetEvents):
        return JetEventSource(tree, clouds, settings.extra_leaves, settings.max_particles)
    return EventSource(tree, clouds, settings.extra_leaves)


class _ConstituentSource(CloudSource):
    """Abstract: makes clouds of all constituents of a kind."""

    def __init__(self, tree: EventTree, clouds: EventConstituents, extra: tuple[str, ...]) -> None:
        self._extra, self._select_visible = extra, clouds.constituents == "particle"
        self._particles = ParticleTally()
        self._leaves_out_pile_up = clouds.leaves_out_pile_up
        self.collections = constituent_collections(tree, clouds.constituents, clouds.collections)
        asked = clouds.pile_up == "leave_out"
        self._pile_up = PileUp(tree, self.collections, through_references=asked)
        if asked and self._pile_up.silent:
            raise InputError(
                f"{tree.path}: nothing tells which objects of {', '.join(self._pile_up.silent)} are pile-up: they have "
                "no leaf IsPU (of towers it counts beside HardEnergyFraction, Eem and Ehad alone), or it and "
                "HardEnergyFraction are zero for all, and no references to particles that have one"
            )
        selection = VISIBLE_LEAVES if self._select_visible else ()
        leaves = (*constituent_leaves(self.collections, extra), *selection, *self._pile_up.leaves)
        self.leaves = tuple(dict.fromkeys(leaves))
        self.references = self._pile_up.references
        self.pile_up_by = self._pile_up.told_by

    def _table(self, step: Step) -> tuple[ConstituentTable, int, np.ndarray]:
        """Return the constituents that have a direction, the number of those without, and (n_events,) of those from
        pile-up."""
        table = gather(step, self.collections, self._extra)
        pile_up = self._pile_up.find(step)
        seen = visible(step) if self._select_visible else np.ones_like(pile_up)
        if self._select_visible:
            self._particles.add(step.leaves[VISIBLE_LEAVES[1]].values[seen], table.columns[0][seen])
        of_events = np.diff(offsets_of(pile_up & seen)[table.offsets])
        table = table.keep(seen & ~pile_up if self._leaves_out_pile_up else seen)
        directed = table.with_direction
        return table.keep(directed), len(directed) - int(directed.sum()), of_events

    def unlikely(self) -> str | None:
        """Say what is unlikely of the particles of the generator."""
        return "; ".join(self._particles.unlikely()) or None


@final
class EventSource(_ConstituentSource):
    """Each event with constituents is a cloud."""

    def __init__(self, tree: EventTree, clouds: WholeEvents, extra: tuple[str, ...]) -> None:
        super().__init__(tree, clouds, extra)

    def clouds(self, step: Step) -> RawClouds:
        """Return one cloud for each event that has constituents."""
        table, without_direction, pile_up = self._table(step)
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
            pile_up=pile_up,
            pile_up_left_out=int(pile_up.sum()) if self._leaves_out_pile_up else 0,
        )


@final
class ReclusteredJetSource(_ConstituentSource):
    """Jets clustered from the constituents of each event."""

    def __init__(self, tree: EventTree, clouds: ReclusteredJets, extra: tuple[str, ...]) -> None:
        super().__init__(tree, clouds, extra)
        self._path, self._settings = tree.path, clouds
        self._accepted = self._decays = 0
        if clouds.truth_match is not None:
            if "Particle" not in tree.collections:
                raise InputError(f"{tree.path}: no branch 'Particle', which the truth match needs")
            pile_up = [PARTICLE_PILE_UP] if PARTICLE_PILE_UP in tree else []
            self.leaves = tuple(dict.fromkeys([*self.leaves, *TRUTH_LEAVES, *pile_up]))

    def clouds(self, step: Step) -> RawClouds:
        """Return the accepted jets of each event."""
        table, without_direction, pile_up = self._table(step)
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
            match = settings.truth_match
            axes = (jets.event[chosen], sums.eta[chosen], sums.phi[chosen])
            largest = settings.radius if match.radius is None else match.radius
            prongs = read_prongs(step, self._path)
            self._accepted += accepted
            self._decays += int((prongs.sizes == match.prongs).sum())
            kept = matched(*axes, prongs, match.prongs, largest)
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
            pile_up=pile_up,
            pile_up_left_out=int(pile_up.sum()) if self._leaves_out_pile_up else 0,
            unmatched=accepted - len(chosen),
        )

    def unlikely(self) -> str | None:
        """Say what is unlikely of the particles, and that there is nothing that the accepted jets could match."""
        said = self._particles.unlikely()
        match = self._settings.truth_match
        if match is not None and self._accepted and not self._decays:
            said.append(
                f"no particle decays to {match.prongs} quarks or gluons of status 23, the code of Pythia 8: none of "
                f"{self._accepted} accepted jets is left by the truth match"
            )
        return "; ".join(said) or None


def _sums(table: ConstituentTable, members: Jagged) -> JetKinematics:
    pt, eta, phi = (row[members.values] for row in table.columns[:3])
    return four_vector_sums(pt, eta, phi, members.offsets)
