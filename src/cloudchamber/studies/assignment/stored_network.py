"""Trained assignment networks on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from torch import Tensor

from cloudchamber.settings.base import parse
from cloudchamber.studies.assignment.network import AssignmentNetwork
from cloudchamber.studies.assignment.settings import AssignmentTrainingSettings
from cloudchamber.training.described_weights import load_weights, write_described_weights
from cloudchamber.training.descriptions import read_description

__all__ = ["StoredNetwork", "load_network", "parameters", "save_network"]


@final
@dataclass(frozen=True)
class StoredNetwork:
    """A trained network, in evaluation mode.

    Attributes:
        settings: what it was trained with.
        network: the network.
        training: on how many events it was trained: "events" and "complete_events".
    """

    settings: AssignmentTrainingSettings
    network: AssignmentNetwork
    training: Mapping[str, Any]


def parameters(network: AssignmentNetwork) -> int:
    """Return the number of trained parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def save_network(
    weights_path: Path,
    description_path: Path,
    stored: StoredNetwork,
    weights: Mapping[str, Tensor],
    provenance: Mapping[str, Any],
) -> None:
    """Write weights, which take the place of those of ``stored``, and description.

    Raises:
        StorageError: a file cannot be written.
    """
    described = {
        "settings": stored.settings.model_dump(mode="json"),
        "parameters": parameters(stored.network),
        "training": dict(stored.training),
        "provenance": provenance,
    }
    write_described_weights(weights_path, description_path, weights, described)


def load_network(weights_path: Path, description_path: Path) -> StoredNetwork:
    """Read a trained network.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """
    described = read_description(weights_path, description_path, ("settings", "training"))
    settings = parse(AssignmentTrainingSettings, described["settings"], description_path)
    network = AssignmentNetwork(settings.network, settings.topology)
    load_weights(network, weights_path)
    return StoredNetwork(settings, network.eval(), described["training"])
