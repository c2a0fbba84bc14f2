"""A trained generative model on disk: safetensors weights and a JSON description with their SHA-256."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from cloudchamber.errors import InputError
from cloudchamber.networks.epic import Epic
from cloudchamber.preparation.relative import RELATIVE_COLUMNS
from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.settings import GeneratorSettings, parse
from cloudchamber.storage import read_json, sha256, write_bytes, write_json

__all__ = ["Artifact", "build_network", "load_artifact", "save_artifact"]


@final
@dataclass(frozen=True)
class Artifact:
    """A trained model, ready to draw from."""

    settings: GeneratorSettings
    network: nn.Module
    points: Standardisation
    conditions: Standardisation


def build_network(settings: GeneratorSettings) -> nn.Module:
    """Return the untrained network that the settings describe."""
    return Epic(len(RELATIVE_COLUMNS), len(settings.conditions), settings.network)


def save_artifact(
    weights_path: Path,
    description_path: Path,
    weights: Mapping[str, Tensor],
    settings: GeneratorSettings,
    standardisation: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Write weights and description.

    Raises:
        StorageError: a file cannot be written.
    """
    write_bytes(weights_path, save({name: value.contiguous() for name, value in weights.items()}))
    description = {
        "settings": settings.model_dump(mode="json"),
        "standardisation": standardisation,
        "parameters": sum(value.numel() for value in weights.values()),
        "weights_sha256": sha256(weights_path),
        "provenance": provenance,
    }
    write_json(description_path, description)


def load_artifact(weights_path: Path, description_path: Path) -> Artifact:
    """Read a trained model.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """
    description = read_json(description_path)
    try:
        weights_sha256, fits = description["weights_sha256"], description["standardisation"]
    except (KeyError, TypeError) as error:
        raise InputError(f"{description_path}: not the description of a model: {error}") from error
    if sha256(weights_path) != weights_sha256:
        raise InputError(f"{weights_path}: not the weights that {description_path} describes (SHA-256 differs)")
    settings = parse(GeneratorSettings, description["settings"], description_path)
    network = build_network(settings)
    try:
        network.load_state_dict(load_file(weights_path))
    except (SafetensorError, RuntimeError) as error:
        raise InputError(f"{weights_path}: {' '.join(str(error).split())}") from error
    points, conditions = (Standardisation.from_json(fits[name]) for name in ("points", "conditions"))
    return Artifact(settings, network, points, conditions)
