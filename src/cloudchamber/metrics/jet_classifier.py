"""A ParticleNet that tells samples of jets from each other: its training, and what it says of jets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.metrics.log_posterior import ClassifierInputs, TrainingSet
from cloudchamber.networks.particlenet import ParticleNet
from cloudchamber.networks.prediction import predict_log_probabilities
from cloudchamber.settings.metrics import JetClassifierSettings
from cloudchamber.training import run
from cloudchamber.training.classification import ClassificationTask

__all__ = ["JetClassifier", "train_jet_classifier"]


@final
@dataclass(frozen=True)
class JetClassifier:
    """A trained classifier.

    Attributes:
        network: on the CPU, with averaged weights.
        history: rows of its training.
    """

    network: ParticleNet
    history: Sequence[Mapping[str, Any]]

    def log_probabilities(self, jets: ClassifierInputs) -> np.ndarray:
        """Return (N, K) logarithms of the probabilities of the classes."""
        return predict_log_probabilities(self.network, jets.coordinates, jets.features, jets.mask).numpy()


def train_jet_classifier(
    data: TrainingSet,
    settings: JetClassifierSettings,
    seed: int,
    state: Path,
    sources: Mapping[str, Path],
    entry: str,
    identity: Mapping[str, Any],
) -> JetClassifier | None:
    """Train a classifier; return None in a process that is not the first.

    Args:
        data: jets of all classes; nothing is selected by the validation part, whose jets therefore count as unseen.
        settings: network and training.
        seed: of everything random in the training.
        state: folder of the resumable states.
        sources, entry, identity: of :func:`cloudchamber.training.run.train`.

    Raises:
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    with run.initialisation(seed):
        network = ParticleNet(settings.network, data.inputs.features.shape[2], len(data.classes))
    inputs = (data.inputs.coordinates, data.inputs.features, data.inputs.mask)
    task = ClassificationTask(network, inputs, data.target, data.train, data.validation)
    trained = run.train(task, settings, seed, state, sources, entry, identity)
    if not trained.first:
        return None
    network.load_state_dict(trained.weights)
    network.to("cpu")
    return JetClassifier(network, trained.history)
