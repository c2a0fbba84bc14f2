"""Whether the jets of two samples of events were made alike: else candidates of the one are not those of the other."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cloudchamber.damage import readable_as
from cloudchamber.metrics.cut_samples import say_cut_events
from cloudchamber.preparation.detectors import detector_of, detectors_differ

__all__ = [
    "JETS_PER_EVENT",
    "MADE",
    "jets_made",
    "made_of",
    "say_jets_unlike_training",
    "say_other_cut",
    "say_other_cut_than_training",
    "say_other_jets",
]

# Key of the meta data of collected events, and of the training in the description of a network.
MADE = "jets"
# Key of the training: how many of its events have 0, 1, ... jets.
JETS_PER_EVENT = "jets_per_event"
# A background without tops has no partons to find.
_OF_PARTONS = ("partons", "match_radius")


def jets_made(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the meta data of clouds of events say of how their jets were made.

    Args:
        meta: as ``ingest`` writes them.

    Returns:
        "settings" of the clouds and of their layout, and "detector": what is known of the files.
    """
    settings = meta.get("provenance", {}).get("settings", {})
    chosen = {
        **settings.get("clouds", {}),
        **{key: settings[key] for key in ("layout", "max_particles") if key in settings},
    }
    return {"settings": chosen, "detector": detector_of(meta)}


def say_other_jets(sample: Path, other: Path) -> None:
    """Say on standard error how the jets of the events of one file were made otherwise than those of another.

    Args:
        sample, other: collected events. Of events of other programs nothing is said.

    Raises:
        InputError: a file cannot be read.
    """
    _say("assignment evaluate", sample, made_of(sample), str(other), made_of(other))


def say_jets_unlike_training(events: Path, trainings: Mapping[Path, Mapping[str, Any]]) -> None:
    """Say on standard error how the jets of events were made otherwise than those that networks were trained with.

    Args:
        events: file of the events that are to be assigned.
        trainings: description of each network, and what it says of the training. Of several whose jets were made alike
            the first is named. Where events or training do not say how jets were made, nothing is said.

    Raises:
        InputError: the file cannot be read.
    """
    mine, said = made_of(events), []
    for description, training in trainings.items():
        its = training.get(MADE)
        if isinstance(its, Mapping) and its not in said:
            said.append(its)
            _say("assignment assign", events, mine, f"the training of {description}", its)


def say_other_cut(sample: Path, jets: np.ndarray, other: Path, others: np.ndarray) -> None:
    """Say on standard error that the events of one file were cut to their hardest jets, and those of another were not.

    Args:
        sample, other: the files.
        jets, others: (N,) and (M,) numbers of jets of their events.
    """
    say_cut_events("assignment evaluate", {str(sample): np.bincount(jets), str(other): np.bincount(others)})


def say_other_cut_than_training(
    step: str, events: str, jets: np.ndarray, trainings: Mapping[str, Mapping[str, Any]]
) -> None:
    """Say the same of events and those that networks were trained with.

    Args:
        step: what says it.
        events: what the events are called.
        jets: (N,) numbers of jets of the events.
        trainings: what descriptions say of the training, by the name of the network. The first that differs is named,
            others are often of the same events. Older descriptions do not tell.
    """
    for network, training in trainings.items():
        if JETS_PER_EVENT in training:
            of_training = np.array(training[JETS_PER_EVENT], np.int64)
            if say_cut_events(step, {events: np.bincount(jets), f"the training of {network}": of_training}):
                return


def made_of(path: Path) -> Mapping[str, Any]:
    """Return what :func:`jets_made` found of collected events, nothing of events of other programs.

    Raises:
        InputError: the file cannot be read.
    """
    with readable_as(path, "a file of collected events"), h5py.File(path, "r") as file:
        meta = json.loads(file["META"][()].tobytes()) if "META" in file else {}
    found = meta.get(MADE)
    return found if isinstance(found, Mapping) else {}


def _say(step: str, events: Path, mine: Mapping[str, Any], other: str, its: Mapping[str, Any]) -> None:
    """Say in what jets of events differ from others, by what is known of both."""
    if not mine or not its:
        return
    own, others = mine["settings"], its["settings"]
    said = [
        f"jets made with other settings than those of {other}: {key} is {own[key]}, and not {others[key]}"
        for key in own
        if key in others and key not in _OF_PARTONS and own[key] != others[key]
    ]
    found = detectors_differ(mine["detector"], its["detector"], other)
    for line in [*said, *([found] if found is not None else [])]:
        sys.stderr.write(f"{step}: WARNING: {events}: {line}\n")
