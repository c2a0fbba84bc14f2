"""Arms with their seeds as dots, and their differences from the arm of reference."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from cloudchamber.figures.dots import name_rows
from cloudchamber.figures.labels import wrapped
from cloudchamber.figures.legends import legend_below
from cloudchamber.studies.macaron.names import MEASURE_LABELS, read_differences, read_study_metrics, titles_of

__all__ = ["CAPTIONS", "draw_arms"]

CAPTIONS = {
    "arms": (
        "Arms with the same jets, number of updates and matrix products. Top: each training as a dot, the mean over "
        "seeds as a line. Bottom: difference of the means from the arm of reference, on the same test jets. Thick "
        "bars are the standard deviation over resamplings of the jets, the same for both arms; thin bars hold the "
        "spread over seeds as well and are as long as makes a difference clear (Student's t, 5 % for all "
        "arms of a measure together). The grey band is the difference in accuracy that was stated beforehand to be "
        "found four times in five. A lower background efficiency is better. With one training of each arm no thin bar "
        "can be drawn. The jets of the default settings are simulated by this project."
    ),
}

_SEED: dict[str, Any] = {"linestyle": "none", "marker": "o", "color": "#0072B2", "markersize": 4, "alpha": 0.85}
_DETECTABLE = "#dcdcdc"


def draw_arms(files: Mapping[str, Any]) -> Figure:
    """Draw a column of two panels for each measure.

    Args:
        files: "models", "metrics" and "differences".

    Raises:
        InputError: a table cannot be used.
        SettingsError: a key is missing.
    """
    titles, table = titles_of(files, "models"), read_differences(files)
    metrics = read_study_metrics(files)
    arms = list(dict.fromkeys(table["arm"]))
    reference = str(table["reference"].iloc[0])
    names = [wrapped(titles[arm], 26) for arm in arms]
    figure = Figure(figsize=(10.4, 1.8 + 0.86 * len(arms)), layout="constrained")
    grid = figure.subplots(2, len(MEASURE_LABELS), sharey=True)
    for (top, bottom), (measure, label) in zip(grid.T, MEASURE_LABELS.items(), strict=True):
        rows = table[table["measure"] == measure].set_index("arm").loc[arms]
        chosen = metrics[(metrics["metric"] == measure) & (metrics["selected"] == 1)]
        _values(top, rows, chosen)
        top.set_xlabel(label)
        _differences(bottom, rows, reference)
        bottom.set_xlabel(f"difference in\n{label}")
        for axis in (top, bottom):
            axis.xaxis.set_major_locator(MaxNLocator(4))
    for axis in grid[:, 0]:
        name_rows(axis, names)
    handles: list[Any] = [
        Line2D([], [], label="one training", **_SEED),
        Line2D([], [], label="mean over seeds", linestyle="none", marker="|", color="black", markersize=12),
        Line2D([], [], label="difference, ± test jets", color="black", marker="s", markersize=5, linewidth=3.0),
        Line2D([], [], label="beyond it clear", color="black", linewidth=0.9),
        Patch(facecolor=_DETECTABLE, label="below what is detectable"),
    ]
    figure.suptitle(f"{int(table['n_reference'].iloc[0]):,} test jets, {_seeds(table)}")
    legend_below(figure, handles)
    return figure


def _values(axis: Axes, rows: pd.DataFrame, metrics: pd.DataFrame) -> None:
    for place, (arm, row) in enumerate(rows.iterrows()):
        of_seeds = metrics.loc[metrics["model"] == arm, "value"]
        axis.plot(of_seeds, [place] * len(of_seeds), **_SEED)
        axis.plot(row["mean"], place, linestyle="none", marker="|", color="black", markersize=14)


def _differences(axis: Axes, rows: pd.DataFrame, reference: str) -> None:
    limit = rows["detectable"].max()
    if not math.isnan(limit):
        axis.axvspan(-limit, limit, color=_DETECTABLE, linewidth=0.0, zorder=0.2)
    axis.axvline(0.0, color="black", linewidth=0.8, linestyle=":")
    for place, (arm, row) in enumerate(rows.iterrows()):
        if arm == reference:
            axis.plot(0.0, place, linestyle="none", marker="s", fillstyle="none", color="black", markersize=5)
            continue
        if not math.isnan(row["uncertainty"]):
            reach = row["critical"] * row["uncertainty"]
            axis.hlines(place, row["difference"] - reach, row["difference"] + reach, color="black", linewidth=0.9)
        axis.hlines(
            place, row["difference"] - row["of_jets"], row["difference"] + row["of_jets"], color="black", linewidth=3.0
        )
        axis.plot(row["difference"], place, linestyle="none", marker="s", color="black", markersize=5)


def _seeds(table: pd.DataFrame) -> str:
    low, high = table["seeds"].min(), table["seeds"].max()
    words = f"{low}" if low == high else f"{low} to {high}"
    return f"{words} training{'' if high == 1 else 's'} of each arm"
