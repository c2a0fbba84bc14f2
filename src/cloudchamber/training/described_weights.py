"""Weights of a network on disk: safetensors, and a JSON description that holds their SHA-256 and its own."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from cloudchamber.errors import InputError
from cloudchamber.storage import read_json, sha256, write_bytes, write_json

__all__ = ["load_weights", "read_description", "write_described_weights"]

_OWN = "description_sha256"


def write_described_weights(
    weights_path: Path, description_path: Path, weights: Mapping[str, Tensor], description: Mapping[str, Any]
) -> None:
    """Write weights and what describes them.

    Raises:
        StorageError: a file cannot be written.
    """
    write_bytes(weights_path, save({name: value.contiguous() for name, value in weights.items()}))
    described = {**description, "weights_sha256": sha256(weights_path)}
    write_json(description_path, {**described, _OWN: _digest(described)})


def read_description(weights_path: Path, description_path: Path, keys: Sequence[str]) -> dict[str, Any]:
    """Return the description of weights.

    Raises:
        InputError: a file is missing or damaged, one of ``keys`` is missing, or the weights are not those of the
            description.
    """
    description = read_json(description_path)
    needed = ("weights_sha256", _OWN, *keys)
    missing = [key for key in needed if not isinstance(description, dict) or key not in description]
    if missing:
        raise InputError(f"{description_path}: not the description of a model: no {missing}")
    own = description.pop(_OWN)
    if own != _digest(description):
        raise InputError(f"{description_path}: was changed after it was written (SHA-256 differs)")
    if sha256(weights_path) != description["weights_sha256"]:
        raise InputError(f"{weights_path}: not the weights that {description_path} describes (SHA-256 differs)")
    return description


def _digest(description: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the content of a description, however it is laid out."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def load_weights(network: nn.Module, weights_path: Path) -> None:
    """Fill ``network`` with stored weights.

    Raises:
        InputError: the file cannot be read, or its weights do not fit the network.
    """
    try:
        network.load_state_dict(load_file(weights_path))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise InputError(f"{weights_path}: {' '.join(str(error).split())}") from error
