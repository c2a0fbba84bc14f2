"""Masses of W and top as each method reconstructs them, with and without tops."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.legends import legend_below
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.assignment.figures.panels import heading
from cloudchamber.studies.assignment.reading import methods_of

__all__ = ["draw_masses", "draw_sculpting"]

CAPTIONS = {
    "masses": (
        "Invariant mass of the two jets given to the W and of the three given to a top, for own test events, two of "
        "each an event: all, those that are a true top, and those that are not. Events in which jets are missing are "
        "among the wrong ones. Of networks the first training. Entries of each histogram count relative to all tops, "
        "also those beyond the axis."
    ),
    "sculpting": (
        "What each method makes of events without tops: mass of the two jets given to the W, and of the three given to "
        "a top, two of each an event, relative to all that the method gives, also beyond the axis. A peak where a top "
        "would be is the work of the method. Of networks the first training."
    ),
}

_COLUMNS = ("dataset", "model", "trained_on", "feature", "tops", "low", "high", "count", "n")
_FEATURES = {"w_mass": "mass of the W [GeV]", "top_mass": "mass of the top [GeV]"}
_KINDS: Mapping[str, dict[str, Any]] = {
    "all": {"color": "black", "linestyle": "solid"},
    "right": {"color": "#0072B2", "linestyle": (0, (5.0, 1.6))},
    "wrong": {"color": "#D55E00", "linestyle": (0, (1.2, 1.2))},
}


def _read(files: Mapping[str, Any], dataset: str) -> pd.DataFrame:
    table = read_table(need(files, "masses"), _COLUMNS).fillna({"trained_on": ""})
    table = table[(table["dataset"] == dataset) & (table["trained_on"].isin(("own", "")))]
    return table.astype({"low": float, "high": float, "count": float, "n": float})


def draw_masses(files: Mapping[str, Any]) -> Figure:
    """Draw the masses of own test events, a column for each method.

    Args:
        files: "title", "models", "samples" and "masses".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = _read(files, "own")
    methods = methods_of(files, table)
    figure = Figure(figsize=(1.2 + 2.9 * len(methods), 6.2), layout="constrained")
    axes = figure.subplots(2, len(methods), sharey="row", sharex="row", squeeze=False)
    for row, (feature, label) in zip(axes, _FEATURES.items(), strict=True):
        for axis, method in zip(row, methods, strict=True):
            rows = table[(table["model"] == method.name) & (table["feature"] == feature)]
            total = float(rows.loc[rows["tops"] == "all", "n"].max())
            for kind, style in _KINDS.items():
                _stairs(axis, rows[rows["tops"] == kind], total, **style)
            axis.set_xlabel(label)
        row[0].set_ylabel("share of tops in the bin")
        # Once for all columns, which share the axis.
        row[0].set_ylim(bottom=0)
    for axis, method in zip(axes[0], methods, strict=True):
        axis.set_title(method.label)
    figure.suptitle(heading(files) if len(methods) > 2 else heading(files).replace(" (", "\n("))
    titles = {"all": "all", "right": "true tops", "wrong": "not a true top"}
    legend_below(figure, [Line2D([], [], label=titles[kind], **style) for kind, style in _KINDS.items()])
    return figure


def draw_sculpting(files: Mapping[str, Any]) -> Figure:
    """Draw the masses of events without tops, a line for each method; arguments and errors as above."""
    table = _read(files, "background")
    methods = methods_of(files, table)
    figure = Figure(figsize=(9.6, 4.8), layout="constrained")
    axes = figure.subplots(1, 2)
    for axis, (feature, label) in zip(axes, _FEATURES.items(), strict=True):
        for method in methods:
            rows = table[(table["model"] == method.name) & (table["feature"] == feature)]
            _stairs(axis, rows, float(rows["n"].max()), color=method.look.color, linestyle=method.look.linestyle)
        axis.set_xlabel(label)
        axis.set_ylim(bottom=0)
    axes[0].set_ylabel("share of tops in the bin")
    events = int(table["n"].max()) // 2
    figure.suptitle(f"{events:,} events without tops: {files.get('background', 'background')}")
    lines = [
        Line2D([], [], label=method.label, color=method.look.color, linestyle=method.look.linestyle)
        for method in methods
    ]
    legend_below(figure, lines)
    return figure


def _stairs(axis: Axes, rows: pd.DataFrame, total: float, **style: Any) -> None:
    rows = rows.sort_values("low")
    if len(rows):
        edges = np.append(rows["low"], rows["high"].iloc[-1])
        axis.stairs(rows["count"] / max(total, 1.0), edges, linewidth=1.3, **style)
