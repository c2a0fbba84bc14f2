"""Trained models of the study on disk: weights and what describes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from torch import Tensor

from cloudchamber.settings.base import parse
from cloudchamber.studies.neutron_stars.settings import StarModelSettings
from cloudchamber.studies.neutron_stars.star_networks import StarSetNetwork, build_network, parameters
from cloudchamber.training.described_weights import load_weights, write_described_weights
from cloudchamber.training.descriptions import read_description

__all__ = ["StoredModel", "load_model", "save_model"]


@final
@dataclass(frozen=True)
class StoredModel:
    """A trained network in evaluation mode, and what it was trained with."""

    settings: StarModelSettings
    network: StarSetNetwork


def save_model(
    weights_path: Path,
    description_path: Path,
    settings: StarModelSettings,
    network: StarSetNetwork,
    weights: Mapping[str, Tensor],
    provenance: Mapping[str, Any],
) -> None:
    """Write weights, which take the place of those of ``network``, and a description.

    Raises:
        StorageError: a file cannot be written.
    """
    described = {
        "settings": settings.model_dump(mode="json"),
        "parameters": parameters(network),
        "provenance": provenance,
    }
    write_described_weights(weights_path, description_path, weights, described)


def load_model(weights_path: Path, description_path: Path) -> StoredModel:
    """Read a trained model.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """
    described = read_description(weights_path, description_path, ("settings",))
    settings = parse(StarModelSettings, described["settings"], description_path)
    network = build_network(settings.network, settings.stars.numbers)
    load_weights(network, weights_path)
    return StoredModel(settings, network.eval())
