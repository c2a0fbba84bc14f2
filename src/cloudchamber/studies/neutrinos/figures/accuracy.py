"""How many interactions and prongs each classifier names right, between a guess and the ceiling."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.dots import name_rows
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.seed_value import SeedValue
from cloudchamber.studies.neutrinos.figures.panels import CEILING, FLOOR, style
from cloudchamber.studies.neutrinos.reading import classifiers_of, heading, read_metrics, value_of

__all__ = ["draw_accuracy"]

CAPTIONS = {
    "accuracy": (
        "Share of the interactions named right, the three alike; mean area under the curves of one interaction against "
        "the others; share of the prongs named right. Points are means over trainings. Error bars hold the number of "
        "test events and the spread over trainings. Solid lines: a classifier of the true visible prongs that does not "
        "know electrons from photons, the ceiling. Dotted lines: a guess. All is a stand-in, Pythia 8 on free protons "
        "in a toy detector, and not NOvA."
    ),
}

_PANELS = {
    "accuracy": "interactions: accuracy",
    "auc": "interactions: mean area under curves",
    "prong_accuracy": "prongs: accuracy",
}


def draw_accuracy(files: Mapping[str, Any]) -> Figure:
    """Draw a row for each classifier and a panel for each metric.

    Args:
        files: "title", "source", "models" and "metrics".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_metrics(files)
    found = classifiers_of(files, table, ceiling=False)
    figure = Figure(figsize=(11.0, 1.7 + 0.42 * len(found)), layout="constrained")
    axes = figure.subplots(1, len(_PANELS), sharey=True, squeeze=False)[0]
    for axis, (metric, label) in zip(axes, _PANELS.items(), strict=True):
        values = [value_of(table, item.name, metric) for item in found]
        for row, (item, value) in enumerate(zip(found, values, strict=True)):
            if value is not None:
                axis.errorbar(value.value, row, xerr=np.nan_to_num(value.error), **style(item, line=False))
        name_rows(axis, [item.label for item in found])
        _limits(axis, [value for value in values if value is not None])
        axis.set_xlabel(label)
    figure.suptitle(heading(files))
    lines = [
        Line2D([], [], label="ceiling: true visible prongs", **CEILING),
        Line2D([], [], label="a guess", **FLOOR),
    ]
    legend_below(figure, lines)
    return figure


def _limits(axis: Axes, values: list[SeedValue]) -> None:
    for value in values[:1]:
        if not np.isnan(value.ceiling):
            axis.axvline(value.ceiling, **CEILING)
        axis.axvline(value.floor, **FLOOR)
