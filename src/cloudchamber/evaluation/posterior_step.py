"""The log-posterior step: trains ParticleNet on generated classes and truth, and scores unseen true jets."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cloudchamber import seeds
from cloudchamber.cloud import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.evaluation.log_posterior import (
    TrainingSet,
    classifier_inputs,
    ideal_value,
    negative_log_posteriors,
    restrict,
    training_set,
)
from cloudchamber.evaluation.steps import write_table
from cloudchamber.networks.particlenet import ParticleNet, predict_log_probabilities
from cloudchamber.settings import LogPosteriorSettings
from cloudchamber.storage import sha256
from cloudchamber.training.classification import ClassificationTask
from cloudchamber.training.record import code_digest, state_folder, write_history
from cloudchamber.training.trainer import fit

__all__ = ["TRUTH", "log_posterior"]

TRUTH = "truth"
_VALIDATION_FRACTION = 0.15
_SOURCES = ("networks/particlenet.py", "training/classification.py", "training/average.py", "training/trainer.py")


def log_posterior(
    truth: Path,
    classes: Mapping[str, Path],
    settings: LogPosteriorSettings,
    seed: int,
    state: Path,
    output: Path,
    history: Path,
    confusion: Path,
) -> None:
    """Score each class of generated jets by the posterior it gets from unseen true jets.

    The first half of the test part of ``truth`` is the class of truth in the training of the classifier, the second
    half is scored; no model has seen either. Rows of the output: "nlp", with truth among the classes, whose floor is
    the score of truth itself; "nlp_generated_only", the published form without a class of truth; "nlp_ideal", ln K
    of the first form, the score of every class where none can be told from truth.

    Raises:
        InputError: a file cannot be used, or a class has fewer jets than the settings ask for.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    if TRUTH in classes:
        raise InputError(f"a model may not be called '{TRUTH}'")
    test = read_clouds(truth).part("test")
    half = len(test) // 2
    clouds = {name: read_clouds(path) for name, path in classes.items()} | {TRUTH: test[:half]}
    rng = seeds.generator(seed, "log_posterior")
    data = training_set(clouds, settings.jets_per_class, _VALIDATION_FRACTION, rng)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.integer_seed(seed, "initialisation"))
        network = ParticleNet(settings.network, data.inputs.features.shape[2], len(data.classes))
    inputs = (data.inputs.coordinates, data.inputs.features, data.inputs.mask)
    task = ClassificationTask(network, inputs, data.target, data.train, data.validation)
    identity = {
        "settings": settings.model_dump(mode="json"),
        "data": {name: sha256(path) for name, path in {**classes, TRUTH: truth}.items()},
        "seed": seed,
        "code": code_digest(_SOURCES),
    }
    trained = fit(task, settings.training, seed, state_folder(state, identity), identity)
    if not trained.first:
        return
    network.load_state_dict(trained.weights)
    network.to("cpu")
    scored = classifier_inputs(test[half:], data.standardisation)
    log_probabilities = predict_log_probabilities(network, scored.coordinates, scored.features, scored.mask).numpy()
    write_table(output, _scores(log_probabilities, data))
    write_table(confusion, _confusion(network, data))
    write_history(history, trained.history)


def _scores(log_probabilities: np.ndarray, data: TrainingSet) -> pd.DataFrame:
    generated = [position for position, name in enumerate(data.classes) if name != TRUTH]
    whole = negative_log_posteriors(log_probabilities)
    published = negative_log_posteriors(restrict(log_probabilities, generated))
    floor = whole[data.classes.index(TRUTH)]
    n_training = int((data.target == 0).sum())
    rows = []
    for place, position in enumerate(generated):
        model = data.classes[position]
        rows += [
            (model, "nlp", *whole[position], floor.value, floor.uncertainty),
            (model, "nlp_generated_only", *published[place], ideal_value(len(generated)), 0.0),
            (model, "nlp_ideal", ideal_value(len(data.classes)), 0.0, np.nan, np.nan),
        ]
    columns = ["model", "metric", "value", "uncertainty", "floor", "floor_uncertainty"]
    return pd.DataFrame(rows, columns=columns).assign(n_reference=len(log_probabilities), n_generated=n_training)


def _confusion(network: ParticleNet, data: TrainingSet) -> pd.DataFrame:
    """Return the mean posterior of each class over the validation jets of each true class."""
    rows = data.validation
    inputs = data.inputs
    log_probabilities = predict_log_probabilities(
        network, inputs.coordinates[rows], inputs.features[rows], inputs.mask[rows]
    ).numpy()
    target = data.target[rows].numpy()
    means = [np.exp(log_probabilities[target == position]).mean(axis=0) for position in range(len(data.classes))]
    index = pd.Index(data.classes, name="class")
    return pd.DataFrame(means, columns=list(data.classes), index=index).reset_index()
