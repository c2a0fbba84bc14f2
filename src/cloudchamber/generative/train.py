"""The training step: prepared jets to weights, their description and the history."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.generative.adversarial import (
    AdversarialPair,
    AdversarialTask,
    build_discriminator,
    generator_weights,
)
from cloudchamber.generative.artifact import build_network, cloud_noise, save_artifact
from cloudchamber.generative.objectives import build_path_objective
from cloudchamber.generative.task import GenerationTask, pack
from cloudchamber.preparation.origin import origin_of
from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.settings.generators import GeneratorSettings
from cloudchamber.settings.networks import EpicGanSettings
from cloudchamber.settings.objectives import AdversarialSettings, DiffusionSettings
from cloudchamber.storage import provenance, write_rows
from cloudchamber.training import run

__all__ = ["standardisations", "train"]


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
    task = _task(clouds, source, settings, seed)
    trained = run.train(task, settings, seed, state, {"prepared": source}, "generative.train:train")
    if trained.first:
        adversarial = isinstance(task, AdversarialTask)
        of_network = generator_weights(trained.weights) if adversarial else trained.weights
        record = provenance("train", settings.model_dump(mode="json"), [source], seed)
        most = int(clouds.part("train").multiplicity.max())
        scales, origin = clouds.meta["standardisation"], origin_of(clouds.meta)
        save_artifact(weights, description, of_network, settings, scales, most, origin, record)
        write_rows(history, trained.history)


def _say_clipped(values: np.ndarray, names: Sequence[str], objective: DiffusionSettings) -> None:
    """Say of each column how many of the (M, F) training particles are larger than those that are ever drawn."""
    for name, clipped in zip(names, np.count_nonzero(np.abs(values) > objective.clip, axis=0), strict=True):
        if clipped:
            sys.stderr.write(
                f"train: WARNING: {name} of {clipped} of {len(values)} training particles is beyond objective.clip,"
                f" {objective.clip / objective.data_scale:g} standard deviations (clip over data_scale): particles as"
                " these are never drawn\n"
            )


def _task(clouds: Clouds, source: Path, settings: GeneratorSettings, seed: int) -> GenerationTask | AdversarialTask:
    of_points, of_conditions = standardisations(clouds, source)
    objective = settings.objective
    scale = np.float32(objective.data_scale)
    training, validation = (
        pack(clouds.part(name), of_points, of_conditions, settings.conditions, objective.data_scale)
        for name in ("train", "validation")
    )

    if isinstance(objective, DiffusionSettings):
        _say_clipped(training.values.numpy(), of_points.names, objective)

    def to_physical(values: np.ndarray) -> np.ndarray:
        return of_points.inverse(values / scale)

    with run.initialisation(seed):
        network = build_network(settings)
        if not isinstance(objective, AdversarialSettings):
            return GenerationTask(network, build_path_objective(objective), training, validation, to_physical, seed)
        assert isinstance(settings.network, EpicGanSettings), "the settings allow no other network"
        features = training.values.shape[1]
        discriminator = build_discriminator(features, len(settings.conditions), settings.network, objective)
    pair = AdversarialPair(network, discriminator)
    return AdversarialTask(pair, cloud_noise(settings), training, validation, to_physical, seed)
