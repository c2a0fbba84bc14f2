"""Which constituents come from pile-up: by their leaf ``IsPU``, or through references to particles that have one.

Of towers ``IsPU`` alone tells nothing, since Delphes leaves it at zero: they have their share of the hard collision.
The module ``Calorimeter`` of Delphes leaves both at zero, for towers and neutral energy flow alike.
"""

from collections.abc import Sequence
from contextlib import closing
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.readers.constituents import merge
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.jagged import Jagged, Step
from cloudchamber.readers.references import resolve

__all__ = ["PARTICLE_PILE_UP", "PileUp"]

PARTICLE_PILE_UP = "Particle.IsPU"

# Delphes leaves IsPU of calorimeter towers at zero and has their share of the hard collision instead, which it does not
# fill for the muons among them.
_TOWER_LEAVES = ("Tower.HardEnergyFraction", "Tower.Eem", "Tower.Ehad")
_PARTICLE_LEAVES = ("Particle.fUniqueID", "Particle.E", PARTICLE_PILE_UP)
# As Delphes has it for the neutral objects of energy flow.
_LEAST_HARD_FRACTION = 0.5
_SHARE = "HardEnergyFraction"
_FIRST_EVENTS = "1 MB"


@final
class PileUp:
    """Finds the constituents of pile-up in the events of one file.

    Args:
        tree: the file.
        collections: where the constituents are.
        through_references: follow references to particles where a collection has no ``IsPU`` of its own.

    Attributes:
        leaves, references: what to read.
        told_by: names of the branches that tell.
        silent: collections of which the file does not tell what is pile-up.
    """

    def __init__(self, tree: EventTree, collections: Sequence[str], *, through_references: bool) -> None:
        self._path, self._collections = tree.path, collections
        towers_tell = all(leaf in tree for leaf in _TOWER_LEAVES)
        marked = [name for name in collections if f"{name}.IsPU" in tree and (name != "Tower" or towers_tell)]
        own = [name for name in marked if not _left_at_zero(tree, name)]
        with_tower = "Tower" in own
        followed = through_references and all(leaf in tree for leaf in _PARTICLE_LEAVES)
        self._links = {
            name: link
            for name in (collections if followed else ())
            for link in (f"{name}.Particle", f"{name}.Particles")
            if name not in own and link in tree
        }
        self.leaves = (
            *(f"{name}.IsPU" for name in own),
            *(_TOWER_LEAVES if with_tower else ()),
            *(_PARTICLE_LEAVES if self._links else ()),
        )
        self.references = tuple(self._links.values())
        self.told_by = tuple(
            dict.fromkeys([*self.leaves[: len(own)], *self.references, *(_TOWER_LEAVES[:1] if with_tower else ())])
        )
        self.silent = tuple(name for name in collections if name not in own and name not in self._links)

    def find(self, step: Step) -> np.ndarray:
        """Return (total,) bool, which constituents are pile-up, in the order of :func:`constituents.gather`.

        Raises:
            InputError: a reference to a particle leads nowhere.
        """
        return merge([self._of_collection(step, name) for name in self._collections]).values

    def _of_collection(self, step: Step, name: str) -> Jagged:
        if name in self._links:
            return self._through_references(step, name)
        eta = step.leaves[f"{name}.Eta"]
        found = np.zeros(len(eta.values), bool)
        if f"{name}.IsPU" in step.leaves:
            found |= step.leaves[f"{name}.IsPU"].values != 0
        if name == "Tower" and _TOWER_LEAVES[0] in step.leaves:
            hard, electromagnetic, hadronic = (step.leaves[leaf].values for leaf in _TOWER_LEAVES)
            found |= (hard < _LEAST_HARD_FRACTION) & (electromagnetic + hadronic > 0)
        return Jagged(found, eta.offsets)

    def _through_references(self, step: Step, name: str) -> Jagged:
        unique_ids, energy, pile_up = (step.leaves[leaf] for leaf in _PARTICLE_LEAVES)
        references = step.references[self._links[name]]
        found = resolve(references, unique_ids)
        lost = int(found.dangling.sum())
        if lost:
            raise InputError(
                f"{self._path}: {lost} references of '{self._links[name]}' lead to no particle, so that it cannot be "
                "told what is pile-up; Particle may hold the hard collision alone; pile_up: keep takes all"
            )
        members = found.members
        of_object = np.repeat(np.arange(len(members)), members.counts)
        share = energy.values[members.values].astype(np.float64)
        hard = share * (pile_up.values[members.values] == 0)
        total, from_hard = (np.bincount(of_object, values, len(members)) for values in (share, hard))
        return Jagged(from_hard < _LEAST_HARD_FRACTION * total, references.objects)


def _left_at_zero(tree: EventTree, name: str) -> bool:
    """Return whether the uncharged objects of the first events have neither a share of the hard collision nor ``IsPU``.

    Each that was filled has one of both. Of charged ones Delphes always knows.
    """
    share, marks, charge = (f"{name}.{leaf}" for leaf in (_SHARE, "IsPU", "Charge"))
    if share not in tree:
        return False
    leaves = [share, marks, *([charge] if charge in tree else [])]
    with closing(tree.steps(leaves, _FIRST_EVENTS)) as steps:
        first = next(steps, None)
    if first is None:
        return False
    filled = (first.leaves[share].values != 0) | (first.leaves[marks].values != 0)
    uncharged = first.leaves[charge].values == 0 if charge in tree else np.ones_like(filled)
    return bool(uncharged.any() and not filled[uncharged].any())
