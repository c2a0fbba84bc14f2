"""Partons of top pairs in the branch Particle: b, q1 and q2 of the top (t1) and of the antitop (t2).

A quark is the b of a top where its first mother is a top, and a light quark where its first mother is a W that comes
from a top. These are the daughters of the last copies, since copies that radiate are mothers of themselves first. q1 is
the quark of up type. It works alike on files that keep the hard process alone and on whole records of Pythia 8.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.readers.jagged import Step
from cloudchamber.readers.pile_up import PARTICLE_PILE_UP
from cloudchamber.readers.whole_numbers import whole_lists

__all__ = ["PARTON_LEAVES", "TopPartons", "read_top_partons"]

PARTON_LEAVES = tuple(f"Particle.{leaf}" for leaf in ("PID", "M1", "Eta", "Phi"))

_MOTHER = "Particle.M1"
_TOP, _W, _HEAVIEST_LIGHT = 6, 24, 5


@final
@dataclass(frozen=True)
class TopPartons:
    """Quarks from the decays of tops in some events.

    Attributes:
        event: (n,) int64, position of the event in the step, not decreasing.
        column: (n,) int64, which parton: b, q1, q2 of t1, then of t2.
        eta, phi: (n,) float64 direction.
    """

    event: np.ndarray
    column: np.ndarray
    eta: np.ndarray
    phi: np.ndarray


def read_top_partons(step: Step, path: Path) -> TopPartons:
    """Return the quarks of all events of ``step``, which has the leaves :data:`PARTON_LEAVES` and may have ``IsPU``.

    Of an event with several tops of one charge, or with two quarks for one place, the partons in question are left out.

    Raises:
        InputError: a mother is outside its event, or its own ancestor; the message names the file ``path``.
    """
    leaves = [step.leaves[name] for name in PARTON_LEAVES]
    pid, first_mother, eta, phi = (leaf.values for leaf in leaves)
    first_mother = whole_lists(path, _MOTHER, leaves[1], step.events)
    kind = np.abs(pid)
    counts = leaves[0].counts
    event = np.repeat(np.arange(len(counts)), counts)
    outside = (first_mother < -1) | (first_mother >= counts[event])
    if outside.any():
        at = step.events[event[np.argmax(outside)]]
        raise InputError(f"{path}: branch 'Particle.M1' points outside the particles of event {at}")
    mother = np.where(first_mother < 0, -1, leaves[0].offsets[event] + first_mother)
    quark = (kind >= 1) & (kind <= _HEAVIEST_LIGHT) & (mother >= 0)
    if PARTICLE_PILE_UP in step.leaves:
        quark &= step.leaves[PARTICLE_PILE_UP].values == 0
    rows = np.flatnonzero(quark)
    rows = rows[np.isin(kind[mother[rows]], (_TOP, _W))]
    top = mother[rows]
    for _ in range(int(counts.max(initial=0)) + 1):
        climbs = (top >= 0) & (kind[top] == _W)
        if not climbs.any():
            break
        top[climbs] = mother[top[climbs]]
    else:
        raise InputError(f"{path}: branch 'Particle.M1' makes a particle its own ancestor")
    of_top = (top >= 0) & (kind[top] == _TOP)
    rows, top = rows[of_top], top[of_top]
    up_type = kind[rows] % 2 == 0
    parton = np.where(kind[mother[rows]] == _TOP, 0, np.where(up_type, 1, 2))
    column = parton + np.where(pid[top] > 0, 0, 3)
    place = 6 * event[rows] + column
    _, first, repeats = np.unique(place, return_index=True, return_counts=True)
    alone = first[repeats == 1]
    rows, column = rows[alone], column[alone]
    return TopPartons(event[rows], column, eta[rows].astype(np.float64), phi[rows].astype(np.float64))
