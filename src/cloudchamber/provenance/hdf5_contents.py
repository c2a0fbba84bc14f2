"""What is in files of HDF5: clouds, observables, splits, events, assignments and scores."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudchamber.errors import InputError
from cloudchamber.provenance.found_contents import Contents

__all__ = ["hdf5_contents"]


def hdf5_contents(path: Path) -> Contents:
    """Read a file of HDF5 whole.

    Raises:
        InputError: it is damaged, incomplete, or of no kind that the pipeline writes.
    """
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
    from cloudchamber.cloud_file import open_clouds
    from cloudchamber.cloud_layout import GROUP_FORMAT

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


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}
