"""The JSON description of weights: it holds their SHA-256 and its own. Reading it needs no network."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudchamber.errors import InputError
from cloudchamber.storage import read_json, sha256, write_json

__all__ = ["description_beside", "read_description", "write_description"]

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


def description_beside(weights_path: Path) -> tuple[Path, dict[str, Any]]:
    """Return the description in the folder of weights that is theirs, and what it says.

    Raises:
        InputError: there is none, or it is damaged.
    """
    found = [path for path in sorted(weights_path.parent.glob("*.json")) if "weights_sha256" in _mapping(path)]
    if not found:
        raise InputError(f"{weights_path}: no description (JSON with weights_sha256) beside it")
    faults = []
    for path in found:
        try:
            return path, read_description(weights_path, path, ("settings",))
        except InputError as error:
            faults.append(str(error))
    raise InputError(faults[0])


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        content = read_json(path)
    except InputError:
        return {}
    return content if isinstance(content, dict) else {}


def _digest(description: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the content of a description, however it is laid out."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()
