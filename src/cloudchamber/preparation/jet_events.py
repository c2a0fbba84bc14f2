"""Events as clouds of their jets, with the jets that the partons of a top pair became."""

from typing import final

import numpy as np

from cloudchamber.cloud import Column
from cloudchamber.errors import InputError
from cloudchamber.preparation.parton_match import match_partons
from cloudchamber.preparation.raw_clouds import CloudSource, RawClouds
from cloudchamber.preparation.softest_jet import SoftestJet
from cloudchamber.preparation.top_pairs import PARTON_LEAVES, read_top_partons
from cloudchamber.readers.constituents import constituent_leaves, gather
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Step
from cloudchamber.readers.pile_up import PARTICLE_PILE_UP
from cloudchamber.readers.whole_numbers import whole_lists
from cloudchamber.settings.ingestion import JetEvents

__all__ = ["JET_LEAVES", "TARGET_COLUMNS", "JetEventSource"]

# Fewer jets may all be light ones.
_ENOUGH_JETS = 100
# Beside PT, Eta and Phi.
JET_LEAVES = ("Mass", "BTag")
TARGET_COLUMNS = tuple(Column(f"{top}_{parton}") for top in ("t1", "t2") for parton in ("b", "q1", "q2"))


@final
class JetEventSource(CloudSource):
    """Each accepted event is a cloud of its stored jets.

    Args:
        tree: the file.
        clouds: what is accepted and matched.
        extra: further leaves of the jets.
        width: jets that are kept of an event; a parton whose jet is not kept has none.
    """

    def __init__(self, tree: EventTree, clouds: JetEvents, extra: tuple[str, ...], width: int) -> None:
        self._path, self._settings, self._width = tree.path, clouds, width
        self._tagged = self._accepted = self._partons = 0
        self._stored = SoftestJet(clouds.collection, "clouds.pt_min", clouds.pt_min)
        self._extra = (*JET_LEAVES, *extra)
        self.collections = (clouds.collection,)
        self.leaves = tuple(constituent_leaves(self.collections, self._extra))
        if clouds.partons == "top_pair":
            if "Particle" not in tree.collections:
                raise InputError(f"{tree.path}: no branch 'Particle', which holds the partons of the tops")
            pile_up = [PARTICLE_PILE_UP] if PARTICLE_PILE_UP in tree else []
            self.leaves = (*self.leaves, *PARTON_LEAVES, *pile_up)

    def clouds(self, step: Step) -> RawClouds:
        """Return the accepted events, with the rank by pT of the jet of each parton as labels, -1 for none."""
        settings = self._settings
        self._refuse_other_tags(step)
        table = gather(step, self.collections, self._extra)
        directed = table.with_direction
        table = table.keep(directed)
        pt, eta, phi = table.columns[:3].astype(np.float64)
        table.columns[4] = self._has_tag(table.columns[4].astype(np.int64))
        self._stored.add(pt)
        self._tagged += int(table.columns[4].sum())
        counts = np.diff(table.offsets)
        event = np.repeat(np.arange(len(counts)), counts)
        inside = (pt > settings.pt_min) & (np.abs(eta) < settings.eta_max)
        jets = np.bincount(event[inside], minlength=len(counts))
        tags = np.bincount(event[inside], table.columns[4][inside], minlength=len(counts))
        accepted = (jets >= settings.jets_min) & (tags >= settings.b_tags_min)
        targets = np.full((len(counts), len(TARGET_COLUMNS)), -1)
        if settings.partons == "top_pair":
            partons = read_top_partons(step, self._path)
            self._partons += len(partons.event)
            jet = match_partons(event, eta, phi, partons.event, partons.eta, partons.phi, settings.match_radius)
            found = jet >= 0
            # The writer sorts by falling pT and keeps the order of equal ones.
            order = np.lexsort((-pt.astype(np.float32), event))
            rank = np.empty_like(order)
            rank[order] = np.arange(len(order)) - table.offsets[event]
            of_parton = np.where(found, rank[jet] if len(rank) else -1, -1)
            of_parton[of_parton >= self._width] = -1
            targets[partons.event, partons.column] = of_parton
        kept = np.flatnonzero(accepted)
        self._accepted += len(kept)
        # A copy of the lists of accepted events alone.
        columns = table.columns[:, accepted[event]]
        offsets = np.concatenate(([0], np.cumsum(counts[kept])))
        sums = np.bincount(event, pt, minlength=len(counts))
        return RawClouds(
            columns,
            offsets,
            kept,
            np.zeros_like(kept),
            np.column_stack([sums[kept], counts[kept]]),
            with_constituents=counts > 0,
            without_direction=len(directed) - int(directed.sum()),
            labels=targets[kept],
            not_accepted=int((~accepted).sum()),
        )

    def unlikely(self) -> str | None:
        """Say that none of the many jets has a b-tag or is as soft as is asked for, and that no event has tops."""
        settings, said = self._settings, []
        if self._stored.jets >= _ENOUGH_JETS and not self._tagged:
            bit = settings.b_tag_bit or 0
            said.append(f"none of {self._stored.jets} jets has a b-tag, bit {bit} of '{settings.collection}.BTag'")
        said += filter(None, [self._stored.unlikely()])
        if settings.partons == "top_pair" and self._accepted and not self._partons:
            said.append(
                f"no event has a quark whose mother in 'Particle' is a top or its W: none of {self._accepted} accepted "
                "events has jets of partons (clouds.partons: none asks for none)"
            )
        return "; ".join(said) or None

    def _refuse_other_tags(self, step: Step) -> None:
        """Refuse a discriminant, which would be cut down to zero, and a negative number, which has all bits."""
        name = f"{self._settings.collection}.BTag"
        tags = whole_lists(self._path, name, step.leaves[name], step.events)
        if (tags < 0).any():
            raise InputError(
                f"{self._path}: branch '{name}' is {tags.min()} for a jet: expected 0 or 1, or a bit for each working "
                "point of the card"
            )

    def _has_tag(self, working_points: np.ndarray) -> np.ndarray:
        """Return whether each jet has a b-tag, from the whole number whose bits are the working points of the card."""
        bit = self._settings.b_tag_bit
        if bit is None and (working_points > 1).any():
            every = int(np.bitwise_or.reduce(working_points))
            found = [str(number) for number in range(every.bit_length()) if every >> number & 1]
            raise InputError(
                f"{self._path}: branch '{self._settings.collection}.BTag' has the bits {', '.join(found)}, one for "
                "each working point of the card: clouds.b_tag_bit says which one counts"
            )
        return working_points >> (bit or 0) & 1
