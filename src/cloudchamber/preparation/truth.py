"""Truth match: which jets contain all prongs of one heavy particle of the generator.

A prong is a quark or gluon of status 23, the code of Pythia for what leaves the hard process or comes from the decay of
a resonance. The prongs of one particle are those whose chains of first mothers lead to it, the first particle after
the incoming partons (status 21). Particles of pile-up are no prongs. Distances are sqrt(deta^2 + dphi^2), from the axis
of the jet.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.jets.relative import wrap
from cloudchamber.readers.jagged import Step
from cloudchamber.readers.pile_up import PARTICLE_PILE_UP
from cloudchamber.readers.whole_numbers import whole_lists

__all__ = ["TRUTH_LEAVES", "Prongs", "matched", "read_prongs"]

TRUTH_LEAVES = tuple(f"Particle.{leaf}" for leaf in ("PID", "Status", "M1", "Eta", "Phi"))

_MOTHER = "Particle.M1"
_PRONG, _INCOMING = 23, 21
_PARTONS = (1, 2, 3, 4, 5, 21)


@final
@dataclass(frozen=True)
class Prongs:
    """Prongs of some events.

    Attributes:
        event: (n,) int64, position of the event in the step, not decreasing.
        parent: (n,) int64, number of the particle that the prong comes from, 0 to ``len(sizes)`` - 1.
        eta, phi: (n,) direction.
        sizes: prongs of each parent.
    """

    event: np.ndarray
    parent: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    sizes: np.ndarray


def read_prongs(step: Step, path: Path) -> Prongs:
    """Return the prongs of all events of ``step``, which has the leaves :data:`TRUTH_LEAVES` and may have ``IsPU``.

    Raises:
        InputError: a mother is outside its event, or its own ancestor; the message names the file ``path``.
    """
    leaves = [step.leaves[name] for name in TRUTH_LEAVES]
    pid, status, first_mother, eta, phi = (leaf.values for leaf in leaves)
    first_mother = whole_lists(path, _MOTHER, leaves[2], step.events)
    counts = leaves[0].counts
    event = np.repeat(np.arange(len(counts)), counts)
    outside = (first_mother < -1) | (first_mother >= counts[event])
    if outside.any():
        at = step.events[event[np.argmax(outside)]]
        raise InputError(f"{path}: branch 'Particle.M1' points outside the particles of event {at}")
    prongs = (status == _PRONG) & np.isin(np.abs(pid), _PARTONS)
    if PARTICLE_PILE_UP in step.leaves:
        prongs &= step.leaves[PARTICLE_PILE_UP].values == 0
    rows = np.flatnonzero(prongs)
    start = leaves[0].offsets[event[rows]]
    ancestor = rows
    for _ in range(int(counts.max(initial=0)) + 1):
        above = np.where(first_mother[ancestor] < 0, ancestor, start + first_mother[ancestor])
        above = np.where(status[above] == _INCOMING, ancestor, above)
        if (above == ancestor).all():
            break
        ancestor = above
    else:
        raise InputError(f"{path}: branch 'Particle.M1' makes a particle its own ancestor")
    _, parent, sizes = np.unique(ancestor, return_inverse=True, return_counts=True)
    return Prongs(event[rows], parent, eta[rows], phi[rows], sizes)


def matched(
    event: np.ndarray, eta: np.ndarray, phi: np.ndarray, prongs: Prongs, wanted: int, radius: float
) -> np.ndarray:
    """Return (n,) bool, which jets contain all prongs of a particle with ``wanted`` of them and none of another.

    Args:
        event: (n,) event of each jet.
        eta, phi: (n,) axis of each jet.
        prongs: prongs of the same events; particles with another number of prongs do not count.
        wanted: number of prongs.
        radius: largest distance of a prong from the axis.
    """
    first, last = (np.searchsorted(prongs.event, event, side=side) for side in ("left", "right"))
    pairs = last - first
    jet = np.repeat(np.arange(len(event)), pairs)
    prong = np.arange(len(jet)) + np.repeat(last - np.cumsum(pairs), pairs)
    distance = np.hypot(prongs.eta[prong] - eta[jet], wrap(prongs.phi[prong] - phi[jet]))
    inside = (distance < radius) & (prongs.sizes[prongs.parent[prong]] == wanted)
    # Each pair of jet and particle once, with the number of its prongs in the jet.
    particles = max(len(prongs.sizes), 1)
    both, found = np.unique(jet[inside] * particles + prongs.parent[prong[inside]], return_counts=True)
    touched = np.bincount(both // particles, minlength=len(event))
    complete = np.bincount(both // particles, found == wanted, minlength=len(event))
    return (touched == 1) & (complete == 1)
