"""The training loop: one CPU, one GPU or several.

A training that is killed at any moment and started again gives bitwise the weights and history of one that was not,
on CPU: the order of the examples depends on seed and epoch alone, and the state holds weights, averages, optimiser,
random generators, step and history.
"""

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from cloudchamber import seeds
from cloudchamber.errors import DivergenceError, StateError, TerminatedError
from cloudchamber.progress import progress
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.average import WeightAverage
from cloudchamber.training.events import events
from cloudchamber.training.learning_rate import learning_rate_factor
from cloudchamber.training.optimizers.choice import optimizers_of
from cloudchamber.training.processes import Processes, processes_of
from cloudchamber.training.remarks import remarks
from cloudchamber.training.state import load_state, locked, save_state
from cloudchamber.training.task import Task
from cloudchamber.training.termination import termination

__all__ = ["Trained", "fit"]


@final
@dataclass(frozen=True)
class Trained:
    """Result of a training.

    Attributes:
        weights: averaged weights by name, on the CPU: the last, or those of the lowest validation loss.
        history: rows of step, learning rate and training loss, the mean since the row before; those of a validation
            hold the figures of the task too.
        first: whether this process is the one that writes the outputs.
    """

    weights: dict[str, Tensor]
    history: list[dict[str, Any]]
    first: bool


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
    processes = processes_of(settings)
    loop = _Loop(processes, task, settings, seed, state_folder, identity)
    with _lock_of_first(processes, state_folder), termination() as terminated:
        return loop.run(terminated)


@contextmanager
def _lock_of_first(processes: Processes, folder: Path) -> Iterator[None]:
    if not processes.first:
        yield
        return
    with locked(folder):
        yield


def _warn(line: str) -> None:
    sys.stderr.write(f"warning: {line}\n")


