"""Training histories: losses and the distances of jet mass and jet pT while training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.evaluation.observables import LABELS
from cloudchamber.figures.inputs import Model, models_of, read_csv
from cloudchamber.figures.legends import legend_below
from cloudchamber.settings.entries import need

__all__ = ["History", "histories", "read_histories"]

_PANELS = {
    "training_loss": "training loss / its last value",
    "validation_loss": "validation loss / its last value",
    "w1_jet_mass": r"Wasserstein-1 of $m_\mathrm{jet} / p_\mathrm{T}^\mathrm{jet}$",
    "w1_jet_pt": f"Wasserstein-1 of {LABELS['jet_pt_rel'].symbol}",
}


@final
@dataclass(frozen=True)
class History:
    """The trainings of one model, a table per seed."""

    model: Model
    tables: tuple[pd.DataFrame, ...]


def read_histories(files: Mapping[str, Any]) -> list[History]:
    """Read the histories of all trained models.

    Raises:
        InputError: a table cannot be read or lacks a column.
        SettingsError: a key is missing.
    """
    return [
        History(model, tuple(read_csv(need(entry, "path"), ("step", *_PANELS)) for entry in model.entries))
        for model in models_of(files, "histories")
    ]


def histories(data: Sequence[History], title: str) -> Figure:
    """Draw losses and distances against the training step, one line per training."""
    figure = Figure(figsize=(9.0, 6.4), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True)
    for axis, (column, label) in zip(axes.flat, _PANELS.items(), strict=True):
        for history in data:
            look = history.model.look
            for table in history.tables:
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
        if not column.endswith("loss"):
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
