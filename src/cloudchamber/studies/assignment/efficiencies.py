"""Which particles of which events an assignment gets right, and the shares that are quoted (arXiv 2010.09206).

A particle that is identifiable has all its jets in the event. It is right where the assignment has those jets,
exchanges of equivalent daughters aside. Of the exchanges of equivalent particles the one counts that gets most
particles right.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from cloudchamber.metrics.shares import mean_share
from cloudchamber.studies.assignment.topology import EventTopology

__all__ = ["Share", "correct_particles", "event_efficiency", "event_purity", "particle_efficiency"]


@final
@dataclass(frozen=True)
class Share:
    """A share of n events or particles, and the standard error of it."""

    value: float
    uncertainty: float
    n: int


def correct_particles(assignment: np.ndarray, targets: np.ndarray, topology: EventTopology) -> np.ndarray:
    """Return (N, P) bool: which of the true particles the assignment gets right.

    Args:
        assignment, targets: (N, T) positions of jets in the order of ``EventTopology.targets``, -1 for none.
        topology: the particles and what may be exchanged.
    """
    starts = np.cumsum([0, *(len(particle.daughters) for particle in topology.particles.values())])
    names = topology.names
    # right[i][j]: the jets given to particle i are those of the true particle j.
    right = np.zeros((len(targets), len(names), len(names)), bool)
    for permutation in topology.symmetries:
        for place, source in enumerate(permutation):
            given = assignment[:, starts[source] : starts[source + 1]]
            true = targets[:, starts[place] : starts[place + 1]]
            same = np.zeros(len(targets), bool)
            for symmetry in topology.particles[names[place]].symmetries:
                same |= (given[:, list(symmetry)] == true).all(axis=1)
            right[:, source, place] = same & (true >= 0).all(axis=1)
    best = np.zeros((len(targets), len(names)), bool)
    most = np.full(len(targets), -1)
    for permutation in topology.symmetries:
        candidate = np.stack([right[:, source, place] for place, source in enumerate(permutation)], axis=1)
        better = candidate.sum(axis=1) > most
        best[better], most[better] = candidate[better], candidate[better].sum(axis=1)
    return best


def _share(of_events: ArrayLike) -> Share:
    values = np.asarray(of_events, np.float64)
    n = len(values)
    if not n:
        return Share(float("nan"), float("nan"), 0)
    return Share(*mean_share(values), n)


def event_efficiency(correct: np.ndarray, found: np.ndarray) -> Share:
    """Return the share of the events with all particles identifiable in which all are right.

    Args:
        correct, found: (N, P) bool, which particles are right and which are identifiable.
    """
    complete = found.all(axis=1)
    return _share(correct[complete].all(axis=1))


def particle_efficiency(correct: np.ndarray, found: np.ndarray, identifiable: int) -> Share:
    """Return the share of right particles in the events with exactly so many ``identifiable`` ones.

    With two tops it is eps_2^top for 2 and eps_1^top for 1. The error is that of the mean over events, since the
    particles of one event are not independent.
    """
    chosen = found.sum(axis=1) == identifiable
    return _share((correct & found)[chosen].sum(axis=1) / identifiable)


def event_purity(correct: np.ndarray, found: np.ndarray) -> Share:
    """Return the share of all events in which all particles are identifiable and right."""
    return _share((found & correct).all(axis=1))
