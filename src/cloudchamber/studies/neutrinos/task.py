"""Training of event and prongs together: focal cross-entropy of both."""

from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor, nn

from cloudchamber.studies.neutrinos.inputs import Batch, EventSource
from cloudchamber.studies.neutrinos.network_settings import LossSettings
from cloudchamber.training.task import Task

__all__ = ["NeutrinoTask", "focal_losses"]

_VALIDATION_CHUNK = 64


def focal_losses(logits: Tensor, target: Tensor, exponent: float) -> Tensor:
    """Return (N,) losses -(1 - p)^exponent ln p of the true class (arXiv 1708.02002, equation 4).

    Args:
        logits: (N, K).
        target: (N,) int64.
        exponent: zero for cross-entropy.

    Example:
        >>> focal_losses(torch.zeros(1, 2), torch.tensor([0]), 1.0)
        tensor([0.3466])
    """
    log_p = logits.float().log_softmax(dim=1).gather(1, target.unsqueeze(1)).squeeze(1)
    if exponent == 0:
        return -log_p
    # The gradient of a power below one is infinite at zero.
    return -((-torch.expm1(log_p)).clamp(min=1e-7) ** exponent) * log_p


@final
class NeutrinoTask(Task):
    """Weighted sum of the mean loss of events and of that of the prongs of a batch.

    Args:
        network: what is trained.
        train, validation: sources of events.
        settings: of the loss.
    """

    def __init__(self, network: nn.Module, train: EventSource, validation: EventSource, settings: LossSettings) -> None:
        self.network, self.size = network, len(train)
        self._train, self._validation, self._settings = train, validation, settings

    def to(self, device: torch.device) -> None:
        self._train, self._validation = self._train.to(device), self._validation.to(device)

    def loss(self, network: Callable[..., Any], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        chosen = rows[share]
        batch = self._train.take(rows)
        noise = torch.randn(batch.hits.shape[:2], generator=generator, device=rows.device)[share]
        batch = Batch(*(values[share] for values in batch))
        factor = 1 + self._settings.pixel_noise * noise
        hits = torch.cat([batch.hits[..., :3], batch.hits[..., 3:4] * factor.unsqueeze(2), batch.hits[..., 4:]], dim=2)
        events, prongs = self._losses(network, batch._replace(hits=hits), self._train, chosen)
        # The mean over the prongs of the whole batch: processes have different numbers of them.
        every = int((self._train.prong_class[rows] >= 0).sum())
        processes = len(rows) / len(chosen)
        return self._mixed(events.mean(), prongs.sum() * processes / max(every, 1))

    def _losses(
        self, network: Callable[..., Any], batch: Batch, source: EventSource, rows: Tensor
    ) -> tuple[Tensor, Tensor]:
        event, prong = network(*batch)
        there = source.prong_class[rows] >= 0
        focal = self._settings.focal
        return (
            focal_losses(event, source.interaction[rows], focal),
            focal_losses(prong[there], source.prong_class[rows][there], focal),
        )

    def _mixed(self, event: Tensor, prong: Tensor) -> Tensor:
        share = self._settings.event_share
        return share * event + (1 - share) * prong

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the validation loss."""
        events, prongs = [], []
        rows = torch.arange(len(self._validation), device=self._validation.interaction.device)
        for some in rows.split(_VALIDATION_CHUNK):
            event, prong = self._losses(network, self._validation.take(some), self._validation, some)
            events.append(event)
            prongs.append(prong)
        every = torch.cat(prongs)
        mean = every.mean() if len(every) else every.sum()
        return {"validation_loss": float(self._mixed(torch.cat(events).mean(), mean))}
