"""Whether the jets of all classes were made alike: else taggers tell what they were made with, and not the classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.preparation.alike import cut_at, in_other_units
from cloudchamber.preparation.detectors import detectors_differ

__all__ = [
    "cut_of_classes",
    "detectors_of_classes",
    "difference",
    "typical_pt",
    "units_of_classes",
    "windows_of_classes",
]

# Share of the jets of one class, and how many, that are outside of a window which the jets of another came through.
_OUTSIDE, _FEWEST_OUTSIDE = 0.01, 5


def difference(made: Sequence[tuple[str, Mapping[str, str]]]) -> str | None:
    """Say in what the first two of the named classes differ that were not made alike, or return None.

    Args:
        made: class and what ``made_with`` found of it. What one of two does not say is no difference.
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
