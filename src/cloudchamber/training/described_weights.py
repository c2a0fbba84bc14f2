"""Trained networks on disk: weights as safetensors, and a JSON description that holds their SHA-256 and its own.

Each description holds the settings of the training, the number of parameters and the provenance. What else it takes to
build the network again stands beside them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, final

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from cloudchamber.errors import InputError
from cloudchamber.settings.base import Settings, parse
from cloudchamber.storage import write_bytes
from cloudchamber.training.descriptions import read_description, write_description

__all__ = ["Stored", "load_stored", "parameters", "save_described"]

SettingsT = TypeVar("SettingsT", bound=Settings)
NetworkT = TypeVar("NetworkT", bound=nn.Module)


@final
@dataclass(frozen=True)
class Stored(Generic[SettingsT, NetworkT]):
    """A trained network that was read from its files.

    Attributes:
        settings: what it was trained with.
        network: with the stored weights, in evaluation mode.
        description: everything that its description says.
    """

    settings: SettingsT
    network: NetworkT
    description: Mapping[str, Any]


def parameters(network: nn.Module) -> int:
    """Return the number of trained parameters, without statistics of inputs and of batch normalisation."""
    return sum(parameter.numel() for parameter in network.parameters())


def save_described(
    weights_path: Path,
    description_path: Path,
    weights: Mapping[str, Tensor],
    settings: Settings,
    number: int,
    provenance: Mapping[str, Any],
    **more: Any,
) -> None:
    """Write weights and their description.

    Args:
        weights_path, description_path: where they go.
        weights: by name, statistics of the inputs among them.
        settings: of the training.
        number: of trained parameters.
        provenance: what made the weights (:func:`cloudchamber.storage.provenance`).
        more: what else the network is built from or readers are told, by its key in the description.

    Raises:
        StorageError: a file cannot be written.
    """
    described = {
        "settings": settings.model_dump(mode="json"),
        "parameters": number,
        "provenance": provenance,
        **more,
    }
    write_bytes(weights_path, save({name: value.contiguous() for name, value in weights.items()}))
    write_description(weights_path, description_path, described)


def load_stored(
    weights_path: Path,
    description_path: Path,
    settings_type: type[SettingsT],
    build: Callable[[SettingsT, Mapping[str, Any]], NetworkT],
    keys: Sequence[str] = (),
) -> Stored[SettingsT, NetworkT]:
    """Read a trained network.

    Args:
        weights_path, description_path: its files.
        settings_type: of the settings that it was trained with.
        build: returns the untrained network, from its settings and its description.
        keys: what the description must hold beside the settings.

    Raises:
        InputError: a file is missing or damaged, the description lacks a key, the weights are not those of the
            description, or they do not fit the network.
        SettingsError: the settings of the description are none of ``settings_type``.
    """
    described = read_description(weights_path, description_path, ("settings", *keys))
    settings = parse(settings_type, described["settings"], description_path)
    network = build(settings, described)
    try:
        network.load_state_dict(load_file(weights_path))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise InputError(f"{weights_path}: {' '.join(str(error).split())}") from error
    network.eval()
    return Stored(settings, network, described)
