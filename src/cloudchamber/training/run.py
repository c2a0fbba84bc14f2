"""One training from its data to its averaged weights: what every step that trains does alike."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from cloudchamber import seeds
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.storage import sha256
from cloudchamber.training.record import code_digest, state_folder
from cloudchamber.training.task import Task
from cloudchamber.training.trainer import Trained, fit

__all__ = ["initialisation", "train"]


@contextmanager
def initialisation(seed: int) -> Iterator[None]:
    """Draw the initial weights of the block from a stream of their own and leave torch's generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.integer_seed(seed, "initialisation"))
        yield


def train(
    task: Task,
    settings: TrainableSettings,
    seed: int,
    state: Path,
    sources: Mapping[str, Path],
    entry: str,
    options: Mapping[str, Any] | None = None,
) -> Trained:
    """Train a task, or go on with a training that was ended, and return averaged weights and history.

    A saved state is taken up only by a training of the same settings, data, seed, options and code.

    Args:
        task: data, network and loss.
        settings: what makes the weights; the loop is their part ``training``.
        seed: of everything random in this training.
        state: folder of the resumable states; each training has a folder of its own in it.
        sources: files that the data are from, by what they are.
        entry: "module:function" of the step, whose source files belong to the identity of the training.
        options: what else decides the weights.

    Raises:
        InputError: a source cannot be read.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    identity = {
        # Who begins to watch a training goes on with it.
        "settings": settings.model_dump(mode="json", exclude={"training": {"tensorboard"}}),
        "data": {name: sha256(path) for name, path in sources.items()},
        "seed": seed,
        "options": dict(options or {}),
        "code": code_digest(entry),
    }
    return fit(task, settings.training, seed, state_folder(state, identity), identity)
