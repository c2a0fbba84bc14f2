"""The training step: events to the weights of a network, its description and the history."""

from pathlib import Path

from cloudchamber.storage import provenance, write_rows
from cloudchamber.studies.neutrinos.event_clouds import read_event_clouds
from cloudchamber.studies.neutrinos.inputs import EventSource
from cloudchamber.studies.neutrinos.network_settings import NeutrinoTrainingSettings
from cloudchamber.studies.neutrinos.networks import build, fit_inputs, save_network
from cloudchamber.studies.neutrinos.task import NeutrinoTask
from cloudchamber.training import run

__all__ = ["train_classifier"]


def train_classifier(
    events: Path,
    settings: NeutrinoTrainingSettings,
    seed: int,
    state: Path,
    weights: Path,
    description: Path,
    history: Path,
) -> None:
    """Train a network that names interactions and prongs.

    Args:
        events: clouds of ``neutrinos ingest``.
        settings: network, loss and loop.
        seed: of everything random in this training.
        state: folder of the resumable states; each training has a folder of its own in it.
        weights, description, history: where the outputs go.

    Raises:
        InputError: the events cannot be used.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    clouds = read_event_clouds(events)
    train, validation = (EventSource(clouds, clouds.parts[name], settings.network) for name in ("train", "validation"))
    event, prong, _ = train.features
    features = event.shape[1], prong.shape[2]
    with run.initialisation(seed):
        network = build(settings.network, clouds.window, features)
    fit_inputs(network, train)
    task = NeutrinoTask(network, train, validation, settings.loss)
    entry = "studies.neutrinos.train:train_classifier"
    trained = run.train(task, settings, seed, state, {"events": events}, entry)
    if trained.first:
        built = {"window": clouds.window, "features": features, "events": len(train)}
        record = provenance("neutrinos train", settings.model_dump(mode="json"), [events], seed)
        save_network(weights, description, settings, network, trained.weights, built, record)
        write_rows(history, trained.history)
