"""The prediction step: log probabilities of all classes for the test jets."""

import sys
from pathlib import Path

from cloudchamber.classification.jet_data import TaggingJets, read_tagging_jets
from cloudchamber.classification.taggers import StoredTagger, load_tagger
from cloudchamber.devices import present_device
from cloudchamber.errors import InputError
from cloudchamber.jets.observable_file import write_observables
from cloudchamber.networks.prediction import predict_log_probabilities
from cloudchamber.settings.taggers import DenseTagger
from cloudchamber.storage import provenance, read_json, sha256

__all__ = ["jets_of_tagger", "predict_classes"]

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
    trained_on = read_json(description).get("provenance", {}).get("inputs", {})
    if sha256(jets) not in trained_on.values():
        sys.stderr.write(
            f"predict-classes: {description} was trained on other jets than {jets}: jets of its test part may be among "
            "them\n"
        )
    rows = data.parts["test"]
    # Clouds of equal size are computed together, so that neighbours should be of one size.
    rows = rows[data.inputs[-1][rows].sum(dim=1).argsort(stable=True)] if not data.features else rows
    tagger = stored.tagger.to(present_device())
    predicted = predict_log_probabilities(tagger, *data.of(rows), chunk=_CHUNK)
    order = rows.argsort()
    table = {"row": rows[order].numpy()}
    table |= {f"log_p_{name}": predicted[order, number].numpy() for number, name in enumerate(stored.classes)}
    sources = [jets, *([high_level] if high_level else []), weights, description]
    record = provenance("predict-classes", stored.settings.network.model_dump(mode="json"), sources)
    write_observables(output, table, {"classes": stored.classes, "part": "test", "provenance": record})


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
