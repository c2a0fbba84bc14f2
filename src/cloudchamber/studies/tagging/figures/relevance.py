"""What a tagger looks at: one jet of each class, its towers coloured by attention and by their part in the decision."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.figures.colours import signed_bar, signed_norm
from cloudchamber.figures.labels import wrapped
from cloudchamber.figures.planes import planes
from cloudchamber.settings.entries import need

__all__ = ["draw_relevance", "relevance"]

CAPTIONS = {
    "relevance": (
        "One test jet of each class as the transformer sees it. Above, how much attention a constituent receives from "
        "all constituents, heads and layers; below, the gradient of the winning logit times the input of the "
        "constituent: what the decision owes to it. Minus signs mark negative values of more than 1 % of the largest, "
        "for prints in grey."
    ),
}

_REACH = 1.3
# Area of a marker [pt^2] per unit of pt_rel.
_AREA = 900.0
_SMALLEST = 3.0
# Of a minus sign: its area in that of the marker, and from where on, in limits, it stands on a dark one.
_SIGN = 0.3
_DARK = 10.0


def draw_relevance(files: Mapping[str, Any]) -> Figure:
    """Draw which towers a tagger looks at."""
    return relevance(read_clouds(need(files, "relevance"), weighted=True), need(files, "title"))


def relevance(examples: Clouds, title: str) -> Figure:
    """Draw the towers of each example in eta and phi, as large as their pT.

    Args:
        examples: one jet per class, in the order of ``meta["classes"]``, with the columns of
            :func:`cloudchamber.studies.tagging.relevance.tower_relevance`.
        title: what the jets are.
    """
    titles = [entry["title"] for entry in examples.meta["classes"]]
    figure = Figure(figsize=(2.0 * len(titles) + 1.6, 4.9), layout="compressed")
    axes = planes(figure, 2, len(titles), _REACH)
    attention = examples.point("attention")
    # An equal share for each tower is one; what lies outside of the scale takes its end.
    shares = attention * examples.multiplicity[:, None]
    gradients = examples.point("gradient_times_input")
    largest = float(np.abs(gradients).max())
    changes = signed_norm(largest, 0.01)
    rows: tuple[tuple[np.ndarray, Normalize, str], ...] = (
        (shares, LogNorm(0.1, 10.0), "cividis"),
        (gradients, changes, "PuOr_r"),
    )
    shown = [
        [_jet(axis, examples, number, values, norm, colours) for number, axis in enumerate(line)][-1]
        for line, (values, norm, colours) in zip(axes, rows, strict=True)
    ]
    for number, axis in enumerate(axes[1]):
        _mark_negative(axis, examples, number, gradients, changes.linthresh)
    options: dict[str, Any] = {"shrink": 0.8, "extend": "both"}
    figure.colorbar(shown[0], ax=list(axes[0]), label="attention received\n/ mean over constituents", **options)
    signed_bar(figure, shown[1], list(axes[1]), "gradient x input\nof the logit", **options)
    for axis, name, probability in zip(axes[0], titles, examples.feature("probability"), strict=True):
        axis.set_title(f"{wrapped(name, 16)}\np(true class) = {probability:.2f}", fontsize=9)
    figure.suptitle(f"{title}: one test jet per class, area of a constituent proportional to its pT")
    return figure


def _jet(
    axis: Axes, examples: Clouds, number: int, values: np.ndarray, norm: Normalize, colours: str
) -> PathCollection:
    mask = examples.mask[number]
    eta, phi, pt = (examples.point(name)[number][mask] for name in ("eta_rel", "phi_rel", "pt_rel"))
    # Large towers first, so that none is hidden.
    return axis.scatter(
        eta,
        phi,
        s=_SMALLEST + _AREA * pt,
        c=values[number][mask],
        norm=norm,
        cmap=colours,
        edgecolors="black",
        linewidths=0.3,
    )


def _mark_negative(axis: Axes, examples: Clouds, number: int, values: np.ndarray, limit: float) -> None:
    """Put a minus sign on towers below -``limit``, since the two ends of the colours look alike in grey."""
    chosen = examples.mask[number] & (values[number] < -limit)
    eta, phi, pt = (examples.point(name)[number][chosen] for name in ("eta_rel", "phi_rel", "pt_rel"))
    colours = np.where(values[number][chosen] < -_DARK * limit, "white", "black")
    axis.scatter(eta, phi, s=_SIGN * (_SMALLEST + _AREA * pt), c=colours, marker="_", linewidths=0.5)
