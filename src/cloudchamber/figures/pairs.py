"""Charts of pairs: two values of one metric on each row, joined by a line, with the floor behind them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cloudchamber.figures.dots import floor_handles, logarithmic, marker, name_rows
from cloudchamber.figures.looks import GREY, Look
from cloudchamber.jets.features import LABELS
from cloudchamber.metrics.resampling import Estimate

__all__ = ["FIRST", "SECOND", "Pair", "draw_pairs", "limits", "pair_handles"]

FIRST = Look("#D55E00", "solid", "o", "none")
SECOND = Look("#0072B2", "solid", "D")


@final
@dataclass(frozen=True)
class Pair:
    """A metric of one feature, measured twice.

    Attributes:
        feature: one of ``LABELS``.
        first, second: the values with their uncertainties; not a number where there is none.
        floor: the same for truth against truth.
    """

    feature: str
    first: Estimate
    second: Estimate
    floor: Estimate


def limits(pairs: Iterable[Pair]) -> tuple[float, float]:
    """Return the ends of a logarithmic axis for all of the pairs."""
    values = [estimate.value for pair in pairs for estimate in (pair.first, pair.second, pair.floor)]
    positive = [value for value in values if value > 0]
    return 0.7 * min(positive, default=0.1), 1.4 * max(positive, default=1.0)


def draw_pairs(axis: Axes, pairs: Sequence[Pair], ends: tuple[float, float]) -> None:
    """Draw one row per pair on a logarithmic axis, first on top; a value that is not a number is left out."""
    low, high = ends
    for row, pair in enumerate(pairs):
        error = np.nan_to_num(pair.floor.uncertainty)
        band = [max(pair.floor.value + sign * error, low) for sign in (-1, 1)]
        axis.fill_betweenx([row - 0.45, row + 0.45], *band, color=GREY, linewidth=0.0)
        axis.vlines(max(pair.floor.value, low), row - 0.45, row + 0.45, color="black", linewidth=1.0)
        axis.plot([pair.first.value, pair.second.value], [row - 0.12, row + 0.12], color="#808080", linewidth=1.0)
        for estimate, look, shift in ((pair.first, FIRST, -0.12), (pair.second, SECOND, 0.12)):
            error = np.nan_to_num(estimate.uncertainty)
            axis.errorbar(max(estimate.value, low), row + shift, xerr=error, **marker(look))
    logarithmic(axis, "x", low, high)
    name_rows(axis, [LABELS[pair.feature].symbol for pair in pairs])


def pair_handles(first: str, second: str) -> list[Line2D | Patch]:
    """Return the entries of a legend: what the two markers are, and the floor."""
    markers: list[Line2D | Patch] = [
        Line2D([], [], linestyle="none", label=label, **marker(look))
        for label, look in ((first, FIRST), (second, SECOND))
    ]
    return [*markers, *floor_handles()]
