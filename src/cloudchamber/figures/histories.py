"""Training histories: losses and the distances of jet mass and jet pT while training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.inputs import Model, models_of
from cloudchamber.figures.legends import legend_below
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need

__all__ = ["LOSSES", "History", "histories", "read_histories"]

# Column of a history -> label of its axis; other columns stand behind these.
LOSSES = {
    "training_loss": "training loss / its last value",
    "validation_loss": "validation loss / its last value",
}


@final
@dataclass(frozen=True)
class History:
    """The trainings of one model, a table per seed."""

    model: Model
    tables: tuple[pd.DataFrame, ...]


def read_histories(files: Mapping[str, Any], panels: Mapping[str, str]) -> list[History]:
    """Read the histories of all trained models, with the columns that ``panels`` show.

    Raises:
        InputError: a table cannot be read or lacks a column.
        SettingsError: a key is missing.
    """
    return [
        History(model, tuple(read_table(need(entry, "path"), ("step", *panels)) for entry in model.entries))
        for model in models_of(files, "histories")
    ]


def histories(data: Sequence[History], title: str, panels: Mapping[str, str]) -> Figure:
    """Draw columns of the histories against the training step, one line per training.

    Args:
        data: the histories.
        title: what was trained on.
        panels: column -> label of its axis; distances, which are no losses and no accuracy, are drawn on a logarithmic
            scale.
    """
    columns = 2 if len(panels) == 4 else len(panels)
    rows = len(panels) // columns
    figure = Figure(figsize=(4.5 * columns, 3.2 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for axis, (column, label) in zip(axes.flat, panels.items(), strict=True):
        for history in data:
            look = history.model.look
            # Rows without a validation have a training loss alone.
            for table in (rows.dropna(subset=[column]) for rows in history.tables):
                values = table[column].to_numpy(float)
                # The distance is infinite where a model gave values that are not finite.
                values = np.where(np.isfinite(values) & (values > 0), values, np.nan)
                if column.endswith("loss"):
                    # Losses of different objectives differ in size; divided, they share an axis.
                    values = values / values[-1]
                axis.plot(
                    table["step"],
                    values,
                    color=look.color,
                    linestyle=look.linestyle,
                    marker=look.marker,
                    markersize=3,
                    markevery=max(1, len(table) // 20),
                )
        if column.startswith("w1"):
            axis.set_yscale("log")
        axis.set_ylabel(label)
    for axis in axes[-1]:
        axis.set_xlabel("training step")
    handles = [
        Line2D(
            [],
            [],
            color=history.model.look.color,
            linestyle=history.model.look.linestyle,
            marker=history.model.look.marker,
            markersize=4,
            label=history.model.label,
        )
        for history in data
    ]
    figure.suptitle(title)
    legend_below(figure, handles)
    return figure
