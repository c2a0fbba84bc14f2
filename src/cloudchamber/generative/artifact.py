"""A trained generative model: its network by settings, and its files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn

from cloudchamber.errors import SettingsError
from cloudchamber.generative.objectives import build_objective
from cloudchamber.generative.sampling import Sampler
from cloudchamber.jets.relative import RELATIVE_COLUMNS
from cloudchamber.networks.epic import Epic
from cloudchamber.networks.epic_gan import EpicGenerator
from cloudchamber.networks.transformer import Transformer
from cloudchamber.preparation.origin import ORIGIN
from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.settings.generators import GeneratorSettings, SamplerSettings
from cloudchamber.settings.networks import EpicGanSettings, EpicSettings, TransformerSettings
from cloudchamber.training.described_weights import load_stored, save_described

__all__ = [
    "LARGEST_MULTIPLICITY",
    "Artifact",
    "build_network",
    "build_sampler",
    "cloud_noise",
    "load_artifact",
    "save_artifact",
]

# Key of the description.
LARGEST_MULTIPLICITY = "largest_multiplicity"


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
    features, conditions = len(RELATIVE_COLUMNS), len(settings.conditions)
    intervals = settings.flow_map_segments is not None
    match settings.network:
        case EpicSettings():
            return Epic(features, conditions, settings.network, intervals)
        case TransformerSettings():
            return Transformer(features, conditions, settings.network, intervals)
        case EpicGanSettings():
            return EpicGenerator(features, conditions, settings.network)


def cloud_noise(settings: GeneratorSettings) -> int:
    """Return the width of the noise of each cloud that the network takes behind its conditions."""
    return settings.network.latent if isinstance(settings.network, EpicGanSettings) else 0


def build_sampler(artifact: Artifact, settings: SamplerSettings, device: torch.device) -> Sampler:
    """Return what draws from a trained model on ``device``.

    Raises:
        SettingsError: a flow map is asked for anything but a number of its own steps, or another model for steps of a
            flow map.
    """
    segments = artifact.settings.flow_map_segments
    if segments is None and settings.solver == "flow_map":
        raise SettingsError("solver: flow_map samples flow maps, and this model is none")
    if segments is not None and (settings.solver != "flow_map" or segments % settings.evaluations):
        raise SettingsError(
            "solver: this model is a flow map, sampled by flow_map with a number of evaluations that divides"
            f" {segments}"
        )
    return Sampler(
        artifact.network.to(device),
        build_objective(artifact.settings.objective),
        settings,
        len(RELATIVE_COLUMNS),
        cloud_noise(artifact.settings),
    )


def save_artifact(
    weights_path: Path,
    description_path: Path,
    weights: Mapping[str, Tensor],
    settings: GeneratorSettings,
    standardisation: Mapping[str, Any],
    largest_multiplicity: int,
    origin: Mapping[str, Any] | None,
    provenance: Mapping[str, Any],
) -> None:
    """Write weights and description, with the number of particles that no training jet exceeds, and their origin.

    Raises:
        StorageError: a file cannot be written.
    """
    number = sum(value.numel() for value in weights.values())
    more = {"standardisation": standardisation, LARGEST_MULTIPLICITY: largest_multiplicity, ORIGIN: origin}
    save_described(weights_path, description_path, weights, settings, number, provenance, **more)


def load_artifact(weights_path: Path, description_path: Path) -> Artifact:
    """Read a trained model.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """
    stored = load_stored(
        weights_path,
        description_path,
        GeneratorSettings,
        lambda settings, described: build_network(settings),
        ("standardisation",),
    )
    fits = stored.description["standardisation"]
    points, conditions = (Standardisation.from_json(fits[name]) for name in ("points", "conditions"))
    return Artifact(stored.settings, stored.network, points, conditions)
