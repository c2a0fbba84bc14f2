"""All networks of the study, from settings and from files."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from cloudchamber.errors import InputError
from cloudchamber.studies.neutrinos.event_clouds import Window
from cloudchamber.studies.neutrinos.feature_networks import HighLevelNetwork, VisibleTruthNetwork
from cloudchamber.studies.neutrinos.inputs import EventSource
from cloudchamber.studies.neutrinos.network_settings import (
    HighLevelSettings,
    NeutrinoNetworkSettings,
    NeutrinoTrainingSettings,
    PointSetSettings,
    TransformerCvnSettings,
    VisibleTruthSettings,
)
from cloudchamber.studies.neutrinos.point_set import PointSet
from cloudchamber.studies.neutrinos.transformer_cvn import TransformerCvn
from cloudchamber.training.described_weights import Stored, load_stored, parameters, save_described

__all__ = ["build", "fit_inputs", "load_network", "save_network"]


def build(settings: NeutrinoNetworkSettings, window: Window, features: tuple[int, int]) -> nn.Module:
    """Return an untrained network.

    Args:
        settings: kind and sizes.
        window: planes, cells and prongs of the events.
        features: numbers of features of an event and of a prong.
    """
    match settings:
        case TransformerCvnSettings():
            return TransformerCvn(settings, window)
        case PointSetSettings():
            return PointSet(settings, window)
        case HighLevelSettings():
            return HighLevelNetwork(settings, *features)
        case VisibleTruthSettings():
            return VisibleTruthNetwork(settings, *features)


def fit_inputs(network: nn.Module, source: EventSource) -> None:
    """Standardise the features of a network that takes some by training events."""
    if isinstance(network, HighLevelNetwork | VisibleTruthNetwork):
        event, prong, mask = source.features
        network.event_inputs.fit(event)
        network.prong_inputs.fit(prong[mask])


def save_network(
    weights_path: Path,
    description_path: Path,
    settings: NeutrinoTrainingSettings,
    network: nn.Module,
    weights: Mapping[str, Tensor],
    built: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Write weights and description.

    Args:
        weights_path, description_path: where they go.
        settings: of the training.
        network: whose weights they are.
        weights: by name.
        built: "window", "features" and "events" of the training.
        provenance: what made the weights.

    Raises:
        StorageError: a file cannot be written.
    """
    window = asdict(built["window"])
    save_described(
        weights_path, description_path, weights, settings, parameters(network), provenance,
        window=window, features=list(built["features"]), events=built["events"],
    )  # fmt: skip


def load_network(weights_path: Path, description_path: Path) -> Stored[NeutrinoTrainingSettings, nn.Module]:
    """Read a trained network; its description has "window", "features" and "events".

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """

    def made(settings: NeutrinoTrainingSettings, described: Mapping[str, Any]) -> nn.Module:
        try:
            event, prong = described["features"]
            return build(settings.network, Window(**described["window"]), (int(event), int(prong)))
        except (TypeError, ValueError) as error:
            raise InputError(f"{description_path}: 'window' or 'features' is wrong: {error}") from error

    return load_stored(weights_path, description_path, NeutrinoTrainingSettings, made, ("window", "features", "events"))
