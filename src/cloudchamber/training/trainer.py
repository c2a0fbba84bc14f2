"""The training loop on Lightning Fabric: one CPU, one GPU or several.

A training that is killed at any moment and started again gives bitwise the weights and history of one that was not,
on CPU: the order of the examples depends on seed and epoch alone, and the state holds weights, averages, optimiser,
random generators, step and history.
"""

import json
import math
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from torch import Tensor

from cloudchamber import seeds
from cloudchamber.errors import DivergenceError, StateError, TerminatedError
from cloudchamber.progress import progress
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.average import WeightAverage
from cloudchamber.training.state import load_state, locked, save_state
from cloudchamber.training.task import Task

__all__ = ["Trained", "fit", "learning_rate_factor"]


@final
@dataclass(frozen=True)
class Trained:
    """Result of a training.

    Attributes:
        weights: averaged weights by name, on the CPU: the last, or those of the lowest validation loss.
        history: one row per validation: step, losses, learning rate, the figures of the task.
        first: whether this process is the one that writes the outputs.
    """

    weights: dict[str, Tensor]
    history: list[dict[str, Any]]
    first: bool


def learning_rate_factor(step: int, settings: TrainingSettings) -> float:
    """Return the factor on the learning rate at ``step``: linear warm-up, then constant or half a cosine to zero."""
    warmup = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    if settings.schedule == "constant":
        return warmup
    return warmup * 0.5 * (1 + math.cos(math.pi * step / settings.steps))


def fit(task: Task, settings: TrainingSettings, seed: int, state_folder: Path, identity: dict[str, Any]) -> Trained:
    """Train ``task.network`` and return its averaged weights and history.

    Args:
        task: data, network and loss.
        settings: the loop.
        seed: decides the order of the examples and all random numbers of the training.
        state_folder: where the resumable state is kept; states of another identity are refused.
        identity: what makes the training: settings, data, code.

    Raises:
        DivergenceError: the loss or its gradient is not finite; the last state on disk is from before.
        StateError: the state folder is in use, damaged or of another training.
        TerminatedError: SIGTERM arrived; the state is saved.
    """
    fabric = Fabric(
        accelerator=settings.accelerator,
        devices=settings.devices,
        num_nodes=settings.nodes,
        strategy="ddp" if settings.devices * settings.nodes > 1 else "auto",
        precision=settings.precision,
        # On one node the processes are started from here, inside an allocation of SLURM too; srun starts those of many.
        plugins=LightningEnvironment() if settings.nodes == 1 else None,
    )
    fabric.launch()
    loop = _Loop(fabric, task, settings, seed, state_folder, identity)
    with _lock_of_first(fabric, state_folder), _termination() as terminated:
        return loop.run(terminated)


@contextmanager
def _lock_of_first(fabric: Fabric, folder: Path) -> Iterator[None]:
    if not fabric.is_global_zero:
        yield
        return
    with locked(folder):
        yield


@contextmanager
def _termination() -> Iterator[list[int]]:
    """Collect termination signals instead of dying from them."""
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


def _warn(line: str) -> None:
    sys.stderr.write(f"warning: {line}\n")


