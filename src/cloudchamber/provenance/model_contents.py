"""What is in the files of trained models: weights, descriptions, exports and states of a training."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudchamber.errors import InputError
from cloudchamber.provenance.found_contents import Contents
from cloudchamber.storage import read_json

__all__ = ["json_contents", "onnx_contents", "state_contents", "weights_contents"]


def weights_contents(path: Path) -> Contents:
    """Read weights and the description beside them.

    Raises:
        InputError: one is damaged, or they do not belong together.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from cloudchamber.training.descriptions import description_beside

    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: cannot be read as weights: {' '.join(str(error).split())}") from error
    spoilt = sorted(name for name, tensor in tensors.items() if not tensor.isfinite().all())
    if spoilt:
        raise InputError(f"{path}: '{spoilt[0]}' holds values that are not finite")
    description, described = description_beside(path)
    facts = {
        "tensors": len(tensors),
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
        "described_by": description.name,
        **_of_model(described),
    }
    return Contents("weights", ("SHA-256 of the description", "values finite"), facts, described.get("provenance", {}))


def _of_model(described: Mapping[str, Any]) -> dict[str, Any]:
    return {key: described[key] for key in ("standardisation", "scales") if key in described}


def json_contents(path: Path) -> Contents:
    """Read JSON; of a description, the weights beside it too.

    Raises:
        InputError: it is damaged, or no weights beside it are its own.
    """
    content = read_json(path)
    if not isinstance(content, dict) or "weights_sha256" not in content:
        return Contents("JSON", ("readable",), {"keys": sorted(content) if isinstance(content, dict) else []})
    from cloudchamber.training.descriptions import read_description

    candidates = sorted(path.parent.glob("*.safetensors"))
    faults = [f"{path}: no weights (safetensors) beside it"]
    for weights in candidates:
        try:
            described = read_description(weights, path, ("settings",))
        except InputError as error:
            faults.append(str(error))
            continue
        facts = {"parameters": described.get("parameters"), "weights": weights.name, **_of_model(described)}
        return Contents("description of a model", ("SHA-256 of the weights",), facts, described.get("provenance", {}))
    raise InputError(faults[-1])


def onnx_contents(path: Path) -> Contents:
    """Read an exported network; without the package onnx nothing is verified.

    Raises:
        InputError: it is damaged.
    """
    try:
        import onnx
    except ImportError:  # of the extra "export", which what only reads results has no need of
        return Contents("tagger in ONNX")
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except Exception as error:  # damaged bytes make protobuf and onnx raise errors of no common type
        raise InputError(f"{path}: cannot be read as ONNX: {' '.join(str(error).split())[:200]}") from error
    values = {
        "inputs": [item.name for item in model.graph.input],
        "outputs": [item.name for item in model.graph.output],
    }
    said = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    return Contents("tagger in ONNX", ("structure of the graph",), {**values, "nodes": len(model.graph.node), **said})


def state_contents(path: Path) -> Contents:
    """Read the state of a training.

    Raises:
        InputError: it is damaged.
    """
    from cloudchamber.training.state import read_state

    try:
        state = read_state(path)
        identity = json.loads(state["identity"])
        facts = {"step": state["step"], "rows of the history": len(state["history"])}
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a training state, or damaged: {' '.join(str(error).split())[:200]}") from error
    provenance = {"step": "training", "inputs": identity.pop("data", {}), **identity}
    return Contents("training state", ("checksum of each part", "no code in it"), facts, provenance)
