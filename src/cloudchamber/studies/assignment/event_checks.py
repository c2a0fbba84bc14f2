"""What no event of jets can be: a file of another convention is refused, and not computed with."""

from pathlib import Path

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.readers.whole_numbers import whole_numbers
from cloudchamber.studies.assignment.topology import EventTopology

__all__ = ["check_jets", "check_masses", "check_targets", "jet_mask", "whole_targets"]

# No jet is beyond this pseudorapidity; further out energies are no numbers any more.
_ETA_LIMIT = 20.0
# Of the azimuth, which some programs have from 0 to 2 pi.
_PHI_LIMIT = 6.3
# The median pT of all jets [GeV]. It is 54 in the events that come with SPANet; MeV, logarithms and standardised values
# are far from that.
_TYPICAL_PT = (5.0, 5000.0)
# The median mass over the median pT; it is a seventh in these events.
_LARGEST_MASS = 2.0


def jet_mask(values: np.ndarray, path: Path, key: str) -> np.ndarray:
    """Return (N, J) bool of a mask of any type.

    Raises:
        InputError: a value is neither 0 nor 1; or jets do not come first.
    """
    other = ~np.isin(values, (0, 1))
    if other.any():
        event = other.any(axis=1).argmax()
        raise InputError(f"{path}: key '{key}' is {values[other][0]} in event {event}, expected 0 or 1")
    mask = values.astype(bool)
    # Networks and chi-square compute the first jets of an event, as many as it has.
    gaps = mask[:, 1:] & ~mask[:, :-1]
    if gaps.any():
        raise InputError(f"{path}: key '{key}': event {gaps.any(axis=1).argmax()} has a gap in its jets")
    return mask


def check_jets(values: np.ndarray, mask: np.ndarray, source: str, name: str) -> None:
    """Refuse (N, J) values of a feature that no jet has.

    Args:
        values: of the feature, in all slots.
        mask: (N, J) bool, true for jets.
        source: file and key, or argument, for errors.
        name: of the feature: pt, eta, phi, mass or btag.

    Raises:
        InputError: the message names the source and the event.
    """
    there = values[mask]
    size = np.abs(there)
    # A mass may be slightly negative: ROOT's sign for a square that rounding made negative.
    possible = np.isfinite(there)
    expected = "a number"
    if name == "pt":
        possible &= there > 0
        expected = "more than zero: slots without a jet belong out of the mask"
    elif name == "eta":
        possible &= size <= _ETA_LIMIT
        expected = f"|eta| up to {_ETA_LIMIT:g}"
    elif name == "phi":
        possible &= size <= _PHI_LIMIT
        expected = "radians"
    elif name == "btag":
        possible &= (there == 0) | (there == 1)
        expected = "0 or 1: cut a discriminant at its working point first"
    if not possible.all():
        first = int(possible.argmin())
        event = np.nonzero(mask)[0][first]
        raise InputError(f"{source}: no such jet in event {event}: {there[first]:g}, expected {expected}")
    if name == "pt" and len(there):
        typical, (low, high) = float(np.median(there)), _TYPICAL_PT
        if not low <= typical <= high:
            raise InputError(f"{source}: the median pT of all jets is {typical:.3g}, expected GeV")


def check_masses(jets: np.ndarray, mask: np.ndarray, source: str) -> None:
    """Refuse (N, J, F) jets whose mass, the fourth feature, is in another unit than their pT, the first.

    Raises:
        InputError: the message names the source, file and key or argument.
    """
    there = jets[mask]
    if not len(there):
        return
    pt, mass = float(np.median(there[:, 0])), float(np.median(there[:, 3]))
    if mass < 0:
        raise InputError(f"{source}: the median mass of all jets is {mass:.3g}: it was not filled")
    if mass > _LARGEST_MASS * pt:
        raise InputError(f"{source}: the median mass of all jets is {mass:.3g}, their pT {pt:.3g}: expected GeV")


def whole_targets(values: np.ndarray, path: Path, key: str) -> np.ndarray:
    """Return (N,) int64 positions of jets of any type of number.

    Raises:
        InputError: one is not whole.
    """
    return whole_numbers(path, f"key '{key}'", values, 0)


def check_targets(targets: np.ndarray, n_jets: np.ndarray, topology: EventTopology, path: Path) -> None:
    """Refuse (N, T) positions that are none of the (N,) jets of an event, or two partons in one jet.

    Raises:
        InputError: the message names key and event.
    """
    for column, (particle, daughter) in enumerate(topology.targets):
        values = targets[:, column]
        wrong = (values < -1) | (values >= n_jets)
        if wrong.any():
            event = wrong.argmax()
            raise InputError(
                f"{path}: key 'TARGETS/{particle}/{daughter}' is {values[event]} in event {event}, "
                f"which has {n_jets[event]} jets"
            )
    ordered = np.sort(targets, axis=1)
    twice = ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any(axis=1)
    if twice.any():
        raise InputError(f"{path}: TARGETS: two partons have the same jet in event {twice.argmax()}")
