"""Which constituents a stored jet has: through references to unique numbers, or through an index per constituent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Jagged, References, offsets_of

__all__ = ["Resolved", "from_index", "referenced_collections", "resolve"]

# Delphes objects count from 1 within 24 bits; the upper byte can carry the number of a TProcessID, in the reference
# or in the object but not always in both.
_BITS = 24
_MASK = (1 << _BITS) - 1


@final
@dataclass(frozen=True)
class Resolved:
    """Constituents of jets.

    Attributes:
        members: for each jet the positions of its constituents in the flat arrays of constituents.
        dangling: (n_jets,) int64, references of each jet that lead to no stored object.
    """

    members: Jagged
    dangling: np.ndarray


def resolve(references: References, unique_ids: Jagged) -> Resolved:
    """Find the objects that references point at, in the same event, by the lower 24 bits of their unique numbers.

    Args:
        references: of the jets of each event.
        unique_ids: ``fUniqueID`` of the possible constituents of each event; of two with the same number the first
            counts.
    """
    targets = references.targets
    keys = _keys(unique_ids.values, unique_ids.offsets)
    wanted = _keys(targets.values, targets.offsets[references.objects])
    order = np.argsort(keys, kind="stable")
    at = np.searchsorted(keys[order], wanted)
    found = at < len(keys)
    found[found] = keys[order[at[found]]] == wanted[found]
    positions = np.full(len(wanted), -1)
    positions[found] = order[at[found]]
    members = Jagged(positions, targets.offsets).keep_values(found)
    return Resolved(members, targets.counts - members.counts)


def _keys(unique_ids: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the number of the event and the lower 24 bits of each unique number in one integer."""
    event = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return event << _BITS | unique_ids.astype(np.int64) & _MASK


def from_index(jet_index: Jagged, jets: np.ndarray) -> Resolved:
    """Find the constituents of jets where each constituent stores the number of its jet.

    Args:
        jet_index: for each constituent of each event the position of its jet in the event, -1 for none.
        jets: (n_events + 1,) offsets of the jets of each event.
    """
    event = np.repeat(np.arange(len(jet_index)), jet_index.counts)
    inside = np.flatnonzero(jet_index.values >= 0)
    jet = jets[event[inside]] + jet_index.values[inside]
    counts = np.bincount(jet, minlength=int(jets[-1]))
    members = Jagged(inside[np.argsort(jet, kind="stable")], offsets_of(counts))
    return Resolved(members, np.zeros(len(counts), np.int64))


def referenced_collections(
    tree: EventTree, references: str, candidates: Sequence[str], step_size: str
) -> tuple[str, ...]:
    """Return those of the ``candidates`` that hold constituents of the jets; all of them where none does.

    This reads the references and unique numbers of the whole file once: the ATLAS card stores energy-flow collections
    that no jet refers to, the CMS card stores towers that no jet refers to, and reading their kinematics for nothing
    would cost more.

    Raises:
        InputError: a branch is missing or damaged.
    """
    unique_ids = [f"{collection}.fUniqueID" for collection in candidates]
    hit: set[str] = set()
    for step in tree.steps(unique_ids, step_size, [references]):
        for collection, name in zip(candidates, unique_ids, strict=True):
            if len(resolve(step.references[references], step.leaves[name]).members.values):
                hit.add(collection)
    return tuple(collection for collection in candidates if collection in hit) or tuple(candidates)
