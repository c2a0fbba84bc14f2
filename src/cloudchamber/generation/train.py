"""The training step: prepared jets to weights, their description and the history."""

from pathlib import Path

import numpy as np
import torch

from cloudchamber import seeds
from cloudchamber.cloud import Clouds, read_clouds
from cloudchamber.errors import InputError
from cloudchamber.generation.artifact import build_network, save_artifact
from cloudchamber.generation.objectives import build_objective
from cloudchamber.generation.task import GenerationTask, pack
from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.settings import GeneratorSettings
from cloudchamber.storage import provenance, sha256
from cloudchamber.training.record import code_digest, state_folder, write_history
from cloudchamber.training.trainer import fit

__all__ = ["standardisations", "train"]


# What decides the weights: a training goes on only under the code that began it.
_SOURCES = (
    "networks/epic.py",
    "networks/linear.py",
    "networks/packing.py",
    "generation/objectives.py",
    "generation/paths.py",
    "generation/task.py",
    "training/average.py",
    "training/trainer.py",
)


def standardisations(clouds: Clouds, source: str | Path) -> tuple[Standardisation, Standardisation]:
    """Return the standardisations of particles and of conditions that the preparation stored.

    Raises:
        InputError: there are none.
    """
    if "standardisation" not in clouds.meta:
        raise InputError(
            f"{source}: not prepared: no standardisation is stored; run 'cloudchamber prepare' on it first"
        )
    fits = clouds.meta["standardisation"]
    return Standardisation.from_json(fits["points"]), Standardisation.from_json(fits["conditions"])


def train(
    source: Path, settings: GeneratorSettings, seed: int, state: Path, weights: Path, description: Path, history: Path
) -> None:
    """Train a generative model.

    Args:
        source: prepared jets.
        settings: the model.
        seed: of everything random in this training.
        state: folder of the resumable states; each training has a folder of its own in it.
        weights, description, history: where the outputs go.

    Raises:
        InputError: the jets are not prepared.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    clouds = read_clouds(source)
    of_points, of_conditions = standardisations(clouds, source)
    scale = settings.objective.data_scale
    parts = [
        pack(clouds.part(name), of_points, of_conditions, settings.conditions, scale)
        for name in ("train", "validation")
    ]

    def to_physical(values: np.ndarray) -> np.ndarray:
        return of_points.inverse(values / np.float32(scale))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.integer_seed(seed, "initialisation"))
        network = build_network(settings)
    task = GenerationTask(network, build_objective(settings.objective), parts[0], parts[1], to_physical, seed)
    identity = {
        "settings": settings.model_dump(mode="json"),
        "data": sha256(source),
        "seed": seed,
        "code": code_digest(_SOURCES),
    }
    trained = fit(task, settings.training, seed, state_folder(state, identity), identity)
    if trained.first:
        record = provenance("train", settings.model_dump(mode="json"), [source], seed)
        save_artifact(weights, description, trained.weights, settings, clouds.meta["standardisation"], record)
        write_history(history, trained.history)
