"""Trained assignment networks on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from torch import Tensor

from cloudchamber.studies.assignment.network import AssignmentNetwork
from cloudchamber.studies.assignment.network_settings import AssignmentTrainingSettings
from cloudchamber.training.described_weights import load_stored, parameters, save_described

__all__ = ["StoredNetwork", "load_network", "save_network"]


@final
@dataclass(frozen=True)
class StoredNetwork:
    """A trained network, in evaluation mode.

    Attributes:
        settings: what it was trained with.
        network: the network.
        training: on how many events it was trained, "events" and "complete_events", and what tells which.
    """

    settings: AssignmentTrainingSettings
    network: AssignmentNetwork
    training: Mapping[str, Any]


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
    training, number = dict(stored.training), parameters(stored.network)
    save_described(weights_path, description_path, weights, stored.settings, number, provenance, training=training)


def load_network(weights_path: Path, description_path: Path) -> StoredNetwork:
    """Read a trained network.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """
    stored = load_stored(
        weights_path,
        description_path,
        AssignmentTrainingSettings,
        lambda settings, described: AssignmentNetwork(settings.network, settings.topology),
        ("training",),
    )
    return StoredNetwork(stored.settings, stored.network, stored.description["training"])
