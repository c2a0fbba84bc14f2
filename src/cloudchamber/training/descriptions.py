"""The JSON description of weights: it holds their SHA-256 and its own. Reading it needs no network."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudchamber.errors import InputError
from cloudchamber.storage import read_json, sha256, write_json

__all__ = ["read_description", "write_description"]

_OWN = "description_sha256"


def write_description(weights_path: Path, description_path: Path, description: Mapping[str, Any]) -> None:
    """Write what describes weights that are there.

    Raises:
        StorageError: the file cannot be written.
    """
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
