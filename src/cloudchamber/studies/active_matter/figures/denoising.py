"""Entropy production from linear scores by denoising: size and signs of the noise, and where it comes from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.dots import logarithmic
from cloudchamber.figures.legends import legend_below
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need

__all__ = ["CAPTIONS", "draw_denoising"]

CAPTIONS = {
    "denoising": (
        "Entropy production from the best linear score by denoising, fitted to the same snapshots in closed form: "
        "left with noise that is added to them, right with the noise of a step of the dynamics from them. Each noise "
        "is used with one sign or with both (antithetic). The dashed curve is the closed form of what added noise "
        "gives without errors of sampling, since it smooths the density; a step of the dynamics has no such bias up "
        "to the second order in the step. Open markers at the left edge are straight lines through the three "
        "smallest sizes squared, drawn to zero. Bars are of five groups of trajectories; values that are not "
        "above zero are not on the axis. Activities are even under "
        "time reversal; no network is in this figure."
    ),
}

_LOOKS: Mapping[str, dict[str, Any]] = {
    "single": {"color": "#D55E00", "marker": "^", "linestyle": (0, (2.4, 1.2))},
    "antithetic": {"color": "#0072B2", "marker": "o", "linestyle": "solid"},
}
_COLUMNS = ("noise", "size", "signs", "value", "uncertainty", "exact", "closed_form")


def draw_denoising(files: Mapping[str, Any]) -> Figure:
    """Draw the scan of denoising.

    Args:
        files: "denoising", path of a CSV.

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_table(need(files, "denoising"), _COLUMNS)
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    additive, transition = figure.subplots(1, 2)
    for axis, noise, label in (
        (additive, "additive", "standard deviation of added noise"),
        (transition, "transition", "time step of the dynamics"),
    ):
        rows = table[table["noise"] == noise]
        low = 0.55 * rows.loc[rows["size"] > 0, "size"].min()
        logarithmic(axis, "x", low * 0.8, 1.3 * rows["size"].max())
        for signs, look in _LOOKS.items():
            of = rows[(rows["signs"] == signs) & (rows["size"] > 0)].sort_values("size")
            axis.errorbar(of["size"], of["value"], yerr=of["uncertainty"], **look)
        zero = rows[rows["size"] == 0]
        axis.errorbar(
            np.full(len(zero), low), zero["value"], yerr=zero["uncertainty"], fillstyle="none", **_LOOKS["antithetic"]
        )
        _closed_form(axis, rows[(rows["size"] > 0) & (rows["signs"] == "antithetic")].sort_values("size"))
        axis.axhline(rows["exact"].iloc[0], color="black", linewidth=1.0)
        axis.set_xlabel(label)
        axis.set_ylabel("entropy production per unit of time")
        axis.set_yscale("log")
        shown = rows[["value", "exact", "closed_form"]].to_numpy(float)
        logarithmic(axis, "y", 0.9 * shown[shown > 0].min(), 1.15 * shown.max())
    figure.suptitle("Linear scores by denoising")
    handles = [
        Line2D([], [], label="noise with one sign", **_LOOKS["single"]),
        Line2D([], [], label="noise with both signs", **_LOOKS["antithetic"]),
        Line2D(
            [],
            [],
            label="both signs, extrapolated to zero",
            fillstyle="none",
            **{**_LOOKS["antithetic"], "linestyle": "none"},
        ),
        Line2D([], [], color="#444444", linestyle=(0, (5.0, 1.6)), linewidth=1.0, label="closed form of the bias"),
        Line2D([], [], color="black", linewidth=1.0, label="exact"),
    ]
    legend_below(figure, handles)
    return figure


def _closed_form(axis: Axes, rows: Any) -> None:
    axis.plot(rows["size"], rows["closed_form"], color="#444444", linestyle=(0, (5.0, 1.6)), linewidth=1.0)
