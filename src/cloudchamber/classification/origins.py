"""Whether the jets of all classes were made alike: else taggers tell what they were made with, and not the classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.preparation.alike import cut_at, in_other_units
from cloudchamber.preparation.detectors import detector_of, detectors_differ
from cloudchamber.preparation.nanoaod_jets import takes_puppi

__all__ = [
    "MADE_WITH",
    "READ_FROM",
    "cut_of_classes",
    "cut_otherwise",
    "detectors_of_classes",
    "difference",
    "made_otherwise",
    "made_with",
    "read_from",
    "read_otherwise",
    "trained_from",
    "trained_with",
    "typical_pt",
    "units_of_classes",
    "windows_of_classes",
]

# Keys of the clouds in the settings of the ingestion that say what a jet is. Windows and matches say which are taken.
# Key of the meta data of jets of classes, and of what is known of a training: class -> what :func:`made_with` found.
MADE_WITH = "made_with"
# The same of the files: class -> what :func:`read_from` found.
READ_FROM = "read_from"
_OF_CLOUDS = ("kind", "algorithm", "radius", "constituents", "collection")

# Share of the jets of one class, and how many, that are outside of a window which the jets of another came through.
_OUTSIDE, _FEWEST_OUTSIDE = 0.01, 5


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


def trained_with(description: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    """Return what :func:`made_with` found of each class that a tagger was trained with, by its description."""
    return _mapping(_mapping(description, "training"), MADE_WITH)


def made_otherwise(jets: Sequence[Mapping[str, str]], of_training: Sequence[Mapping[str, str]]) -> str | None:
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


def read_from(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the meta data of clouds, ingested or prepared, say of the detector of their files."""
    return detector_of(_mapping(meta, "source") or meta)


def trained_from(description: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Return what :func:`read_from` found of each class that a tagger was trained with, by its description."""
    return _mapping(_mapping(description, "training"), READ_FROM)


def read_otherwise(jets: Sequence[Mapping[str, Any]], of_training: Sequence[Mapping[str, Any]]) -> str | None:
    """Say how the files of jets differ from all those of the training of a tagger, or return None.

    Args:
        jets, of_training: what :func:`read_from` found of each: of card, pile-up and version of Delphes.
    """
    for mine in jets:
        found = [detectors_differ(mine, its, "the jets of the training") for its in of_training]
        if found and None not in found:
            return found[0]
    return None


def difference(made: Sequence[tuple[str, Mapping[str, str]]]) -> str | None:
    """Say in what the first two of the named classes differ that were not made alike, or return None.

    Args:
        made: class and what :func:`made_with` found. What one of two does not say is no difference.
    """
    for place, (name, one) in enumerate(made):
        for other_name, other in made[:place]:
            for key in one:
                if key in other and one[key] != other[key]:
                    return f"'{key}' is {other[key]} of class '{other_name}' and {one[key]} of class '{name}'"
            if one and other and one.keys().isdisjoint(other.keys() - {"max_particles"}):
                return f"class '{other_name}' and class '{name}' are read from files of different kinds"
    return None


def detectors_of_classes(metas: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Say which class was read from files of another card, pile-up or version of Delphes than another, or return None.

    Args:
        metas: meta data of the clouds of each class. What those of one of two do not say is no difference.
    """
    for place, (name, meta) in enumerate(metas.items()):
        for other_name, other in list(metas.items())[:place]:
            found = detectors_differ(meta, other, f"class '{other_name}'")
            if found is not None:
                return f"class '{name}': {found}"
    return None


def typical_pt(clouds: Clouds) -> float | None:
    """Return the geometric mean of the pT of the particles [GeV], None where no particle has one."""
    names = [column.name for column in clouds.point_columns]
    # Of prepared clouds it is in units of that of the jet.
    pt = clouds.point("pt") if "pt" in names else clouds.point("pt_rel") * clouds.feature("jet_pt")[:, None]
    values = pt[clouds.mask & (pt > 0)]
    return float(np.exp(np.log(values, dtype=np.float64).mean())) if len(values) else None


def units_of_classes(typical: Mapping[str, float | None]) -> str | None:
    """Say which class is in other units than the first, by the typical pT of its particles, or return None."""
    (first, pt), *others = typical.items()
    for name, its_pt in others:
        if in_other_units(pt, its_pt):
            return (
                f"the typical pT of particles is {pt:.3g} of class '{first}' and {its_pt:.3g} of class '{name}', as in "
                "different units"
            )
    return None


def cut_otherwise(cut: int | None, looks_at: int) -> str | None:
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


def cut_of_classes(numbers: Mapping[str, np.ndarray]) -> str | None:
    """Say of which class the jets were cut to fewer particles than those of another have, or return None.

    Args:
        numbers: of each class, (n,) constituents of its jets before the ingestion kept the hardest.
    """
    jets = {name: np.bincount(of_class.astype(np.int64)) for name, of_class in numbers.items()}
    longest = max(jets, key=lambda name: len(jets[name]))
    for name, found in jets.items():
        cut = cut_at(found)
        if cut is not None and len(found) < len(jets[longest]):
            return (
                f"{found[cut]} of {found.sum()} jets of class '{name}' have {cut} constituents and none has more, "
                f"those of class '{longest}' have up to {len(jets[longest]) - 1}, as where the former were cut"
            )
    return None


def windows_of_classes(classes: Mapping[str, Clouds]) -> str | None:
    """Say of which class jets are outside of a window that those of another were ingested with, or return None.

    Args:
        classes: jets of each class that are taken. What their meta data do not say is no window.
    """
    for name, jets in classes.items():
        for key, quantity, (low, high) in _windows(jets.meta):
            beyond = {other: _beyond(its, quantity, low, high) for other, its in classes.items()}
            # Of stored jets the window is of what the file has of them, and sums lie outside in all classes alike.
            for other, outside in beyond.items():
                its = len(classes[other])
                more = outside - beyond[name] * its / max(len(jets), 1)
                if more >= max(_FEWEST_OUTSIDE, _OUTSIDE * its):
                    return (
                        f"jets of class '{name}' were ingested with {key} {low:g} to {high:g}, {outside} of {its} jets "
                        f"of class '{other}' are outside of it (sample.{key} is of all classes)"
                    )
    return None


def _windows(meta: Mapping[str, Any]) -> list[tuple[str, str, tuple[float, float]]]:
    """Return key, feature without its beginning, and limits of each window that jets were ingested with."""
    settings = _mapping(_mapping(meta, "provenance"), "settings")
    # Labelled jets of public layouts have them beside the layout.
    found = {**settings, **_mapping(settings, "clouds")}
    windows = [(f"{name}_window", name, found.get(f"{name}_window")) for name in ("pt", "mass")]
    if found.get("eta_max") is not None:
        windows.append(("eta_max", "eta", (-found["eta_max"], found["eta_max"])))
    return [(key, name, (float(window[0]), float(window[1]))) for key, name, window in windows if window]


def _beyond(jets: Clouds, quantity: str, low: float, high: float) -> int:
    """Return how many jets are outside of limits."""
    names = [column.name for column in jets.feature_columns]
    values = jets.feature(next(name for name in (f"stored_{quantity}", f"jet_{quantity}") if name in names))
    # As the ingestion takes them, whose masses below zero are rounding.
    values = np.maximum(values, 0) if quantity == "mass" else values
    return int(np.count_nonzero((values < low) | (values > high)))


def _mapping(values: Any, key: str) -> Mapping[str, Any]:
    found = values.get(key) if isinstance(values, Mapping) else None
    return found if isinstance(found, Mapping) else {}
