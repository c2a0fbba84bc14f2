"""The training step: curves to the weights of a model, its description and the history."""

from pathlib import Path

import torch

from cloudchamber import seeds
from cloudchamber.storage import provenance, write_rows
from cloudchamber.studies.neutron_stars.curve_file import read_curves
from cloudchamber.studies.neutron_stars.network_settings import RatioNetwork
from cloudchamber.studies.neutron_stars.settings import StarModelSettings
from cloudchamber.studies.neutron_stars.star_drawer import StarDrawer
from cloudchamber.studies.neutron_stars.star_models import save_model
from cloudchamber.studies.neutron_stars.star_networks import PointNetwork, build_network
from cloudchamber.studies.neutron_stars.tasks import task_of
from cloudchamber.training import run

__all__ = ["train"]

_ENTRY = "studies.neutron_stars.train:train"


def train(
    source: Path,
    settings: StarModelSettings,
    seed: int,
    state: Path,
    weights: Path,
    description: Path,
    history: Path,
) -> None:
    """Train a model on stars of the training part of the curves, drawn anew in each step.

    Args:
        source: curves.
        settings: network, stars and loop.
        seed: of everything random in this training.
        state: folder of the resumable states; each training has a folder of its own in it.
        weights, description, history: where the outputs go.

    Raises:
        InputError: the curves cannot be used.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    curves = read_curves(source)
    drawers = {part: StarDrawer(curves, part, settings.stars) for part in ("train", "validation")}
    with run.initialisation(seed):
        network = build_network(settings.network, settings.stars.numbers)
    generator = torch.Generator().manual_seed(seeds.integer_seed(seed, "standardisation"))
    drawn = drawers["train"].draw(torch.arange(len(drawers["train"])), generator)
    network.fit(drawn.stars.flatten(0, 1))
    if isinstance(network, PointNetwork):
        network.fit_targets(drawers["train"].quantities)
    contrasts = settings.network.contrasts if isinstance(settings.network, RatioNetwork) else 0
    task = task_of(network, drawers["train"], drawers["validation"], seed, contrasts)
    trained = run.train(task, settings, seed, state, {"curves": source}, _ENTRY)
    if trained.first:
        record = provenance("neutron_stars train", settings.model_dump(mode="json"), [source], seed)
        save_model(weights, description, settings, network, trained.weights, record)
        write_rows(history, trained.history)
