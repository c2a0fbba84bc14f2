"""How jets of classes were made and of what files, what a tagger knows of those of its training, and what differs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cloudchamber.cloud import Clouds
from cloudchamber.preparation.detectors import detector_of, detectors_differ
from cloudchamber.preparation.puppi import takes_puppi

__all__ = ["MADE_WITH", "READ_FROM", "made_with", "read_from", "say_unlike_jets"]

# Key of the meta data of jets of classes, and of what is known of a training: class -> what :func:`made_with` found.
MADE_WITH = "made_with"
# The same of the files: class -> what :func:`read_from` found.
READ_FROM = "read_from"
# Keys of the clouds in the settings of the ingestion that say what a jet is. Windows and matches say which are taken.
_OF_CLOUDS = ("kind", "algorithm", "radius", "constituents", "collection")


def made_with(clouds: Clouds, max_particles: int) -> dict[str, str]:
    """Return what the jets of a cloud file were made with, in words, as far as its meta data say it.

    Args:
        clouds: of the file.
        max_particles: how many particles of a jet are taken.
    """
    settings = _mapping(_mapping(clouds.meta, "provenance"), "settings")
    if "clouds" not in settings:
        # Of prepared jets their source says it.
        settings = _mapping(_mapping(_mapping(clouds.meta, "source"), "provenance"), "settings")
    of_clouds = _mapping(settings, "clouds")
    found = {key: str(of_clouds[key]) for key in _OF_CLOUDS if of_clouds.get(key) is not None}
    if "constituents" in of_clouds:
        # Who does not say it leaves pile-up out of particles alone.
        usual = "leave_out" if of_clouds["constituents"] == "particle" else "keep"
        found["pile_up"] = str(of_clouds.get("pile_up") or usual)
    if settings.get("layout") == "nanoaod" and "collection" in of_clouds:
        found["puppi"] = str(takes_puppi(str(of_clouds["collection"]), of_clouds.get("puppi")))
    if "layout" in settings:
        found["layout"] = str(settings["layout"])
    collections = _mapping(clouds.meta, "constituents").get("collections")
    # Jets of one file may be made of fewer kinds of energy-flow objects than those of another.
    if collections and not any(str(name).startswith("EFlow") for name in collections):
        found["collections"] = ", ".join(map(str, collections))
    elif collections:
        found["collections"] = "EFlow*"
    if found:
        width, cut = clouds.points.shape[1], _mapping(clouds.meta, "truncation").get("clouds_truncated", 0)
        found["max_particles"] = str(width if cut and width < max_particles else max_particles)
    return found


def read_from(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the meta data of clouds, ingested or prepared, say of the detector of their files."""
    return detector_of(_mapping(meta, "source") or meta)


def say_unlike_jets(
    step: str,
    jets: str,
    tagger: str,
    description: Mapping[str, Any],
    made: Iterable[Mapping[str, str]],
    read: Iterable[Mapping[str, Any]],
    cut: int | None,
    looks_at: int | None,
) -> None:
    """Say on standard error how jets differ from those that a tagger was trained with.

    Args:
        step, jets, tagger: what says it, and what the two are called.
        description: of the tagger, which may know how the jets of its training were made.
        made, read: what :func:`made_with` and :func:`read_from` found of the jets.
        cut: number of particles that the jets were cut to, None where nothing tells.
        looks_at: number of particles that the tagger looks at, None where it takes features.
    """
    training = _mapping(description, "training")
    otherwise = _made_otherwise([*made], [*_mapping(training, MADE_WITH).values()])
    lines = [
        None if otherwise is None else f"made otherwise than what {tagger} knows: {otherwise}",
        _read_otherwise([*read], [*_mapping(training, READ_FROM).values()]),
        None if looks_at is None else _cut_otherwise(cut, looks_at),
    ]
    for line in filter(None, lines):
        sys.stderr.write(f"{step}: WARNING: {jets}: {line}\n")


def _made_otherwise(jets: Sequence[Mapping[str, str]], of_training: Sequence[Mapping[str, str]]) -> str | None:
    """Say in what jets differ from all those that a tagger was trained with, or return None.

    Args:
        jets, of_training: what :func:`made_with` found of each. The number of particles is the tagger's own matter.
    """
    for key in dict.fromkeys(key for found in jets for key in found if key != "max_particles"):
        mine, its = ({found[key]: None for found in side if key in found} for side in (jets, of_training))
        other = [value for value in mine if value not in its]
        if its and other:
            return f"'{key}' is {other[0]}, of the jets of the training it was {' or '.join(its)}"
    return None


def _read_otherwise(jets: Sequence[Mapping[str, Any]], of_training: Sequence[Mapping[str, Any]]) -> str | None:
    """Say how the files of jets differ from all those of the training of a tagger, or return None.

    Args:
        jets, of_training: what :func:`read_from` found of each: of card, pile-up and version of Delphes.
    """
    for mine in jets:
        found = [detectors_differ(mine, its, "the jets of the training") for its in of_training]
        if found and None not in found:
            return found[0]
    return None


def _cut_otherwise(cut: int | None, looks_at: int) -> str | None:
    """Say that jets were cut to fewer particles than a tagger looks at, or return None.

    Args:
        cut: number of particles that the jets were cut to, None where nothing tells.
        looks_at: number of particles that the tagger looks at: at most as many as jets of its training were cut to.
    """
    if cut is None or cut >= looks_at:
        return None
    return (
        f"the most particles of a jet are {cut}, and many jets have as many, as where they were cut to the hardest: "
        f"the tagger looks at {looks_at}"
    )


def _mapping(values: Any, key: str) -> Mapping[str, Any]:
    found = values.get(key) if isinstance(values, Mapping) else None
    return found if isinstance(found, Mapping) else {}
