"""Entropy production against the drive, with the plug-in value in equilibrium as floor."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import looks
from cloudchamber.studies.active_matter.numbers_of_study import Names, production_of, read_metrics

__all__ = ["CAPTIONS", "draw_drives"]

CAPTIONS = {
    "drives": (
        "Entropy production against what drives the system: the speed v0 of active particles, a force or a "
        "frequency. One score sees the drive as a condition. Activities are even under time reversal. Filled markers "
        "are learned values, products of the velocities of different trainings, with bars of blocks of trajectories "
        "and of trainings. The dashed line joins exact values. The dotted line is the floor, the plug-in value of "
        "the same score at a drive of zero, where the exact one is zero: a learned value below it says nothing."
    ),
}

_COLUMNS = 3


def draw_drives(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each model that was trained on several drives.

    Args:
        files: "ensembles" and "models" with their titles, "metrics", path of a CSV.

    Raises:
        InputError: the table cannot be used, or no model has several drives.
        SettingsError: a key is missing.
    """
    names, table = Names.of(files), production_of(read_metrics(files))
    panels = []
    for model, ensemble in names.trained_on.items():
        column = f"{model} learned"
        if column in table:
            rows = table[(table["dataset"] == ensemble) & table[column].notna()].sort_values("drive")
            if len(rows) > 1:
                panels.append((model, rows))
    if not panels:
        raise InputError(f"{files['metrics']}: no model has values at several drives")
    columns = min(_COLUMNS, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(3.4 * columns + (1.2 if columns == 1 else 0), 1.0 + 3.0 * lines), layout="constrained")
    axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    look = looks(list(names.models), [])
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    for axis, (model, rows) in zip(axes, panels, strict=False):
        _draw(axis, rows, model, look[model].color, look[model].marker)
        axis.set_title(names.ensembles[names.trained_on[model]])
        axis.set_xlabel("drive")
        axis.set_ylabel("entropy production per unit of time")
    marks: dict[str, Any] = {"color": "#444444"}
    handles = [
        Line2D([], [], linestyle="none", marker="o", label="learned, trainings crossed", **marks),
        Line2D([], [], linestyle="none", marker="s", markerfacecolor="none", label="moment identity", **marks),
        Line2D([], [], linestyle=(0, (5.0, 1.6)), label="exact", **marks),
        Line2D([], [], linestyle=(0, (1.0, 1.0)), label="floor: plug-in value at a drive of zero", **marks),
    ]
    figure.suptitle("Entropy production against the drive")
    legend_below(figure, handles)
    return figure


def _draw(axis: Axes, rows: pd.DataFrame, model: str, color: str, marker: str) -> None:
    column = f"{model} learned"
    error = np.nan_to_num(rows[f"uncertainty of {column}"].to_numpy(float))
    axis.errorbar(rows["drive"], rows[column], yerr=error, color=color, marker=marker, linestyle="none")
    if "moment_identity" in rows:
        axis.plot(rows["drive"], rows["moment_identity"], "s", color="#444444", markerfacecolor="none", markersize=9)
    if rows["exact"].notna().any():
        axis.plot(rows["drive"], rows["exact"], color="#444444", linestyle=(0, (5.0, 1.6)), linewidth=1.0)
    floor = rows.loc[rows["drive"] == 0, f"{model} plug_in"]
    if len(floor):
        axis.axhline(float(floor.iloc[0]), color="#444444", linestyle=(0, (1.0, 1.0)), linewidth=1.0)
    axis.margins(x=0.12)
