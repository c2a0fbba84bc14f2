"""The training step: events to the weights of a network, its description and the history."""

from pathlib import Path

import numpy as np
import torch

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.storage import provenance, write_rows
from cloudchamber.studies.assignment.event_file import Events, read_events, read_part
from cloudchamber.studies.assignment.jets_alike import JETS_PER_EVENT, MADE, made_of
from cloudchamber.studies.assignment.known_events import KNOWN, lowest_fingerprints
from cloudchamber.studies.assignment.network import AssignmentNetwork
from cloudchamber.studies.assignment.network_settings import AssignmentLossSettings, AssignmentTrainingSettings
from cloudchamber.studies.assignment.stored_network import StoredNetwork, save_network
from cloudchamber.studies.assignment.task import AssignmentTask
from cloudchamber.studies.assignment.topology import EventTopology
from cloudchamber.training import run

__all__ = ["train_assignment", "training_rows"]


def train_assignment(
    events: Path,
    settings: AssignmentTrainingSettings,
    seed: int,
    part: str,
    complete_events: int | None,
    state: Path,
    weights: Path,
    description: Path,
    history: Path,
) -> None:
    """Train a network on a part of the events.

    Args:
        events: file in the layout of SPANet with parts, made by ``assignment collect``.
        settings: network, loss and loop.
        seed: of everything random in this training.
        part: whose training events are taken, "all" or a fold.
        complete_events: training events with all particles identifiable, for learning curves; the other training events
            come in proportion. None for all there are.
        state: folder of the resumable states; each training has a folder of its own in it.
        weights, description, history: where the outputs go.

    Raises:
        InputError: the events cannot be used, or are too few.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    topology = settings.topology
    sample = read_events(events, topology)
    chosen = read_part(events, f"{part}/train", len(sample))
    watched = read_part(events, f"{part}/validation", len(sample))
    rows = training_rows(sample, chosen, settings.loss, topology, complete_events, seed, events)
    watched = watched[_usable(sample, watched, settings.loss, topology)]
    if not len(watched):
        raise InputError(f"{events}: the part '{part}/validation' has no event to watch the loss on")
    data = (torch.from_numpy(sample.jets), torch.from_numpy(sample.mask), torch.from_numpy(sample.targets))
    with run.initialisation(seed):
        network = AssignmentNetwork(settings.network, topology)
    network.fit(data[0][rows], data[1][rows])
    task = AssignmentTask(network, data, torch.from_numpy(rows), torch.from_numpy(watched), settings.loss)
    options = {"part": part, "complete_events": complete_events}
    entry = "studies.assignment.train:train_assignment"
    trained = run.train(task, settings, seed, state, {"events": events}, entry, options)
    if trained.first:
        complete = int(sample.found(topology)[rows].all(axis=1).sum())
        known = lowest_fingerprints(sample[np.concatenate([rows, watched])])
        training = {"events": len(rows), "complete_events": complete, "part": part, "seed": seed, KNOWN: known}
        training[MADE] = made_of(events)
        training[JETS_PER_EVENT] = np.bincount(sample.n_jets[rows]).tolist()
        record = provenance("assignment train", settings.model_dump(mode="json"), [events], seed)
        save_network(weights, description, StoredNetwork(settings, network, training), trained.weights, record)
        write_rows(history, trained.history)


def training_rows(
    sample: Events,
    rows: np.ndarray,
    loss: AssignmentLossSettings,
    topology: EventTopology,
    complete_events: int | None,
    seed: int,
    source: Path,
) -> np.ndarray:
    """Return the rows to train on, in a random order of which smaller samples are the first.

    Raises:
        InputError: there are fewer complete events than asked for, or none.
    """
    rows = seeds.generator(seed, "assignment", "training events").permutation(rows)
    complete = sample.found(topology)[rows].all(axis=1)
    there = int(complete.sum())
    if there < max(complete_events or 1, 1):
        raise InputError(
            f"{source}: {there} training events have all particles identifiable, asked for {complete_events or 1}"
        )
    if complete_events is not None:
        rows = rows[: int(np.flatnonzero(complete)[complete_events - 1]) + 1]
    return rows[_usable(sample, rows, loss, topology)]


def _usable(sample: Events, rows: np.ndarray, loss: AssignmentLossSettings, topology: EventTopology) -> np.ndarray:
    """Return the mask of the rows that teach a network something, with jets enough for all particles."""
    found = sample.found(topology)[rows]
    usable: np.ndarray = found.all(axis=1) if loss.events == "complete" else found.any(axis=1)
    return usable & (sample.n_jets[rows] >= topology.jets)
