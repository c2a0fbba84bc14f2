"""Networks with one F and one G: distance from their limit and accuracy against the number of steps."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, NullLocator

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import Look, looks
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.macaron.names import SCHEME_LABELS, SUB_STEP_LABELS, titles_of

__all__ = ["CAPTIONS", "draw_refinement"]

CAPTIONS = {
    "refinement": (
        "Networks with one attention and one feed-forward part for all layers, trained with a few steps and evaluated "
        "with the same weights at more and shorter ones. Top: root mean square distance of the particles at the end "
        "from the limit of infinitely short steps, relative to how far they move. Bottom: share of test jets given "
        "the right class; the horizontal line is that of the limit. Each line is one training. Filled markers are "
        "sub-steps of Euler's method, as in the training, open ones those of the midpoint method. The dotted lines "
        "fall with the step and with its square. The limit is computed without any splitting by Runge-Kutta 4 in "
        "double precision."
    ),
}

_COLUMNS = ("model", "seed", "trained_steps", "scheme", "sub_step", "steps", "state_error", "accuracy", "jets")
_LINE: dict[str, Any] = {"color": "#6e6e6e", "linestyle": ":", "linewidth": 1.0}


def draw_refinement(files: Mapping[str, Any]) -> Figure:
    """Draw a column of panels for each network.

    Args:
        files: "refinement", a CSV, and "models".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    path = need(files, "refinement")
    titles, table = titles_of(files, "models"), read_table(path, _COLUMNS)
    unknown = sorted(set(table["model"]) - set(titles))
    if unknown:
        raise InputError(f"{path}: model '{unknown[0]}' is not among {sorted(titles)}")
    models = [name for name in titles if (table["model"] == name).any()]
    look = looks(list(SCHEME_LABELS), [])
    figure = Figure(figsize=(max(7.0, 4.6 * len(models)), 6.8), layout="constrained")
    grid = figure.subplots(2, len(models), squeeze=False, sharex="col", sharey="row")
    for (top, bottom), name in zip(grid.T, models, strict=True):
        rows = table[table["model"] == name]
        for (_, scheme, sub_step), found in rows.groupby(["seed", "scheme", "sub_step"], sort=False):
            if scheme == "limit":
                bottom.axhline(found["accuracy"].iloc[0], color="black", linewidth=0.9, zorder=0.5)
                continue
            style = _style(look[scheme], sub_step)
            top.plot(found["steps"], found["state_error"], **style)
            bottom.plot(found["steps"], found["accuracy"], **style)
        _guides(top, rows[rows["scheme"] != "limit"])
        top.set_title(f"{titles[name]} (trained with {rows['trained_steps'].iloc[0]} steps)")
        bottom.set_xlabel("steps of the same motion")
        ticks = sorted(set(rows.loc[rows["scheme"] != "limit", "steps"]))
        bottom.set_xticks(ticks, [f"{tick}" for tick in ticks])
        bottom.xaxis.set_minor_locator(NullLocator())
    grid[0, 0].set_ylabel("distance from the limit")
    grid[1, 0].set_ylabel("accuracy")
    handles = [
        Line2D([], [], label=f"{SCHEME_LABELS[scheme]}, {SUB_STEP_LABELS[sub_step]}", **_style(look[scheme], sub_step))
        for sub_step in ("euler", "midpoint")
        for scheme in ("lie", "strang")
    ]
    handles += [
        Line2D([], [], label="first and second order", **_LINE),
        Line2D([], [], label="accuracy in the limit", color="black", linewidth=0.9),
    ]
    figure.suptitle(f"{int(table['jets'].iloc[0])} test jets")
    legend_below(figure, handles)
    return figure


def _style(look: Look, sub_step: str) -> dict[str, Any]:
    return {
        "color": look.color,
        "linestyle": look.linestyle,
        "marker": look.marker,
        "markersize": 5,
        "linewidth": 1.1,
        "fillstyle": "full" if sub_step == "euler" else "none",
    }


def _guides(axis: Axes, rows: pd.DataFrame) -> None:
    """Draw lines of first and second order through the largest error, behind all others."""
    axis.set(xscale="log", yscale="log")
    axis.yaxis.set_minor_formatter(NullFormatter())
    low, high = float(rows["steps"].min()), float(rows["steps"].max())
    top = float(rows["state_error"].max())
    for order in (1, 2):
        axis.plot([low, high], [top, top * (low / high) ** order], zorder=0.5, **_LINE)
