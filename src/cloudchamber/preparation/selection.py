"""Which jets of an event are accepted."""

import numpy as np

from cloudchamber.settings.ingestion import JetSelection, JetWindows

__all__ = ["hardest", "within"]


def within(pt: np.ndarray, eta: np.ndarray, mass: np.ndarray, windows: JetWindows) -> np.ndarray:
    """Return (n,) bool, which jets are accepted.

    Args:
        pt, eta, mass: (n,) transverse momentum [GeV], pseudorapidity and mass [GeV].
        windows: of what is accepted, limits included. A mass below zero counts as zero.
    """
    low, high = windows.pt_window
    accepted: np.ndarray = (pt >= low) & (pt <= high) & (np.abs(eta) <= windows.eta_max)
    if windows.mass_window is not None:
        lightest, heaviest = windows.mass_window
        # Rounding makes stored masses of light jets slightly negative.
        accepted &= (np.maximum(mass, 0) >= lightest) & (mass <= heaviest)
    return accepted


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
    accepted = within(pt[order], eta[order], mass[order], selection)
    order, rank = order[accepted], rank[accepted]
    few = _position_in_run(event[order]) < selection.jets_per_event
    return order[few], rank[few]


def _position_in_run(values: np.ndarray) -> np.ndarray:
    """Return the position of each element in its run of equal values; ``values`` is sorted."""
    return np.arange(len(values)) - np.searchsorted(values, values)