@final
class _Loop:
    def __init__(
        self,
        fabric: Fabric,
        task: Task,
        settings: TrainingSettings,
        seed: int,
        folder: Path,
        identity: dict[str, Any],
    ) -> None:
        self.fabric, self.task, self.settings, self.seed = fabric, task, settings, seed
        self.folder, self.identity = folder, identity
        task.to(fabric.device)
        optimizer = torch.optim.AdamW(
            task.network.parameters(),
            lr=settings.learning_rate,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
        )
        self.network, self.optimizer = fabric.setup(task.network, optimizer)
        self.average = WeightAverage(task.network, settings.ema_decay)
        self.generator = torch.Generator(device=fabric.device).manual_seed(seeds.integer_seed(seed, "training"))
        # Dropout has no generator argument and draws from torch's own.
        torch.manual_seed(seeds.integer_seed(seed, "dropout", fabric.global_rank))
        self.step = 0
        self.epoch, self.order = -1, np.empty(0, np.int64)
        self.history: list[dict[str, Any]] = []
        self.losses: list[float] = []
        self.best: dict[str, Tensor] = {}
        self.lowest = math.inf

    def run(self, terminated: list[int]) -> Trained:
        self._restore()
        steps = self.settings.steps
        with progress("training", steps, "steps", done=self.step, shown=self.fabric.is_global_zero) as bar:
            while self.step < steps:
                loss = self._advance()
                bar.note(f"loss {loss:.4f}")
                bar.update()
                if self.step % self.settings.validate_every == 0 or self.step == steps:
                    self._validate()
                stop = bool(terminated)
                if stop or self.step % self.settings.save_every == 0 or self.step == steps:
                    self._save()
                if stop:
                    raise TerminatedError(f"terminated after step {self.step} of {steps}; state saved in {self.folder}")
        weights = {name: value.cpu() for name, value in (self.best or self.average.weights).items()}
        return Trained(weights, self.history, self.fabric.is_global_zero)

    def _batch(self) -> Tensor:
        size = min(self.settings.batch_size, self.task.size)
        size -= size % self.fabric.world_size  # processes average their losses, so that their shares must be equal
        per_epoch = self.task.size // size
        epoch, position = divmod(self.step, per_epoch)
        if epoch != self.epoch:
            # The order is a function of the epoch, so that it need not be part of the state.
            self.order = seeds.generator(self.seed, "order", epoch).permutation(self.task.size)
            self.epoch = epoch
        return torch.from_numpy(self.order[position * size : (position + 1) * size]).to(self.fabric.device)

    def _advance(self) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * learning_rate_factor(self.step, self.settings)
        rows = self._batch()
        rank, world = self.fabric.global_rank, self.fabric.world_size
        share = slice(rank * len(rows) // world, (rank + 1) * len(rows) // world)
        self.network.train()
        loss: Tensor = self.task.loss(self.network, rows, self.generator, share)
        mean = self.fabric.all_reduce(loss.detach(), reduce_op="mean")
        assert isinstance(mean, Tensor), "a tensor is reduced to a tensor"
        value = mean.item()
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        norm = self.fabric.clip_gradients(
            self.network, self.optimizer, max_norm=self.settings.gradient_clip, error_if_nonfinite=False
        )
        # A finite loss can have a gradient that is not, and the weights may be saved next. All processes share the
        # gradient, so that after the backward pass they stop together.
        self._check_finite(value, "loss")
        assert norm is not None, "clipping by norm returns the norm"
        self._check_finite(float(norm), "norm of the gradient")
        self.optimizer.step()
        self.average.update(self.task.network)
        self.step += 1
        self.losses.append(value)
        return value

    def _check_finite(self, value: float, name: str) -> None:
        if not math.isfinite(value):
            raise DivergenceError(
                f"{name} is {value} at step {self.step + 1}; the last saved state is in {self.folder}; "
                "lower training.learning_rate or training.gradient_clip"
            )

    def _validate(self) -> None:
        row: dict[str, Any] = {
            "step": self.step,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "training_loss": math.fsum(self.losses) / len(self.losses),
        }
        self.losses.clear()
        present = {name: value.clone() for name, value in self.task.network.state_dict().items()}
        self.task.network.load_state_dict(self.average.weights)
        try:
            row |= self.task.validate(self.task.network.eval())
        finally:
            self.task.network.load_state_dict(present)
        self.history.append(row)
        if self.settings.keep == "best" and row["validation_loss"] < self.lowest:
            self.lowest = row["validation_loss"]
            self.best = {name: value.clone() for name, value in self.average.weights.items()}

    def _save(self) -> None:
        if not self.fabric.is_global_zero:
            return
        state = {
            "identity": json.dumps(self.identity, sort_keys=True),
            "step": self.step,
            "network": self.task.network.state_dict(),
            "average": self.average.weights,
            "best": self.best,
            "lowest": self.lowest,
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "torch_generator": torch.get_rng_state(),
            "cuda_generators": torch.cuda.get_rng_state_all(),
            "losses": self.losses,
            "history": self.history,
        }
        save_state(self.folder, self.step, state)

    def _restore(self) -> None:
        state = load_state(self.folder, self.identity, _warn)
        if state is None:
            return
        self.step, self.losses, self.history = state["step"], state["losses"], state["history"]
        self.task.network.load_state_dict(state["network"])
        self.average.load(state["average"])
        self.best = {name: value.to(self.fabric.device) for name, value in state["best"].items()}
        self.lowest = state["lowest"]
        self.optimizer.load_state_dict(state["optimizer"])
        try:
            self.generator.set_state(state["generator"])
            torch.set_rng_state(state["torch_generator"])
            torch.cuda.set_rng_state_all(state["cuda_generators"])
        except RuntimeError as error:
            message = f"{self.folder}: the state was saved on other devices; go on there or remove the folder"
            raise StateError(message) from error
