"""Curves in bins with their ratio to truth below them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cloudchamber.figures.inputs import Model
from cloudchamber.figures.looks import GREY, TRUTH

__all__ = ["draw_curves", "handles_of"]

_BAND = "#707070"


def draw_curves(upper: Axes, lower: Axes, truth: pd.DataFrame, models: Sequence[tuple[Model, pd.DataFrame]]) -> None:
    """Draw curves, truth filled with a band of its uncertainty, and below them the ratios of the models to it.

    Args:
        upper, lower: the panels.
        truth: rows with "low", "high", "value" and "uncertainty" in the order of the bins.
        models: rows of each model in the same bins.
    """
    edges = np.append(truth["low"].to_numpy(float), truth["high"].to_numpy(float)[-1])
    values, errors = truth["value"].to_numpy(float), truth["uncertainty"].to_numpy(float)
    upper.stairs(values, edges, fill=True, color=GREY, alpha=0.6)
    upper.stairs(values, edges, color=TRUTH.color, linewidth=1.0)
    over = np.divide(1.0, values, out=np.full(len(values), np.nan), where=values > 0)
    band = np.where(values > 0, errors * over, np.nan)
    lower.stairs(
        1 + band, edges, baseline=1 - band, fill=True, facecolor="none", edgecolor=_BAND, hatch="//////", linewidth=0.0
    )
    lower.axhline(1.0, color=TRUTH.color, linewidth=1.0)
    for model, rows in models:
        heights = rows["value"].to_numpy(float)
        look = model.look
        upper.stairs(heights, edges, color=look.color, linestyle=look.linestyle, linewidth=1.4, baseline=None)
        lower.stairs(heights * over, edges, color=look.color, linestyle=look.linestyle, linewidth=1.4, baseline=None)
    lower.set_ylim(0.0, 2.0)
    lower.set_yticks([0.5, 1.0, 1.5])


def handles_of(truth: str, models: Sequence[Model]) -> list[Line2D | Patch]:
    """Return the entries of a legend: truth, its uncertainty, and the models."""
    handles: list[Line2D | Patch] = [
        Patch(facecolor=GREY, edgecolor=TRUTH.color, label=truth),
        Patch(facecolor="none", edgecolor=_BAND, hatch="//////", linewidth=0.0, label="its uncertainty"),
    ]
    handles += [
        Line2D([], [], color=model.look.color, linestyle=model.look.linestyle, label=model.label) for model in models
    ]
    return handles
