"""What figures of the study draw alike: points of methods, entries of legends, headings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cloudchamber.figures.dots import marker
from cloudchamber.figures.seed_value import SeedValue
from cloudchamber.settings.entries import need
from cloudchamber.studies.assignment.reading import Method, origin_of

__all__ = ["CEILING", "FLOOR", "handles", "heading", "points"]

CEILING: Mapping[str, Any] = {"color": "black", "linestyle": "solid", "linewidth": 1.2}
FLOOR: Mapping[str, Any] = {"color": "black", "linestyle": (0, (1.0, 1.5)), "linewidth": 1.2}


def heading(files: Mapping[str, Any]) -> str:
    """Return what is shown, and where own events come from: of a simulation that it is a stand-in."""
    return f"{need(files, 'title')} ({origin_of(files)})"


def points(
    axis: Axes, places: np.ndarray, values: Sequence[SeedValue | None], method: Method, line: bool = False
) -> None:
    """Draw the values of a method with their errors; those that are not there are left out."""
    there = [(place, value) for place, value in zip(places, values, strict=True) if value is not None]
    if not there:
        return
    style = marker(method.look) | {"markersize": 4.5, "linewidth": 1.2}
    style["linestyle"] = method.look.linestyle if line else "none"
    x, found = zip(*there, strict=True)
    axis.errorbar(x, [item.value for item in found], [item.error for item in found], **style)


def handles(methods: Sequence[Method], line: bool = False) -> list[Line2D]:
    """Return entries of a legend."""
    return [
        Line2D(
            [],
            [],
            label=method.label,
            linestyle=method.look.linestyle if line else "none",
            **(marker(method.look) | {"markersize": 4.5, "linewidth": 1.2}),
        )
        for method in methods
    ]
