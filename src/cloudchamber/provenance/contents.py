"""What is in a file, by the rules of its format: each kind that the pipeline writes is read whole and verified."""

import csv
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from cloudchamber.errors import InputError
from cloudchamber.storage import read_json

__all__ = ["Contents", "UnknownKindError", "read_contents"]

_PAGES = {
    ".png": "figure",
    ".pdf": "figure",
    ".html": "page",
    ".tex": "table in LaTeX",
    ".md": "text in Markdown",
}


@final
class UnknownKindError(InputError):
    """The file is none that the pipeline writes: nothing can be said of it."""


@final
@dataclass(frozen=True)
class Contents:
    """What was found in a file.

    Attributes:
        kind: what the file is.
        checks: what was verified, in words; empty for formats that nothing can be verified of.
        facts: sizes, columns and whatever else the file says of itself.
        provenance: what made it, where the file itself says so.
    """

    kind: str
    checks: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


def read_contents(path: Path) -> Contents:
    """Read a file whole and verify what its format can verify.

    Raises:
        InputError: the file is missing, damaged or incomplete.
        UnknownKindError: it is of no kind that is known here.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix in _PAGES:
        return Contents(_PAGES[suffix])
    if suffix not in _READERS:
        known = sorted([*_READERS, *_PAGES])
        raise UnknownKindError(f"{path}: not a kind of file that the pipeline writes ({', '.join(known)})")
    return _READERS[suffix](path)


def _hdf5(path: Path) -> Contents:
    import h5py
    import numpy as np

    try:
        with h5py.File(path, "r", locking=False) as file:
            layouts = {"particle_features": b"jetnet", "INPUTS": b"spanet"}
            form = file.attrs.get("format", next((name for key, name in layouts.items() if key in file), b""))
            clouds = file.attrs.get("n_clouds")
    except (OSError, RuntimeError, KeyError) as error:
        raise InputError(f"{path}: cannot be read as HDF5: {' '.join(str(error).split())}") from error
    text = np.bytes_(form).decode(errors="replace")
    match text:
        case "cloudchamber-clouds":
            return _clouds(path)
        case "cloudchamber-cloud-group":
            return _cloud_group(path)
        case "cloudchamber-packed-clouds":
            return _packed_clouds(path)
        case "cloudchamber-observables":
            return _observables(path)
        case "cloudchamber-split" if clouds is not None:
            return _split(path, int(clouds))
        case "jetnet":
            return _jetnet(path)
        case "spanet":
            return _whole(path, "events in the layout of SPANet", "META")
        case "cloudchamber-assignments":
            return _whole(path, "assignments of jets", "meta")
        case "cloudchamber-neutrino-scores":
            return _whole(path, "scores of neutrino events", "meta")
    raise InputError(f"{path}: HDF5, but of no kind that the pipeline writes (attribute 'format' is '{text}')")


def _whole(path: Path, kind: str, meta_key: str) -> Contents:
    """Read every data set of a file whose only rules are its checksums and its mark of completeness."""
    import h5py

    shapes: dict[str, list[int]] = {}
    meta: Mapping[str, Any] = {}
    try:
        with h5py.File(path, "r", locking=False) as file:
            complete = bool(file.attrs.get("complete"))

            def read(name: str, item: Any) -> None:
                if isinstance(item, h5py.Dataset):
                    shapes[name] = list(item[()].shape)

            file.visititems(read)
            if meta_key in file:
                meta = json.loads(file[meta_key][()].tobytes())
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as {kind}: {' '.join(str(error).split())}") from error
    # Files of others have no mark.
    if meta and not complete:
        raise InputError(f"{path}: {kind}, but not complete")
    checks = ("checksums", "completeness mark") if complete else ()
    return Contents(kind, checks, {"data_sets": shapes}, dict(meta.get("provenance", {})))


def _clouds(path: Path) -> Contents:
    from cloudchamber.cloud_file import open_clouds
    from cloudchamber.preparation.unweighting import effective_size

    with open_clouds(path, weighted=True) as clouds:
        particles = sum(int(piece.mask.sum()) for _, piece in clouds.pieces())
        meta, weights, parts = dict(clouds.meta), clouds.all.event_weight, clouds.indices
    weighted = (
        {}
        if weights is None
        else {
            "sum_of_event_weights": float(weights.sum()),
            "effective_size": effective_size(weights),
            "negative_event_weights": int((weights < 0).sum()),
        }
    )
    facts = {
        "clouds": len(clouds),
        "particles": particles,
        "padded_length": clouds.width,
        "points": [f"{column.name} [{column.unit}]" for column in clouds.point_columns],
        "features": [f"{column.name} [{column.unit}]" for column in clouds.feature_columns],
        "labels": [column.name for column in clouds.label_columns],
        "parts": {name: len(rows) for name, rows in parts.items()},
        **weighted,
    }
    checks = ("checksums", "completeness mark", "number of clouds", "values, mask and indices possible")
    return Contents("clouds", checks, {**facts, **_without(meta, "provenance")}, meta.get("provenance", {}))


def _cloud_group(path: Path) -> Contents:
    from cloudchamber.cloud_file import GROUP_FORMAT, open_clouds

    with open_clouds(path, kind=GROUP_FORMAT) as clouds:
        for _ in clouds.pieces():
            pass
        meta, number = dict(clouds.meta), len(clouds)
    checks = ("checksums", "completeness mark", "number of clouds", "values and mask possible")
    facts = {"clouds": number, "files": meta.get("files"), "files_skipped": meta.get("files_skipped")}
    return Contents("clouds of some files of a data set", checks, facts, meta.get("provenance", {}))


def _packed_clouds(path: Path) -> Contents:
    import numpy as np

    from cloudchamber.packed_cloud_file import open_packed_clouds

    with open_packed_clouds(path) as clouds:
        points = sum(len(part.points) for _, part in clouds.pieces(np.arange(len(clouds))))
        meta = dict(clouds.meta)
        facts = {
            "clouds": len(clouds),
            "points": points,
            "largest_cloud": int(clouds.counts.max(initial=0)),
            "columns": [f"{column.name} [{column.unit}]" for column in clouds.point_columns],
            "features": [f"{column.name} [{column.unit}]" for column in clouds.feature_columns],
            "labels": [column.name for column in clouds.label_columns],
            "parts": {name: len(rows) for name, rows in clouds.indices.items()},
        }
    checks = ("checksums", "completeness mark", "number of clouds and points")
    return Contents("packed clouds", checks, {**facts, **_without(meta, "provenance")}, meta.get("provenance", {}))


def _observables(path: Path) -> Contents:
    from cloudchamber.jets.observable_file import read_observables

    table, meta = read_observables(path)
    # "width" is what makes observables a file of jets to generate.
    kind, checks = "observables", ["checksums", "completeness mark", "number of jets"]
    if "width" in meta:
        from cloudchamber.generative.jet_features import read_jets

        read_jets(path)
        kind = "drawn jets"
        checks.append("values possible")
    facts = {"jets": len(next(iter(table.values()))), "columns": sorted(table), **_without(meta, "provenance")}
    return Contents(kind, tuple(checks), facts, meta.get("provenance", {}))


def _split(path: Path, clouds: int) -> Contents:
    from cloudchamber.preparation.splits import read_split

    parts = read_split(path, clouds)
    facts = {"clouds": clouds, "parts": {name: len(rows) for name, rows in parts.items()}}
    return Contents("split", ("checksums", "completeness mark", "rows possible and each in one part"), facts)


def _jetnet(path: Path) -> Contents:
    from cloudchamber.readers.jetnet import read_jetnet

    clouds = read_jetnet(path)
    facts = {"clouds": len(clouds), "particles": int(clouds.mask.sum()), "padded_length": clouds.points.shape[1]}
    return Contents("clouds in the JetNet layout", ("readable", "values possible"), facts)


def _root(path: Path) -> Contents:
    from cloudchamber.readers.root_overview import root_overview

    found = root_overview(path)
    facts = {"events": found.events, "collections": found.collections, "clouds": found.clouds or "none"}
    if not found.collections:
        facts = {"trees": found.trees, "clouds": found.clouds or "none"}
    leaves = ("all numeric leaves readable",) if found.collections else ()
    return Contents(found.kind, ("header and length", *leaves), facts)


def _weights(path: Path) -> Contents:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: cannot be read as weights: {' '.join(str(error).split())}") from error
    spoilt = sorted(name for name, tensor in tensors.items() if not tensor.isfinite().all())
    if spoilt:
        raise InputError(f"{path}: '{spoilt[0]}' holds values that are not finite")
    description, described = _description_of(path)
    facts = {
        "tensors": len(tensors),
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
        "described_by": description.name,
        **_of_model(described),
    }
    return Contents("weights", ("SHA-256 of the description", "values finite"), facts, described.get("provenance", {}))


def _description_of(weights: Path) -> tuple[Path, dict[str, Any]]:
    """Return the description beside weights; there must be one, and its hash must be theirs."""
    from cloudchamber.training.descriptions import read_description

    found = [path for path in sorted(weights.parent.glob("*.json")) if "weights_sha256" in _mapping(path)]
    if not found:
        raise InputError(f"{weights}: no description (JSON with weights_sha256) beside it")
    faults = []
    for path in found:
        try:
            return path, read_description(weights, path, ("settings",))
        except InputError as error:
            faults.append(str(error))
    raise InputError(faults[0])


def _of_model(described: Mapping[str, Any]) -> dict[str, Any]:
    return {key: described[key] for key in ("standardisation", "scales") if key in described}


def _json(path: Path) -> Contents:
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


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        content = read_json(path)
    except InputError:
        return {}
    return content if isinstance(content, dict) else {}


def _csv(path: Path) -> Contents:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table: {error}") from error
    if len(rows) < 2:
        raise InputError(f"{path}: the table has no rows")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise InputError(f"{path}: line {number} has {len(row)} columns, the first has {len(rows[0])}")
    return Contents("table", ("rows of equal length",), {"rows": len(rows) - 1, "columns": rows[0]})


def _onnx(path: Path) -> Contents:
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


def _state(path: Path) -> Contents:
    from cloudchamber.training.state import read_state

    try:
        state = read_state(path)
        identity = json.loads(state["identity"])
        facts = {"step": state["step"], "rows of the history": len(state["history"])}
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a training state, or damaged: {' '.join(str(error).split())[:200]}") from error
    provenance = {"step": "training", "inputs": identity.pop("data", {}), **identity}
    return Contents("training state", ("checksum of each part", "no code in it"), facts, provenance)


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


_READERS: Mapping[str, Callable[[Path], Contents]] = {
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".root": _root,
    ".safetensors": _weights,
    ".json": _json,
    ".csv": _csv,
    ".onnx": _onnx,
    ".pt": _state,
}
