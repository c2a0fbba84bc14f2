"""Trained models of the study on disk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from cloudchamber.studies.neutron_stars.settings import StarModelSettings
from cloudchamber.studies.neutron_stars.star_networks import StarSetNetwork, build_network
from cloudchamber.training.described_weights import Stored, load_stored, parameters, save_described

__all__ = ["load_model", "save_model"]


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
    save_described(weights_path, description_path, weights, settings, parameters(network), provenance)


def load_model(weights_path: Path, description_path: Path) -> Stored[StarModelSettings, StarSetNetwork]:
    """Read a trained model.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """
    return load_stored(
        weights_path,
        description_path,
        StarModelSettings,
        lambda settings, described: build_network(settings.network, settings.stars.numbers),
    )
