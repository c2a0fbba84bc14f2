"""What figures of taggers share: their heading, lines, markers and the line of guessing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.dots import marker
from cloudchamber.figures.inputs import Model
from cloudchamber.studies.tagging.figures.inputs import Curve, heading, weighing

__all__ = [
    "CHANCE",
    "NARROW",
    "WIDE",
    "accuracy_label",
    "along_curve",
    "chance_handle",
    "draw_curve",
    "folded",
    "head",
    "line_handles",
]

CHANCE: Mapping[str, Any] = {"color": "black", "linestyle": (0, (4.0, 2.0)), "linewidth": 1.0}
# In inches: room for a heading that is not folded, and for one that is.
WIDE, NARROW = 9.5, 5.0


def accuracy_label(files: Mapping[str, Any]) -> str:
    """Return the label of an axis of accuracies."""
    return f"accuracy\n(classes alike, {weighing(files)})"


def draw_curve(axis: Axes, curve: Curve, shift: float = 0.0) -> None:
    """Draw a curve with error bars, moved by ``shift`` along the abscissa."""
    style = along_curve(curve.model) | {"linestyle": curve.model.look.linestyle}
    axis.errorbar(curve.x + shift, curve.mean, np.nan_to_num(curve.uncertainty), **style)


def along_curve(model: Model) -> dict[str, Any]:
    """Return how a model is drawn along a curve."""
    return marker(model.look) | {"markersize": 4, "linewidth": 1.2}


def line_handles(models: Sequence[Model]) -> list[Line2D]:
    """Return what stands for models in a legend."""
    return [Line2D([], [], linestyle=model.look.linestyle, label=model.label, **along_curve(model)) for model in models]


def chance_handle() -> Line2D:
    """Return what stands for guessing in a legend."""
    return Line2D([], [], label="guessing", **CHANCE)


def head(figure: Figure, files: Mapping[str, Any], more: str = "") -> None:
    """Put the heading over a figure, folded where the figure is narrow."""
    text = heading(files)
    figure.suptitle((folded(text) if figure.get_figwidth() < WIDE else text) + more)


def folded(text: str) -> str:
    """Return a heading in lines that fit over one panel."""
    return text.replace(": compare", ":\ncompare")
