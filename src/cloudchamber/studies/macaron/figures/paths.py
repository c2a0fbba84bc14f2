"""Paths of interacting particles by both schemes, with the sub-steps of residual blocks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.macaron.names import SCHEME_LABELS, titles_of

__all__ = ["CAPTIONS", "draw_paths"]

CAPTIONS = {
    "paths": (
        "Particles that attract each other by attention and drift on their own, as two blocks move them in a few "
        "steps: attention then feed-forward part (left), and half of the latter on both sides of attention (right). "
        "Each straight piece is one residual connection, a sub-step of Euler's method: solid for the interaction, "
        "dashed for the drift. Grey lines are the true paths from the same starting points (dots) to their ends "
        "(circles); crosses are the ends of the scheme. Above each panel stands the root mean square distance of "
        "crosses from circles. Positions have no unit. Weights and positions are random, one system of those behind "
        "the orders."
    ),
}

_SCHEMES = ("lie", "strang")
_PARTS: Mapping[str, dict[str, Any]] = {
    "interaction": {"color": "#0072B2", "linestyle": "solid"},
    "drift": {"color": "#D55E00", "linestyle": (0, (2.5, 1.2))},
}
_TRUE: dict[str, Any] = {"color": "#b0b0b0", "linewidth": 3.0, "solid_capstyle": "round", "zorder": 1}
_COLUMNS = ("scheme", "part", "particle", "time", "x", "y")


def draw_paths(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each scheme.

    Args:
        files: "paths", a CSV, and "systems".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    path = need(files, "paths")
    table = read_table(path, _COLUMNS)
    missing = [name for name in ("solution", *_SCHEMES) if not (table["scheme"] == name).any()]
    if missing:
        raise InputError(f"{path}: no paths of '{missing[0]}'")
    of = {name: _by_particle(rows) for name, rows in table.groupby("scheme", sort=False)}
    steps = table.loc[(table["scheme"] == "lie") & (table["particle"] == 0) & (table["part"] == "interaction")]
    figure = Figure(figsize=(9.6, 5.4), layout="constrained")
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for axis, scheme in zip(axes, _SCHEMES, strict=True):
        _panel(axis, of["solution"], of[scheme])
        axis.set_title(f"{SCHEME_LABELS[scheme]}: error {_error(of['solution'], of[scheme]):.3f}")
        axis.set_xlabel("first coordinate of a particle")
        axis.set_aspect("equal", "box")
    axes[0].set_ylabel("second coordinate of a particle")
    title = next(iter(titles_of(files, "systems").values()))
    figure.suptitle(f"{len(of['solution'])} particles ({title}), {len(steps)} steps")
    handles = [
        Line2D([], [], label="true path", **_TRUE),
        Line2D([], [], label="interaction (attention)", **_PARTS["interaction"]),
        Line2D([], [], label="drift (feed-forward part)", **_PARTS["drift"]),
        Line2D([], [], label="start", linestyle="none", marker="o", color="black", markersize=4),
        Line2D([], [], label="true end", linestyle="none", marker="o", color="black", markersize=6, fillstyle="none"),
        Line2D([], [], label="end of the scheme", linestyle="none", marker="x", color="black", markersize=6),
    ]
    legend_below(figure, handles)
    return figure


def _by_particle(rows: pd.DataFrame) -> dict[Any, pd.DataFrame]:
    return dict(iter(rows.groupby("particle", sort=False)))


def _panel(axis: Axes, solution: Mapping[Any, pd.DataFrame], scheme: Mapping[Any, pd.DataFrame]) -> None:
    for particle, true in solution.items():
        axis.plot(true["x"], true["y"], **_TRUE)
        rows = scheme[particle]
        points = rows[["x", "y"]].to_numpy()
        for start, end, part in zip(points[:-1], points[1:], rows["part"].iloc[1:], strict=True):
            axis.plot(*np.stack([start, end], axis=1), linewidth=1.2, **_PARTS[part])
        axis.plot(*points[0], linestyle="none", marker="o", color="black", markersize=4)
        end = true[["x", "y"]].to_numpy()[-1]
        axis.plot(*end, linestyle="none", marker="o", color="black", markersize=6, fillstyle="none")
        axis.plot(*points[-1], linestyle="none", marker="x", color="black", markersize=6)


def _error(solution: Mapping[Any, pd.DataFrame], scheme: Mapping[Any, pd.DataFrame]) -> float:
    true, reached = (
        np.array([of[particle][["x", "y"]].to_numpy()[-1] for particle in solution]) for of in (solution, scheme)
    )
    return float(np.sqrt(np.square(true - reached).mean()))
