"""Whether two sets of clouds were read from files of one detector: by what their meta data keep of the files."""

from collections.abc import Mapping
from typing import Any

from cloudchamber.preparation.alike import cells_differ, leaves_differ
from cloudchamber.preparation.pile_up_amounts import pile_up_differs
from cloudchamber.readers.constituents import detector_view

__all__ = ["detector_of", "detectors_differ"]


def detector_of(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return what :func:`detectors_differ` looks at, of the meta data of clouds."""
    counted, events = _mapping(meta, "pile_up"), _mapping(meta, "events")
    found = {
        "constituents": {"collections": collections} if (collections := _collections(meta)) else {},
        "leaves": _leaves(meta),
        "cells": dict(_mapping(meta, "cells")),
        "pile_up": {key: counted[key] for key in ("constituents", "left_out", "told_by") if key in counted},
        "events": {"read": events["read"]} if "read" in events else {},
    }
    return {key: value for key, value in found.items() if value}


def detectors_differ(meta: Mapping[str, Any], other: Mapping[str, Any], name: str) -> str | None:
    """Say how files of clouds differ from those of others in card, pile-up or version of Delphes, or return None.

    Args:
        meta, other: meta data of both, as the ingestion writes them. What those of one do not say is no difference.
        name: what the other is, in words.
    """
    mine, its = detector_view(_collections(meta)), detector_view(_collections(other))
    if mine and its and mine != its:
        return f"constituents are in {_listed(mine)}, of {name} in {_listed(its)}, as of two cards"
    found = leaves_differ(_leaves(other), _leaves(meta))
    if found is not None:
        return f"{found}, unlike {name}, as of files that two programs wrote"
    found = cells_differ(_mapping(other, "cells"), _mapping(meta, "cells"), f"of {name}")
    if found is not None:
        return f"{found}, as of two cards"
    return pile_up_differs(_pile_up(other), _pile_up(meta), f"of {name}")


def _collections(meta: Mapping[str, Any]) -> list[str]:
    return list(_mapping(meta, "constituents").get("collections", ()))


def _leaves(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return the leaves of the collections of constituents. Others, as those of stored jets, say nothing of these."""
    collections = _collections(meta)
    return {name: leaves for name, leaves in _mapping(meta, "leaves").items() if name in collections}


def _pile_up(meta: Mapping[str, Any]) -> tuple[int | None, int]:
    """Return the constituents from pile-up that were kept, None where nothing tells, and the events that were read."""
    counted = _mapping(meta, "pile_up")
    kept = counted["constituents"] - counted["left_out"] if counted.get("told_by") else None
    return kept, _mapping(meta, "events").get("read", 0)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _mapping(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}
