"""The training steps: showers to the weights of a flow of points, of a flow of their numbers, of a flow map."""

from pathlib import Path

import numpy as np
import torch

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.generative.trajectories import trajectories_of
from cloudchamber.networks.packing import PackedClouds
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.storage import provenance, write_rows
from cloudchamber.studies.showers.allshowers import FEATURES, AllShowers, PointCountFlow
from cloudchamber.studies.showers.layer_counts import rows_of_species
from cloudchamber.studies.showers.model_settings import CountSettings, MapSettings, ShowerModelSettings
from cloudchamber.studies.showers.names import SpeciesName
from cloudchamber.studies.showers.seen_particles import SeenParticles
from cloudchamber.studies.showers.shower_file import geometry_in, open_showers
from cloudchamber.studies.showers.shower_inputs import Scales, count_source, point_source
from cloudchamber.studies.showers.shower_models import PointModel, load_points, objective_of, save_model
from cloudchamber.studies.showers.shower_tasks import ShowerFlowTask, ShowerMapTask
from cloudchamber.training import run
from cloudchamber.training.deferred_task import DeferredTask

__all__ = ["train_counts", "train_map", "train_points"]

_PARTS = ("train", "validation")
_VALIDATED = 200


def train_points(
    source: Path,
    settings: ShowerModelSettings,
    seed: int,
    state: Path,
    weights: Path,
    description: Path,
    history: Path,
) -> None:
    """Train a flow of points on the training part of showers.

    Args:
        source: file of showers.
        settings: network, pairing and loop.
        seed: of everything random in this training.
        state: folder of the resumable states; each training has a folder of its own in it.
        weights, description, history: where the outputs go.

    Raises:
        InputError: the showers cannot be used, or a part has none of the species.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    with open_showers(source, _PARTS) as showers:
        geometry, rows = geometry_in(showers), _rows(showers, settings.species)
        scales = Scales.fit(showers, rows["train"], settings.core_radius)
        seen = SeenParticles.of(showers, rows["train"])
        with run.initialisation(seed):
            network = AllShowers(settings.network, geometry.layers)
        train, validation = (point_source(showers, rows[part], scales, settings.memory) for part in _PARTS)
        task = ShowerFlowTask(network, objective_of(settings.sigma_min), train, validation, settings.pairing, seed)
        trained = run.train(task, settings, seed, state, {"showers": source}, "studies.showers.train:train_points")
    if trained.first:
        record = provenance("showers train", settings.model_dump(mode="json"), [source], seed)
        save_model(weights, description, settings, network, trained.weights, scales, geometry, seen, record)
        write_rows(history, trained.history)


def train_counts(
    source: Path,
    settings: CountSettings,
    seed: int,
    state: Path,
    weights: Path,
    description: Path,
    history: Path,
) -> None:
    """Train a flow of the numbers of points per layer; arguments and errors as of :func:`train_points`."""
    with open_showers(source, _PARTS) as showers:
        geometry, rows = geometry_in(showers), _rows(showers, ())
        scales, seen = Scales.fit(showers, rows["train"]), SeenParticles.of(showers, rows["train"])
        train, validation = (count_source(showers, rows[part], scales) for part in _PARTS)
    with run.initialisation(seed):
        network = PointCountFlow(settings.hidden, geometry.layers)
    task = ShowerFlowTask(network, objective_of(settings.sigma_min), train, validation, "independent", seed)
    trained = run.train(task, settings, seed, state, {"showers": source}, "studies.showers.train:train_counts")
    if trained.first:
        record = provenance("showers train-counts", settings.model_dump(mode="json"), [source], seed)
        save_model(weights, description, settings, network, trained.weights, scales, geometry, seen, record)
        write_rows(history, trained.history)


def train_map(
    source: Path,
    teacher_weights: Path,
    teacher_description: Path,
    settings: MapSettings,
    seed: int,
    state: Path,
    weights: Path,
    description: Path,
    history: Path,
) -> None:
    """Train a flow map on trajectories of a flow of points, with the numbers of points of training showers.

    Args:
        source: file of showers that the teacher was trained on.
        teacher_weights, teacher_description: the teacher.
        settings: trajectories, segments and loop.
        seed, state, weights, description, history: as of :func:`train_points`.

    Raises:
        InputError: a file cannot be used, or the teacher is a flow map itself.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    teacher = load_points(teacher_weights, teacher_description)
    if teacher.segments is not None:
        raise InputError(f"{teacher_description}: a flow map, from which none is made")
    with run.initialisation(seed):
        network = AllShowers(teacher.settings.network, teacher.geometry.layers, intervals=True)
    # What a flow map has and its teacher has not is the embedding of intervals.
    network.load_state_dict(teacher.network.state_dict(), strict=False)
    with open_showers(source, _PARTS) as showers:
        rows = _rows(showers, teacher.settings.species)
    sizes = {"train": settings.trajectories, "validation": _VALIDATED}
    sizes = {part: min(number, len(rows[part])) for part, number in sizes.items()}

    def made() -> ShowerMapTask:
        train, validation = (
            _trajectories(source, rows[part], sizes[part], teacher, settings, seed, part) for part in _PARTS
        )
        return ShowerMapTask(network, teacher.objective, train, validation, settings.segments, FEATURES, seed)

    task = DeferredTask(network, sizes["train"], made)
    sources = {"showers": source, "teacher": teacher_weights}
    trained = run.train(task, settings, seed, state, sources, "studies.showers.train:train_map")
    if trained.first:
        inputs = [source, teacher_weights, teacher_description]
        record = provenance("showers train-map", settings.model_dump(mode="json"), inputs, seed)
        save_model(
            weights,
            description,
            teacher.settings.model_copy(update={"training": settings.training}),
            network,
            trained.weights,
            teacher.scales,
            teacher.geometry,
            teacher.seen,
            record,
            settings.segments,
        )
        write_rows(history, trained.history)


def _trajectories(
    source: Path, rows: np.ndarray, number: int, teacher: PointModel, settings: MapSettings, seed: int, part: str
) -> PackedClouds:
    """Return trajectories of the teacher for some showers of a part, whose numbers of points they have."""
    rng = seeds.generator(seed, "showers", "trajectories", part)
    chosen = np.sort(rng.choice(rows, number, replace=False))
    with open_showers(source, _PARTS) as showers:
        clouds = point_source(showers, chosen, teacher.scales, np.inf)
    assert isinstance(clouds, PackedClouds), "in memory whatever their size"
    of_part = seeds.integer_seed(seed, "showers", "trajectories", part)
    return trajectories_of(
        teacher.network,
        teacher.objective,
        clouds,
        torch.arange(len(clouds)),
        settings.teacher_sampler,
        settings.segments,
        of_part,
        "showers",
    )


def _rows(showers: PackedCloudFile, species: tuple[SpeciesName, ...]) -> dict[str, np.ndarray]:
    rows = {part: rows_of_species(showers, part, species) for part in _PARTS}
    for part, found in rows.items():
        if not len(found):
            raise InputError(
                f"{showers.path}: the part '{part}' has no shower of {', '.join(species) or 'any species'}"
            )
    return rows
