"""What charts of dots on rows have in common: dots with seeds and uncertainties, floors, names of rows, legends."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from cloudchamber.figures.inputs import Model
from cloudchamber.figures.looks import GREY, Look
from cloudchamber.figures.measurements import Measurement

__all__ = [
    "dot",
    "floor_band",
    "floor_handles",
    "floor_line",
    "logarithmic",
    "marker",
    "model_handles",
    "name_rows",
]


def marker(look: Look) -> dict[str, Any]:
    """Return how the marker of a look is drawn, as keywords of matplotlib."""
    return {
        "color": look.color,
        "marker": look.marker,
        "fillstyle": look.fill,
        "markerfacecoloralt": "white",
        "markersize": 6,
    }


def dot(axis: Axes, item: Measurement, row: float, low: float = -np.inf) -> None:
    """Draw the mean with its uncertainty and, where there are several seeds, each of them as a small dot.

    Args:
        axis: where to draw.
        item: what to draw.
        row: height.
        low: left end of the axis, where values below it are drawn.
    """
    axis.errorbar(max(item.value, low), row, xerr=np.nan_to_num(item.uncertainty), **marker(item.model.look))
    if len(item.values) > 1:
        axis.plot(
            np.maximum(item.values, low),
            [row] * len(item.values),
            ".",
            color=item.model.look.color,
            markersize=3,
            alpha=0.8,
        )


def floor_band(
    axis: Axes, measurements: Sequence[Measurement], rows: tuple[float, float], low: float = -np.inf
) -> None:
    """Draw the floors of some measurements as lines with a band of their uncertainty, between two heights."""
    floors = [item.floor for item in measurements if np.isfinite(item.floor)]
    if not floors:
        return
    error = max(np.nan_to_num(item.floor_uncertainty) for item in measurements)
    ends = max(min(floors) - error, low), max(max(floors) + error, low)
    axis.fill_betweenx(rows, *ends, color=GREY, linewidth=0.0)
    axis.vlines(np.maximum(floors, low), *rows, color="black", linewidth=1.0)


def floor_line(axis: Axes, floor: float, uncertainty: float) -> None:
    """Draw a floor across a panel with a logarithmic height, with a band of its uncertainty."""
    axis.axhspan(max(floor - uncertainty, 0.1 * floor), floor + uncertainty, color=GREY, linewidth=0.0)
    axis.axhline(floor, color="black", linewidth=1.0)


def name_rows(axis: Axes, names: Sequence[str]) -> None:
    """Name the rows, first on top, and draw thin lines between them."""
    axis.set_yticks(range(len(names)), names)
    axis.yaxis.set_minor_locator(NullLocator())
    axis.tick_params(axis="y", length=0)
    between = np.arange(len(names) - 1) + 0.5
    axis.hlines(between, 0, 1, transform=axis.get_yaxis_transform(), color="#e0e0e0", linewidth=0.6, zorder=0.5)
    axis.set_ylim(len(names) - 0.5, -0.5)


def logarithmic(axis: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """Make an axis logarithmic, from ``low`` to ``high``, with ticks that neither lack nor lie upon each other."""
    axis.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    ticks = axis.xaxis if which == "x" else axis.yaxis
    if high < 300 * low:
        ticks.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 30 * low else (1.0, 3.0)))
        ticks.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ticks.set_minor_formatter(NullFormatter())


def model_handles(models: Sequence[Model]) -> list[Line2D]:
    """Return the entries of a legend that name the markers of models."""
    return [Line2D([], [], linestyle="none", label=model.label, **marker(model.look)) for model in models]


def floor_handles(name: str = "floor: truth against truth", of: str = "floor") -> list[Line2D | Patch]:
    """Return the entries of a legend that explain the floor."""
    return [
        Line2D([], [], color="black", linewidth=1.0, label=name),
        Patch(facecolor=GREY, label=f"uncertainty of the {of}"),
    ]
