"""Fitting of a score as a task for the training loop."""

from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor, nn

from cloudchamber.studies.active_matter.losses import ScoreLoss
from cloudchamber.studies.active_matter.score_model import ScoreModel
from cloudchamber.studies.active_matter.score_settings import LossSettings
from cloudchamber.training.task import Task

__all__ = ["ScoreTask"]

_VALIDATED, _CHUNK = 2048, 256


@final
class ScoreTask(Task):
    """Fits a score to snapshots.

    Args:
        network: the score.
        settings: of the loss.
        states: (M, N, C) float32.
        drives: (M,) float32.
        train, validation: rows of the two parts.
        particles: of each snapshot that a batch takes; None for all.
        seed: of the noise of the validation.
    """

    def __init__(
        self,
        network: ScoreModel,
        settings: LossSettings,
        states: Tensor,
        drives: Tensor,
        train: Tensor,
        validation: Tensor,
        particles: int | None,
        seed: int,
    ) -> None:
        self.network, self.size = network, len(train)
        self._loss = ScoreLoss(settings, network)
        self._states, self._drives = states, drives[:, None, None]
        every = -(-len(validation) // _VALIDATED)
        self._train, self._validation = train, validation[::every]
        self._particles = None if particles is None or particles >= states.shape[1] else particles
        self._seed = seed

    def to(self, device: torch.device) -> None:
        self._states, self._drives = self._states.to(device), self._drives.to(device)
        self._train, self._validation = self._train.to(device), self._validation.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        return self._losses(network, self._train[rows], generator, share).mean()

    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the mean loss of the validation part, with the same noise at each call."""
        generator = torch.Generator(device=self._states.device).manual_seed(self._seed)
        everything = slice(None)
        with torch.no_grad():
            losses = [self._losses(network, rows, generator, everything) for rows in self._validation.split(_CHUNK)]
        return {"validation_loss": float(torch.cat(losses).mean())}

    def _losses(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        states = self._states[rows]
        noise = torch.randn(states.shape, generator=generator, device=states.device)
        chosen = None
        if self._particles is not None:
            order = torch.randperm(states.shape[1], generator=generator, device=states.device)
            chosen = order[: self._particles]
        return self._loss(network, states[share], self._drives[rows][share], chosen, noise[share])
