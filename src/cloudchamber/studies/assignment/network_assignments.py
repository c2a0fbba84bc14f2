"""What a network makes of events: the best assignment of each, with its probability."""

from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from cloudchamber.progress import progress
from cloudchamber.studies.assignment.decoding import best_choices
from cloudchamber.studies.assignment.event_file import Events
from cloudchamber.studies.assignment.network import AssignmentNetwork, Scores

__all__ = ["Decoded", "assign", "decode"]

# Events of one call: small pieces stay in the cache of a CPU.
_CHUNK = 128


@final
@dataclass(frozen=True)
class Decoded:
    """What a network makes of N events.

    Attributes:
        jets: (N, T) int64 jets of the partons.
        log_probability: (N, P) float64, of the choice for each particle.
        detection: (N, P) float64, probability that the particle has all its jets.
    """

    jets: np.ndarray
    log_probability: np.ndarray
    detection: np.ndarray


@torch.inference_mode()
def assign(network: AssignmentNetwork, events: Events) -> Decoded:
    """Return the best assignment of each event; events of equal size are computed together."""
    topology = network.topology
    device = next(network.parameters()).device
    order = np.argsort(events.n_jets, kind="stable")
    jets = np.full((len(events), topology.jets), -1)
    log_probability = np.full((len(events), len(topology.names)), -np.inf)
    detection = np.zeros((len(events), len(topology.names)))
    with progress("assignment", len(events), "events") as report:
        for start in range(0, len(order), _CHUNK):
            rows = order[start : start + _CHUNK]
            scores = network(*(torch.from_numpy(values[rows]).to(device) for values in (events.jets, events.mask)))
            jets[rows], log_probability[rows] = decode(scores, len(rows))
            detection[rows] = scores.detection.sigmoid().double().cpu().numpy()
            report.update(len(rows))
    return Decoded(jets, log_probability, detection)


def decode(scores: Scores, events: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the best (B, T) jets of the events of a batch, and (B, P) their log probabilities."""
    every = torch.arange(events, device=scores.detection.device).unsqueeze(1)
    owners = [block[:, 0, 0].cpu().numpy() for block in scores.rows.split(scores.rows.spread(every))]
    places, found, values = [], [], []
    for number, rows in enumerate(owners):
        of_block = [blocks[number].float().cpu().numpy() for blocks in scores.blocks]
        best, log_probability = best_choices(of_block)
        places.append(rows)
        found.append(best)
        values.append(log_probability)
    back = np.argsort(np.concatenate(places))
    return np.concatenate(found)[back], np.concatenate(values)[back]
