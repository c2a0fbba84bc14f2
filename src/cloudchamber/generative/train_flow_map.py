"""The training step of flow maps: a trained model and prepared jets to a model of few evaluations."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cloudchamber import seeds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.generative.artifact import build_network, load_artifact, save_artifact
from cloudchamber.generative.flow_map import FlowMapTask
from cloudchamber.generative.objectives import PathObjective, build_objective
from cloudchamber.generative.task import pack
from cloudchamber.generative.train import standardisations
from cloudchamber.generative.trajectories import trajectories
from cloudchamber.networks.packing import PackedClouds
from cloudchamber.preparation.origin import origin_of
from cloudchamber.settings.flow_maps import DistillationSettings
from cloudchamber.settings.generators import GeneratorSettings
from cloudchamber.storage import provenance, write_rows
from cloudchamber.training import run
from cloudchamber.training.deferred_task import DeferredTask

__all__ = ["train_flow_map"]

# Trajectories that the loss is validated on.
_VALIDATED = 1000


def train_flow_map(
    source: Path,
    teacher_weights: Path,
    teacher_description: Path,
    settings: DistillationSettings,
    seed: int,
    state: Path,
    weights: Path,
    description: Path,
    history: Path,
) -> None:
    """Train a flow map on trajectories of a trained model.

    The trajectories have the multiplicities and conditions of training jets. They are drawn anew whenever the training
    starts or goes on, from the same noise; where it is finished, they are not drawn.

    Args:
        source: the prepared jets that the teacher was trained on.
        teacher_weights, teacher_description: the teacher; their hashes are in the description of the flow map.
        settings: trajectories, segments and training.
        seed: of everything random in this training.
        state: folder of the resumable states; each training has a folder of its own in it.
        weights, description, history: where the outputs go.

    Raises:
        InputError: a file cannot be used, or the teacher is no model with a path from noise to data, or one of other
            jets.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    teacher = load_artifact(teacher_weights, teacher_description)
    clouds = read_clouds(source)
    objective = build_objective(teacher.settings.objective)
    if not isinstance(objective, PathObjective) or teacher.settings.flow_map_segments is not None:
        raise InputError(f"{teacher_description}: no model of flow matching or diffusion, which a flow map learns from")
    fits = [fit.to_json() for fit in standardisations(clouds, source)]
    if fits != [teacher.points.to_json(), teacher.conditions.to_json()]:
        raise InputError(f"{source}: not the prepared jets of {teacher_description}: another standardisation")
    generator = _generator(teacher.settings, settings)
    scale = np.float32(teacher.settings.objective.data_scale)
    train, validation = (
        pack(clouds.part(name), teacher.points, teacher.conditions, generator.conditions, float(scale))
        for name in ("train", "validation")
    )
    with run.initialisation(seed):
        network = build_network(generator)
    # The embedding of intervals is the only thing that a flow map has and its teacher has not.
    network.load_state_dict(teacher.network.state_dict(), strict=False)

    def drawn(jets: PackedClouds, number: int, part: str) -> PackedClouds:
        of_part = seeds.integer_seed(seed, "trajectories", part)
        return trajectories(
            teacher, jets, _rows(len(jets), number, of_part), settings.teacher_sampler, settings.segments, of_part
        )

    def made() -> FlowMapTask:
        return FlowMapTask(
            network,
            objective,
            drawn(train, settings.trajectories, "train"),
            drawn(validation, min(_VALIDATED, len(validation)), "validation"),
            settings.segments,
            lambda values: teacher.points.inverse(values / scale),
            validation,
            seed,
        )

    task = DeferredTask(network, settings.trajectories, made)
    sources = {"prepared": source, "teacher": teacher_weights}
    trained = run.train(task, settings, seed, state, sources, "generative.train_flow_map:train_flow_map")
    if trained.first:
        inputs = [source, teacher_weights, teacher_description]
        record = provenance("train-flow-map", settings.model_dump(mode="json"), inputs, seed)
        most = int(clouds.part("train").multiplicity.max())
        scales, origin = clouds.meta["standardisation"], origin_of(clouds.meta)
        save_artifact(weights, description, trained.weights, generator, scales, most, origin, record)
        write_rows(history, trained.history)


def _generator(teacher: GeneratorSettings, settings: DistillationSettings) -> GeneratorSettings:
    """Return what the flow map is: all that its teacher is, with a training of its own."""
    return teacher.model_copy(update={"training": settings.training, "flow_map_segments": settings.segments})


def _rows(available: int, number: int, seed: int) -> Tensor:
    """Return (number,) rows, each as often as the others but for one."""
    rng = seeds.generator(seed, "rows")
    rounds = [rng.permutation(available) for _ in range(-(-number // available))]
    return torch.from_numpy(np.concatenate(rounds)[:number])
