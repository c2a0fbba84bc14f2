"""The prediction step: log probabilities of all classes for the test jets."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from cloudchamber.classification.jet_data import TaggingJets, read_tagging_jets
from cloudchamber.classification.made_with import say_unlike_jets
from cloudchamber.classification.scores import JETS_PER_CLASS
from cloudchamber.classification.taggers import StoredTagger, TowerTagger, load_tagger
from cloudchamber.devices import present_device
from cloudchamber.errors import InputError
from cloudchamber.jets.observable_file import write_observables
from cloudchamber.networks.prediction import predict_log_probabilities
from cloudchamber.preparation.origin import say_other_training
from cloudchamber.settings.taggers import DenseTagger
from cloudchamber.storage import provenance, read_json

__all__ = ["jets_of_tagger", "log_probabilities", "predict_classes"]

_CHUNK = 256


def predict_classes(jets: Path, high_level: Path | None, weights: Path, description: Path, output: Path) -> None:
    """Write ``row`` (position in ``jets``) and ``log_p_{class}`` of each test jet.

    Args:
        jets: cloud file of all classes.
        high_level: file of high-level features of the same jets, for a dense network; else None.
        weights, description: the tagger.
        output: file of observables.

    Raises:
        InputError: a file cannot be used, or the jets are not of the tagger's classes and features.
    """
    stored = load_tagger(weights, description)
    data = jets_of_tagger(stored, description, jets, high_level)
    described = read_json(description)
    say_other_training("predict-classes", description, described, jets, "jets")
    looks_at = stored.tagger.towers if isinstance(stored.tagger, TowerTagger) else None
    made, read = data.made_with.values(), data.read_from.values()
    say_unlike_jets("predict-classes", str(jets), str(description), described, made, read, data.cut_at, looks_at)
    rows = data.parts["test"]
    predicted = log_probabilities(stored, data.of(rows))
    order = rows.argsort()
    table = {"row": rows[order].numpy()}
    table |= {f"log_p_{name}": predicted[order, number].numpy() for number, name in enumerate(stored.classes)}
    sources = [jets, *([high_level] if high_level else []), weights, description]
    record = provenance("predict-classes", stored.settings.network.model_dump(mode="json"), sources)
    size = {JETS_PER_CLASS: described["training"].get(JETS_PER_CLASS)} if "training" in described else {}
    write_observables(output, table, {"classes": stored.classes, "part": "test", **size, "provenance": record})


def log_probabilities(stored: StoredTagger, inputs: Sequence[Tensor]) -> Tensor:
    """Return the (N, K) log probabilities of all classes.

    Args:
        stored: the tagger.
        inputs: what it takes (:class:`cloudchamber.classification.taggers.Tagger`), N rows each.
    """
    rows = torch.arange(len(inputs[0]))
    # Clouds of equal size are computed together, so that neighbours should be of one size.
    order = rows if stored.features else inputs[-1].sum(dim=1).argsort(stable=True)
    tagger = stored.tagger.to(present_device())
    predicted = predict_log_probabilities(tagger, *(values[order] for values in inputs), chunk=_CHUNK)
    return predicted[order.argsort()]


def jets_of_tagger(stored: StoredTagger, source: Path, jets: Path, high_level: Path | None) -> TaggingJets:
    """Read jets in the form that a tagger takes.

    Args:
        stored: the tagger.
        source: its description, named in errors.
        jets, high_level: as of :func:`predict_classes`.

    Raises:
        InputError: a file cannot be used, or the jets are not of the tagger's classes and features.
    """
    if isinstance(stored.settings.network, DenseTagger) != (high_level is not None):
        raise InputError(f"{source}: the tagger takes {stored.tagger.input_names}, which the files given are not")
    network = stored.settings.network
    chosen = isinstance(network, DenseTagger) and network.features is not None
    data = read_tagging_jets(jets, high_level, stored.features if chosen else None)
    for what, found, expected in (
        ("classes", data.classes, stored.classes),
        ("features", data.features, stored.features),
    ):
        if found != expected:
            raise InputError(f"{high_level or jets}: {what} {list(found)}, the tagger {source} has {list(expected)}")
    return data
