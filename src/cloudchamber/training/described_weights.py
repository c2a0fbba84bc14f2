"""Weights of a network on disk: safetensors, and a JSON description that holds their SHA-256 and its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from cloudchamber.errors import InputError
from cloudchamber.storage import write_bytes
from cloudchamber.training.descriptions import write_description

__all__ = ["load_weights", "write_described_weights"]


def write_described_weights(
    weights_path: Path, description_path: Path, weights: Mapping[str, Tensor], description: Mapping[str, Any]
) -> None:
    """Write weights and what describes them.

    Raises:
        StorageError: a file cannot be written.
    """
    write_bytes(weights_path, save({name: value.contiguous() for name, value in weights.items()}))
    write_description(weights_path, description_path, description)


def load_weights(network: nn.Module, weights_path: Path) -> None:
    """Fill ``network`` with stored weights.

    Raises:
        InputError: the file cannot be read, or its weights do not fit the network.
    """
    try:
        network.load_state_dict(load_file(weights_path))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise InputError(f"{weights_path}: {' '.join(str(error).split())}") from error
