"""Jets of partons: one jet for each parton and one parton for each jet, the nearest pair first.

This is the matching of the code behind arXiv 2010.09206 (davidho27941/HEP-jet-assignment): all pairs of parton and jet
of an event by their distance sqrt(deta^2 + dphi^2), the nearest is taken, both leave, and so on up to a largest
distance.
"""

import numpy as np

from cloudchamber.jets.relative import wrap

__all__ = ["match_partons"]


def match_partons(
    jet_event: np.ndarray,
    jet_eta: np.ndarray,
    jet_phi: np.ndarray,
    parton_event: np.ndarray,
    parton_eta: np.ndarray,
    parton_phi: np.ndarray,
    radius: float,
) -> np.ndarray:
    """Return (P,) int64, the number of the jet of each parton in the arrays of jets, -1 where it has none.

    Args:
        jet_event: (J,) event of each jet, not decreasing.
        jet_eta, jet_phi: (J,) axes of the jets.
        parton_event: (P,) event of each parton.
        parton_eta, parton_phi: (P,) directions of the partons.
        radius: pairs must be nearer than this.
    """
    first, last = (np.searchsorted(jet_event, parton_event, side=side) for side in ("left", "right"))
    pairs = last - first
    parton = np.repeat(np.arange(len(parton_event)), pairs)
    jet = np.arange(len(parton)) + np.repeat(last - np.cumsum(pairs), pairs)
    distance = np.hypot(jet_eta[jet] - parton_eta[parton], wrap(jet_phi[jet] - parton_phi[parton]))
    near = distance < radius
    parton, jet, distance = parton[near], jet[near], distance[near]
    order = np.lexsort((distance, parton_event[parton]))
    parton, jet = parton[order], jet[order]
    jet_of = np.full(len(parton_event), -1)
    taken = np.zeros(len(jet_event), bool)
    # Each round takes the nearest pair that is left of every event, so that there are as many rounds as an event has
    # partons.
    while len(parton):
        _, nearest = np.unique(parton_event[parton], return_index=True)
        jet_of[parton[nearest]] = jet[nearest]
        taken[jet[nearest]] = True
        left = (jet_of[parton] < 0) & ~taken[jet]
        parton, jet = parton[left], jet[left]
    return jet_of
