"""Training of the assignment network as a task for the training loop."""

from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor, nn

from cloudchamber.studies.assignment.loss import assignment_losses, event_weights
from cloudchamber.studies.assignment.network import AssignmentNetwork
from cloudchamber.studies.assignment.network_settings import AssignmentLossSettings
from cloudchamber.training.task import Task

__all__ = ["AssignmentTask", "mirrored"]

_VALIDATION_CHUNK = 512


@final
class AssignmentTask(Task):
    """Negative log probability of the true jets.

    Args:
        network: what is trained.
        data: jets (N, J, 5), mask (N, J) and targets (N, T) of all events.
        train, validation: rows of both parts.
        settings: of the loss.
    """

    def __init__(
        self,
        network: AssignmentNetwork,
        data: tuple[Tensor, Tensor, Tensor],
        train: Tensor,
        validation: Tensor,
        settings: AssignmentLossSettings,
    ) -> None:
        self.network: nn.Module = network
        self.size = len(train)
        self._topology, self._settings = network.topology, settings
        self._train = tuple(values[train] for values in data)
        self._validation = tuple(values[validation] for values in data)
        self._weights = event_weights(self._found(self._train[2]), settings.balanced)

    def _found(self, targets: Tensor) -> Tensor:
        sizes = [len(particle.daughters) for particle in self._topology.particles.values()]
        return torch.stack([(jets >= 0).all(dim=1) for jets in targets.split(sizes, dim=1)], dim=1)

    def to(self, device: torch.device) -> None:
        self._train = tuple(values.to(device) for values in self._train)
        self._validation = tuple(values.to(device) for values in self._validation)
        self._weights = self._weights.to(device)

    def loss(self, network: Callable[..., Any], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        flips = torch.randint(0, 2, (len(rows), 2), generator=generator, device=rows.device)[share]
        chosen = rows[share]
        jets, mask, targets = (values[chosen] for values in self._train)
        if self._settings.mirrored:
            jets = mirrored(jets, flips)
        settings = self._settings
        losses = assignment_losses(network(jets, mask), targets, self._topology, settings.detection, settings.repulsion)
        return (losses * self._weights[chosen]).mean()

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the validation loss, of the negative log probability and detection alone, all events alike."""
        total = 0.0
        for jets, mask, targets in zip(*(values.split(_VALIDATION_CHUNK) for values in self._validation), strict=True):
            scores = network(jets, mask)
            total += float(assignment_losses(scores, targets, self._topology, self._settings.detection).sum())
        return {"validation_loss": total / len(self._validation[0])}


def mirrored(jets: Tensor, flips: Tensor) -> Tensor:
    """Return (B, J, 5) jets with eta or phi of whole events reversed where ``flips`` (B, 2) is one."""
    signs = torch.ones(len(jets), 1, 5, dtype=jets.dtype, device=jets.device)
    signs[:, 0, 1:3] -= 2 * flips.to(jets.dtype)
    return jets * signs
