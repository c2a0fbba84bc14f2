"""Which jets of an event are accepted."""

import numpy as np

from cloudchamber.settings import JetSelection

__all__ = ["hardest"]


def hardest(
    event: np.ndarray, pt: np.ndarray, eta: np.ndarray, mass: np.ndarray, selection: JetSelection
) -> tuple[np.ndarray, np.ndarray]:
    """Choose jets by their windows, at most ``selection.jets_per_event`` of each event.

    Args:
        event: (n,) int64, the event of each jet.
        pt, eta, mass: (n,) transverse momentum [GeV], pseudorapidity and mass [GeV].
        selection: windows and limit.

    Returns:
        Positions of the chosen jets, event by event, hardest first, and their ranks among all jets of the event.
    """
    order = np.lexsort((-pt, event))
    rank = _position_in_run(event[order])
    low, high = selection.pt_window
    accepted = (pt[order] >= low) & (pt[order] <= high) & (np.abs(eta[order]) <= selection.eta_max)
    if selection.mass_window is not None:
        lightest, heaviest = selection.mass_window
        accepted &= (mass[order] >= lightest) & (mass[order] <= heaviest)
    order, rank = order[accepted], rank[accepted]
    few = _position_in_run(event[order]) < selection.jets_per_event
    return order[few], rank[few]


def _position_in_run(values: np.ndarray) -> np.ndarray:
    """Return the position of each element in its run of equal values; ``values`` is sorted."""
    return np.arange(len(values)) - np.searchsorted(values, values)