@final
class _Loop:
    def __init__(
        self,
        processes: Processes,
        task: Task,
        settings: TrainingSettings,
        seed: int,
        folder: Path,
        identity: dict[str, Any],
    ) -> None:
        self.processes, self.task, self.settings, self.seed = processes, task, settings, seed
        self.folder, self.identity = folder, identity
        task.to(processes.device)
        task.network.to(processes.device)
        self.network = processes.wrap(task.network)
        self.parameters = [p for p in task.network.parameters() if p.requires_grad]
        self.optimizers = optimizers_of(self.parameters, settings)
        self.average = WeightAverage(task.network, settings.ema_decay)
        self.generator = torch.Generator(device=processes.device).manual_seed(seeds.integer_seed(seed, "training"))
        # Dropout has no generator argument and draws from torch's own.
        torch.manual_seed(seeds.integer_seed(seed, "dropout", processes.rank))
        self.step = 0
        self.epoch, self.order = -1, np.empty(0, np.int64)
        self.history: list[dict[str, Any]] = []
        self.losses: list[float] = []
        self.best: dict[str, Tensor] = {}
        self.lowest = math.inf

    def run(self, terminated: list[int]) -> Trained:
        self._restore()
        if self.processes.first:
            without_matrices = "muon" in self.optimizers and not self.optimizers["muon"].parameters
            for line in remarks(self.settings, self.task.size, without_matrices):
                sys.stderr.write(f"training: {line}\n")
        steps = self.settings.steps
        with (
            self._watched() as watch,
            progress("training", steps, "steps", done=self.step, shown=self.processes.first) as bar,
        ):
            while self.step < steps:
                loss = self._advance()
                bar.note(f"loss {loss:.4f}")
                bar.update()
                if self.step % self.settings.validate_every == 0 or self.step == steps:
                    self.history.append(self._validated())
                    watch(self.history[-1])
                elif self.step % self.settings.record_every == 0:
                    self.history.append(self._losses_until_now())
                    watch(self.history[-1])
                stop = bool(terminated)
                if stop or self.step % self.settings.save_every == 0 or self.step == steps:
                    self._save()
                if stop:
                    raise TerminatedError(f"terminated after step {self.step} of {steps}; state saved in {self.folder}")
        weights = {name: value.cpu() for name, value in (self.best or self.average.weights).items()}
        return Trained(weights, self.history, self.processes.first)

    def _watched(self) -> AbstractContextManager[Callable[[Mapping[str, Any]], None]]:
        """Return what shows rows of the history to whoever watches."""
        if self.settings.tensorboard and self.processes.first:
            return events(self.folder, self.history)
        return nullcontext(lambda row: None)

    def _batch(self) -> Tensor:
        size = min(self.settings.batch_size, self.task.size)
        size -= size % self.processes.size  # processes average their losses, so that their shares must be equal
        per_epoch = self.task.size // size
        epoch, position = divmod(self.step, per_epoch)
        if epoch != self.epoch:
            # The order is a function of the epoch, so that it need not be part of the state.
            self.order = seeds.generator(self.seed, "order", epoch).permutation(self.task.size)
            self.epoch = epoch
        return torch.from_numpy(self.order[position * size : (position + 1) * size]).to(self.processes.device)

    def _advance(self) -> float:
        rows = self._batch()
        rank, size = self.processes.rank, self.processes.size
        share = slice(rank * len(rows) // size, (rank + 1) * len(rows) // size)
        self.network.train()
        loss: Tensor = self.task.loss(self.network, rows, self.generator, share)
        value = self.processes.mean(loss.detach())
        for parameter in self.parameters:
            parameter.grad = None
        self.processes.backward(loss)
        norm = clip_grad_norm_(self.parameters, self.settings.gradient_clip)
        # A finite loss can have a gradient that is not, and the weights may be saved next. All processes share the
        # gradient, so that after the backward pass they stop together.
        self._check_finite(value, "loss")
        self._check_finite(float(norm), "norm of the gradient")
        factor = learning_rate_factor(self.step, self.settings)
        for optimizer in self.optimizers.values():
            optimizer.step(factor)
        self.average.update(self.task.network)
        self.step += 1
        self.losses.append(value)
        return value

    def _learning_rate(self, step: int) -> float:
        return self.settings.learning_rate * learning_rate_factor(step, self.settings)

    def _check_finite(self, value: float, name: str) -> None:
        if not math.isfinite(value):
            muon = "" if self.settings.muon_learning_rate is None else ", training.muon_learning_rate"
            raise DivergenceError(
                f"{name} is {value} at step {self.step + 1}; the last saved state is in {self.folder}; "
                f"lower training.learning_rate{muon} or training.gradient_clip"
            )

    def _losses_until_now(self) -> dict[str, Any]:
        """Return a row of the history with the mean training loss since the row before."""
        mean = math.fsum(self.losses) / len(self.losses)
        self.losses.clear()
        return {"step": self.step, "learning_rate": self._learning_rate(self.step - 1), "training_loss": mean}

    def _validated(self) -> dict[str, Any]:
        """Return a row of the history with the figures of the averaged weights, and keep these where they are best."""
        row = self._losses_until_now()
        present = {name: value.clone() for name, value in self.task.network.state_dict().items()}
        self.task.network.load_state_dict(self.average.weights)
        try:
            row |= self.task.validate(self.task.network.eval())
        finally:
            self.task.network.load_state_dict(present)
        if self.settings.keep == "best" and row["validation_loss"] < self.lowest:
            self.lowest = row["validation_loss"]
            self.best = {name: value.clone() for name, value in self.average.weights.items()}
        return row

    def _save(self) -> None:
        if not self.processes.first:
            return
        state = {
            "identity": json.dumps(self.identity, sort_keys=True),
            "step": self.step,
            "network": self.task.network.state_dict(),
            "average": self.average.weights,
            "best": self.best,
            "lowest": self.lowest,
            "optimizers": {name: optimizer.state() for name, optimizer in self.optimizers.items()},
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
        self.best = {name: value.to(self.processes.device) for name, value in state["best"].items()}
        self.lowest = state["lowest"]
        for name, optimizer in self.optimizers.items():
            optimizer.load(state["optimizers"][name])
        try:
            self.generator.set_state(state["generator"])
            torch.set_rng_state(state["torch_generator"])
            torch.cuda.set_rng_state_all(state["cuda_generators"])
        except RuntimeError as error:
            message = f"{self.folder}: the state was saved on other devices; go on there or remove the folder"
            raise StateError(message) from error
