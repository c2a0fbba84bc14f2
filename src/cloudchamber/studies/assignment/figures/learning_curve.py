"""Event efficiency against the number of training events."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from cloudchamber.figures.legends import legend_below
from cloudchamber.studies.assignment.figures.panels import handles, heading, points
from cloudchamber.studies.assignment.methods import BINS
from cloudchamber.studies.assignment.reading import Method, methods_of, read_metrics, value_of

__all__ = ["draw_learning_curve"]

CAPTIONS = {
    "learning_curve": (
        "Event efficiency on own test events against the number of training events with the jets of both tops; events "
        "with one of them are trained on in proportion. Networks: mean over trainings, with the number of test events "
        "and the spread over trainings as error bars. Chi-squares need no training: lines with bands of one standard "
        "error. Where a curve crosses the upper line, attention has begun to be better."
    ),
}

# Of an axis of shares, where all of them are zero.
_LOWEST_TOP = 0.05


def draw_learning_curve(files: Mapping[str, Any]) -> Figure:
    """Draw the curves, a panel for each number of jets.

    Args:
        files: "title", "models", "samples" and "metrics".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_metrics(files)
    own = table[table["dataset"] == "own"]
    of_networks = (own["metric"] == "learning_curve") & (own["trained_on"] == "own")
    curve = own[of_networks | ((own["metric"] == "event_efficiency") & (own["trained_on"] == ""))]
    methods = methods_of(files, curve)
    networks = [method for method in methods if method.trained_on]
    chi_squares = [method for method in methods if not method.trained_on]
    figure = Figure(figsize=(11.0, 4.6), layout="constrained")
    axes = figure.subplots(1, len(BINS), sharex=True)
    for axis, name in zip(axes, BINS, strict=True):
        rows = curve[curve["feature"] == name]
        for method in chi_squares:
            _line(axis, rows, method)
        sizes = np.sort(rows.loc[rows["trained_on"] != "", "n_training"].dropna().unique().astype(float))
        for method in networks:
            points(axis, sizes, [value_of(rows, method, n_training=size) for size in sizes], method, line=True)
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        if len(sizes):
            axis.set_xlim(0.6 * sizes[0], 1.6 * sizes[-1])
            axis.set_xticks(_ticks(sizes))
        axis.tick_params(axis="x", rotation=45)
        axis.set_ylim(0, max(axis.get_ylim()[1], _LOWEST_TOP))
        axis.set_title(name)
        axis.set_xlabel("training events with\nthe jets of both tops")
    axes[0].set_ylabel("event efficiency")
    figure.suptitle(heading(files))
    lines = handles(methods, line=True)
    for method, line in zip(methods, lines, strict=True):
        if not method.trained_on:
            line.set_marker("")
    legend_below(figure, lines)
    return figure


def _line(axis: Axes, rows: pd.DataFrame, method: Method) -> None:
    value = value_of(rows, method)
    if value is None:
        return
    axis.axhline(value.value, color=method.look.color, linestyle=method.look.linestyle, linewidth=1.2)
    axis.axhspan(value.value - value.error, value.value + value.error, color=method.look.color, alpha=0.2, linewidth=0)


def _ticks(sizes: np.ndarray) -> list[float]:
    """Return the sizes that are far enough apart for their labels to stand side by side."""
    chosen: list[float] = []
    for size in sizes[::-1]:
        if not chosen or chosen[-1] / size > 1.4:
            chosen.append(float(size))
    return chosen[::-1]
