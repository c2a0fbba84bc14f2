"""A training of a second, that can be interrupted at any step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn

from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.task import Task
from cloudchamber.training.trainer import Trained, fit

IDENTITY = {"settings": {"steps": 23}, "data": "abc"}
SETTINGS = TrainingSettings(
    steps=23, batch_size=8, learning_rate=1e-2, validate_every=6, save_every=5, accelerator="cpu", ema_decay=0.9
)


class InterruptedTrainingError(Exception):
    """Stands for whatever ends a process from outside."""


@final
class Regression(Task):
    """A noisy regression with dropout and batch normalisation: it uses every random number and buffer there is."""

    def __init__(self, at_step: dict[int, Callable[[Tensor], Tensor]] | None = None) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.network = nn.Sequential(
                nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 8), nn.Linear(8, 1)
            )
            self._inputs = torch.randn(29, 3)
        self.size = len(self._inputs)
        self._at_step = at_step or {}
        self.calls = 0

    def to(self, device: torch.device) -> None:
        self._inputs = self._inputs.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        self.calls += 1
        inputs = self._inputs[rows][share]
        noise = torch.randn(len(rows), generator=generator)[share]
        loss = (network(inputs)[:, 0] - inputs.sum(dim=1) - 0.1 * noise).square().mean()
        return self._at_step.get(self.calls, lambda value: value)(loss)

    def validate(self, network: nn.Module) -> dict[str, Any]:
        assert not network.training
        with torch.no_grad():
            return {"error": float((network(self._inputs)[:, 0] - self._inputs.sum(dim=1)).square().mean())}


def interrupt(loss: Tensor) -> Tensor:
    raise InterruptedTrainingError


def fit_task(task: Task, folder: Path, settings: TrainingSettings = SETTINGS, seed: int = 4) -> Trained:
    return fit(task, settings, seed, folder, IDENTITY)


def same(first: Trained, second: Trained) -> bool:
    return first.history == second.history and all(
        torch.equal(first.weights[name], value) for name, value in second.weights.items()
    )


def saved_steps(folder: Path) -> list[int]:
    return sorted(int(path.stem.removeprefix("step_")) for path in folder.glob("step_*.pt"))
