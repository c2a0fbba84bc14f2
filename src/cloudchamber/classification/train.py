"""The training step of taggers: jets to the weights of a tagger, its description and the history."""

from pathlib import Path

import torch

from cloudchamber.classification.feature_sets import feature_names
from cloudchamber.classification.jet_data import TaggingJets, read_tagging_jets, training_rows
from cloudchamber.classification.made_with import MADE_WITH, READ_FROM
from cloudchamber.classification.taggers import CUT_AT, StoredTagger, Tagger, build_tagger, save_tagger
from cloudchamber.errors import SettingsError
from cloudchamber.settings.taggers import DenseTagger, TaggerSettings
from cloudchamber.storage import provenance, write_rows
from cloudchamber.training import run
from cloudchamber.training.classification import ClassificationTask

__all__ = ["train_tagger"]

# The towers of so many jets give mean and deviation to a thousandth.
_JETS_OF_STANDARDISATION = 20_000


def train_tagger(
    jets: Path,
    high_level: Path | None,
    settings: TaggerSettings,
    seed: int,
    jets_per_class: int | None,
    state: Path,
    weights: Path,
    description: Path,
    history: Path,
) -> None:
    """Train a tagger on the training part of ``jets``.

    Args:
        jets: cloud file of all classes.
        high_level: file of high-level features of the same jets, for a dense network; else None.
        settings: network, loss and loop.
        seed: of everything random in this training.
        jets_per_class: training jets of each class, for learning curves; None for all there are.
        state: folder of the resumable states; each training has a folder of its own in it.
        weights, description, history: where the outputs go.

    Raises:
        InputError: a file cannot be used, or a class has too few jets.
        SettingsError: features are given to a network of towers, or none to a dense one.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    if isinstance(settings.network, DenseTagger) != (high_level is not None):
        raise SettingsError(f"network.kind: '{settings.network.kind}' and a file of features do not go together")
    sources = {"jets": jets, **({"high_level": high_level} if high_level else {})}
    data = read_tagging_jets(jets, high_level, _wanted_features(settings))
    rows = training_rows(data, jets_per_class, seed)
    tagger = _untrained(data, rows, settings, seed)
    task = ClassificationTask(
        tagger,
        data.inputs,
        data.target,
        rows,
        data.parts["validation"],
        data.balanced_weights(rows, settings.weighted),
        settings.label_smoothing,
    )
    options = {"jets_per_class": jets_per_class}
    trained = run.train(task, settings, seed, state, sources, "classification.train:train_tagger", options)
    if trained.first:
        stored = StoredTagger(settings, tagger, data.classes, data.features)
        training = {
            "jets": len(rows),
            "jets_per_class": jets_per_class,
            "seed": seed,
            CUT_AT: data.cut_at,
            MADE_WITH: data.made_with,
            READ_FROM: data.read_from,
        }
        record = provenance("train-tagger", settings.model_dump(mode="json"), list(sources.values()), seed)
        save_tagger(weights, description, stored, trained.weights, training, record)
        write_rows(history, trained.history)


def _wanted_features(settings: TaggerSettings) -> tuple[str, ...] | None:
    network = settings.network
    wanted = network.features if isinstance(network, DenseTagger) else None
    return None if wanted is None else feature_names(wanted)


def _untrained(data: TaggingJets, rows: torch.Tensor, settings: TaggerSettings, seed: int) -> Tagger:
    with run.initialisation(seed):
        tagger = build_tagger(settings.network, len(data.classes), data.features)
    every = -(-len(rows) // _JETS_OF_STANDARDISATION)
    tagger.fit(*data.of(rows[::every]))
    return tagger
