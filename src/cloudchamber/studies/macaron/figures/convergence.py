"""Errors of splitting schemes against the step, with fitted slopes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import Look, looks
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.macaron.names import SCHEME_LABELS, SUB_STEP_LABELS, titles_of

__all__ = ["CAPTIONS", "draw_convergence"]

CAPTIONS = {
    "convergence": (
        "Error of splitting schemes at the end of the motion of interacting particles against the length of a step, "
        "with exact sub-steps, those of the midpoint method, and those of Euler's method, which a residual block "
        "takes. Markers are geometric means over systems with weights and positions of their own, bars their standard "
        "errors; lines have the fitted slopes, which stand in the panels with their standard errors. Strang and Lie "
        "with half steps at both ends coincide where sub-steps are exact. With exact sub-steps Strang is of second "
        "order; with those of a residual block it is of first order like all others (after arXiv 1906.02762, section "
        "3)."
    ),
}

_ERROR_COLUMNS = ("system", "sub_step", "scheme", "kind", "steps", "value", "uncertainty")
_ORDER_COLUMNS = ("system", "sub_step", "scheme", "kind", "value", "uncertainty")


def draw_convergence(files: Mapping[str, Any]) -> Figure:
    """Draw a row of panels for each system, a panel for each way to solve the parts.

    Args:
        files: "errors" and "orders", CSVs, and "systems".

    Raises:
        InputError: a table cannot be used.
        SettingsError: a key is missing.
    """
    systems = titles_of(files, "systems")
    errors = read_table(need(files, "errors"), _ERROR_COLUMNS)
    orders = read_table(need(files, "orders"), _ORDER_COLUMNS)
    errors, orders = (table[table["kind"] == "global"] for table in (errors, orders))
    look = looks(list(SCHEME_LABELS), [])
    figure = Figure(figsize=(10.4, 1.0 + 3.1 * len(systems)), layout="constrained")
    grid = figure.subplots(len(systems), len(SUB_STEP_LABELS), squeeze=False, sharey="row")
    for axes, (system, title) in zip(grid, systems.items(), strict=True):
        for axis, (sub_step, label) in zip(axes, SUB_STEP_LABELS.items(), strict=True):
            rows = errors[(errors["system"] == system) & (errors["sub_step"] == sub_step)]
            fitted = orders[(orders["system"] == system) & (orders["sub_step"] == sub_step)]
            _panel(axis, rows, fitted, look)
            axis.set_title(f"{title}; sub-steps: {label}")
            axis.set_xlabel("length of a step")
        values = errors.loc[errors["system"] == system, "value"]
        # Room below for the slopes.
        axes[0].set_ylim(values.min() / 80, values.max() * 3)
        axes[0].set_ylabel("RMS error of positions")
    schemes = [name for name in SCHEME_LABELS if (errors["scheme"] == name).any()]
    legend_below(figure, [_handle(SCHEME_LABELS[name], look[name]) for name in schemes])
    return figure


def _panel(axis: Axes, rows: pd.DataFrame, fitted: pd.DataFrame, look: Mapping[str, Look]) -> None:
    slopes = fitted.set_index("scheme")
    text = []
    for name in SCHEME_LABELS:
        found = rows[rows["scheme"] == name]
        if found.empty:
            continue
        steps = 1.0 / found["steps"].to_numpy()
        values, slope = found["value"].to_numpy(), float(slopes.loc[name, "value"])
        # Of the fit with this slope in logarithms: through the means of both.
        level = np.exp(np.log(values).mean() - slope * np.log(steps).mean())
        axis.plot(steps, level * steps**slope, color=look[name].color, linestyle=look[name].linestyle, linewidth=1.2)
        axis.errorbar(
            steps,
            values,
            yerr=found["uncertainty"],
            linestyle="none",
            color=look[name].color,
            marker=look[name].marker,
            markersize=6,
            # What coincides is seen through.
            fillstyle="none" if name == "lie_half_ends" else "full",
            linewidth=0.9,
        )
        short = SCHEME_LABELS[name].split(" (")[0].replace(", half steps at both ends", ", half ends")
        text.append(f"{short}: {slope:.3f} ± {float(slopes.loc[name, 'uncertainty']):.3f}")
    axis.set(xscale="log", yscale="log")
    ticks = sorted({1.0 / n for n in rows["steps"]})
    axis.xaxis.set_major_locator(FixedLocator(ticks))
    axis.set_xticks(ticks, [f"1/{round(1 / tick)}" for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.text(0.97, 0.03, "slopes\n" + "\n".join(text), transform=axis.transAxes, ha="right", va="bottom", fontsize=8)


def _handle(label: str, look: Look) -> Line2D:
    return Line2D([], [], label=label, color=look.color, linestyle=look.linestyle, marker=look.marker, markersize=6)
