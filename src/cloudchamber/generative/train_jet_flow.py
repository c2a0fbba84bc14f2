"""The training step of the jet level: prepared jets to a flow, its description and the history."""

from pathlib import Path

from cloudchamber.cloud_file import open_clouds
from cloudchamber.errors import InputError
from cloudchamber.generative.jet_features import JetFeatures
from cloudchamber.generative.jet_flow import JetFlow, JetFlowTask
from cloudchamber.generative.jet_scales import JetScales
from cloudchamber.settings.jet_level import JetFlowSettings
from cloudchamber.storage import provenance, write_rows
from cloudchamber.training import run
from cloudchamber.training.described_weights import parameters, save_described

__all__ = ["train_jet_flow"]


def train_jet_flow(
    source: Path, settings: JetFlowSettings, seed: int, state: Path, weights: Path, description: Path, history: Path
) -> None:
    """Train the flow of the jet level on the training part of ``source``.

    Args:
        source: prepared jets.
        settings: the flow.
        seed: of everything random in this training.
        state: folder of the resumable states; each training has a folder of its own in it.
        weights, description, history: where the outputs go.

    Raises:
        InputError: the jets are not prepared, or a feature is missing or constant.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    with open_clouds(source) as clouds:
        train, validation = (JetFeatures.of_part(clouds, name, source).columns for name in ("train", "validation"))
    try:
        scales = JetScales.fit(train)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    with run.initialisation(seed):
        network = JetFlow(settings)
    task = JetFlowTask(network, scales, train, validation, seed)
    trained = run.train(task, settings, seed, state, {"prepared": source}, "generative.train_jet_flow:train_jet_flow")
    if trained.first:
        record = provenance("train-jet-flow", settings.model_dump(mode="json"), [source], seed)
        number = parameters(network)
        save_described(weights, description, trained.weights, settings, number, record, scales=scales.to_json())
        write_rows(history, trained.history)
