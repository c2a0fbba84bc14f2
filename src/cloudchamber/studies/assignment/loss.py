"""Loss of the assignment network: the same for every order of equivalent daughters and of equivalent particles."""

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from cloudchamber.networks.cloud_rows import CloudRows
from cloudchamber.studies.assignment.network import Scores
from cloudchamber.studies.assignment.topology import EventTopology

__all__ = ["assignment_losses", "event_weights"]


def assignment_losses(
    scores: Scores, targets: Tensor, topology: EventTopology, detection: float = 0.0, repulsion: float = 0.0
) -> Tensor:
    """Return the (B,) loss of each event.

    A branch pays the negative log probability of the jets of its particle, where that is identifiable. Of all exchanges
    of equivalent particles between branches the one counts in which all branches together pay least (arXiv 2010.09206).

    Args:
        scores: of the network.
        targets: (B, T) jets of the partons, -1 for none.
        topology: particles and what may be exchanged.
        detection: weight of the cross-entropy that says whether each particle is identifiable (SPANet v2).
        repulsion: weight of the symmetric cross-entropy between branches of equivalent particles, which is subtracted
            and keeps them from one choice; 0.2 in the code released with arXiv 2010.09206.
    """
    of_particle = targets.split([len(particle.daughters) for particle in topology.particles.values()], dim=1)
    found = [(jets >= 0).all(dim=1) for jets in of_particle]
    costs: dict[tuple[int, int], Tensor] = {}
    for symmetry in topology.symmetries:
        for branch, particle in enumerate(symmetry):
            if (branch, particle) not in costs:
                cost = _negative_log_probability(
                    scores.blocks[branch], of_particle[particle], found[particle], scores.rows
                )
                if detection:
                    logits, truth = scores.detection[:, branch], found[particle].float()
                    cost = cost + detection * binary_cross_entropy_with_logits(logits, truth, reduction="none")
                costs[branch, particle] = cost
    totals = [torch.stack([costs[pair] for pair in enumerate(symmetry)]).sum(dim=0) for symmetry in topology.symmetries]
    loss = torch.stack(totals).min(dim=0).values
    return loss - repulsion * _cross_entropies(scores, topology) if repulsion else loss


def _negative_log_probability(blocks: Sequence[Tensor], jets: Tensor, found: Tensor, rows: CloudRows) -> Tensor:
    """Return (B,) the negative log probability of the ``jets`` (B, D) of a particle, zero where it is not ``found``."""
    every = torch.arange(len(jets), device=jets.device).unsqueeze(1)
    values = []
    for block, owners in zip(blocks, rows.split(rows.spread(every)), strict=True):
        chosen = jets[owners[:, 0, 0]].clamp(min=0)
        entry = torch.zeros_like(chosen[:, 0])
        for daughter in range(chosen.shape[1]):
            entry = entry * block.shape[1] + chosen[:, daughter]
        values.append(block.flatten(1).gather(1, entry.unsqueeze(1)))
    return torch.where(found, -rows.join_clouds(values).squeeze(1), 0.0)


def _cross_entropies(scores: Scores, topology: EventTopology) -> Tensor:
    """Return (B,) the sum over pairs of equivalent particles of -sum p ln q - sum q ln p."""
    total = torch.zeros_like(scores.detection[:, 0])
    for group in topology.exchangeable:
        places = [topology.names.index(name) for name in group]
        entries = len(topology.particles[group[0]].symmetries)
        for one, other in combinations(places, 2):
            values = []
            for first, second in zip(scores.blocks[one], scores.blocks[other], strict=True):
                # Entries of forbidden choices are zero times -1e9.
                both = -(first.exp() * second + second.exp() * first).flatten(1).sum(dim=1, keepdim=True)
                values.append(both / entries)
            total = total + scores.rows.join_clouds(values).squeeze(1)
    return total


def event_weights(found: Tensor, balanced: bool) -> Tensor:
    """Return (N,) weights of events in the loss, mean one.

    Args:
        found: (N, P) bool, which particles are identifiable.
        balanced: whether events with each number of identifiable particles count alike in sum.
    """
    if not balanced:
        return torch.ones(len(found))
    number = found.sum(dim=1)
    frequency = torch.bincount(number, minlength=found.shape[1] + 1)
    weights = 1.0 / frequency[number].float()
    return weights * (len(found) / weights.sum())
