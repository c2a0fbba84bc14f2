"""Events that a network was trained with are told from others by their jets, in whatever file they are.

What a network knows is kept as the lowest hashes of its events. An event of any other file that is among them has one
of these hashes or a higher one than all, so that the share of known events follows from few of them.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.preparation.identical import fingerprints
from cloudchamber.studies.assignment.event_file import JET_FEATURES, Events

__all__ = ["KNOWN", "event_fingerprints", "lowest_fingerprints", "refuse_known_events"]

# Key of the training in the description of a network.
KNOWN = "lowest_fingerprints"
# All events of a small training. Of a larger one, a file with one percent of its events has none of these in 1 of
# 30,000 files.
_KEPT = 1024


def event_fingerprints(events: Events) -> np.ndarray:
    """Return (N,) uint64, equal for events whose hardest jets are identical; events without jets are like no other."""
    content = fingerprints(events.jets, np.zeros((len(events), 0)), JET_FEATURES.index("pt"))
    empty = events.n_jets == 0
    content[empty] = np.arange(np.count_nonzero(empty), dtype=np.uint64)
    return content


def lowest_fingerprints(events: Events) -> list[str]:
    """Return what a description says of the events that a network was trained and watched with: hexadecimal numbers."""
    return [f"{value:016x}" for value in np.unique(event_fingerprints(events))[:_KEPT].tolist()]


def refuse_known_events(network: Path, training: Mapping[str, Any], source: Path, events: Events) -> None:
    """Refuse events that a network was trained or watched with: what it makes of them is better than of others.

    Args:
        network: description of the network.
        training: what it says of the training.
        source: file of the events.
        events: those that the network is to assign.

    Raises:
        InputError: some of them are known to the network.
    """
    if KNOWN not in training:
        sys.stderr.write(f"{network}: nothing says which events the network was trained with\n")
        return
    known = np.array([int(value, 16) for value in training[KNOWN]], np.uint64)
    content = event_fingerprints(events)
    comparable = content[content <= known.max()] if len(known) == _KEPT else content
    met = int(np.isin(comparable, known).sum())
    if met:
        raise InputError(
            f"{source}: the network {network} was trained or watched with {met / len(comparable):.0%} of the "
            f'{len(events)} events that it is to assign; name the "part" of its test events, or take others'
        )
