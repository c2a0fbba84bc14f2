"""Which interactions and prongs are taken for which."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cloudchamber.figures.matrices import square
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.neutrinos.figures.panels import classes
from cloudchamber.studies.neutrinos.names import CEILING, HISTOGRAM
from cloudchamber.studies.neutrinos.reading import classifiers_of, heading

__all__ = ["draw_confusion"]

CAPTIONS = {
    "confusion": (
        "Share of the interactions (above) and prongs (below) of each true class (row) that are given each class "
        "(column), mean over trainings: of the first two networks and of the ceiling, a classifier of true visible "
        "prongs that does not know electrons from photons. Rows add up to one. Rows of classes without a prong in the "
        "test are empty. All is a stand-in, Pythia 8 on free protons in a toy detector, and not NOvA."
    ),
}

_COLUMNS = ("kind", "model", "seed", "true", "chosen", "value")


def draw_confusion(files: Mapping[str, Any]) -> Figure:
    """Draw two rows of matrices, a column for each of three classifiers.

    Args:
        files: "title", "source", "models" and "confusion".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_table(need(files, "confusion"), _COLUMNS)
    found = classifiers_of(files, table)
    networks = [item for item in found if item.name not in (CEILING, HISTOGRAM)]
    chosen = [*networks[:2], *(item for item in found if item.name == CEILING)]
    figure = Figure(figsize=(1.2 + 3.3 * len(chosen), 7.2), layout="constrained")
    axes = figure.subplots(2, len(chosen), squeeze=False, height_ratios=(1.0, 1.25))
    for row, kind in zip(axes, ("event", "prong"), strict=True):
        names = classes(kind)
        for axis, item in zip(row, chosen, strict=True):
            rows = table[(table["kind"] == kind) & (table["model"] == item.name)]
            values = np.full((len(names), len(names)), np.nan)
            for (true, told), value in rows.groupby(["true", "chosen"])["value"].mean().items():
                values[list(names).index(true), list(names).index(told)] = value
            square(axis, np.nan_to_num(values), list(names.values()), 9 if kind == "event" else 7)
            axis.set_xlabel("given")
            if kind == "event":
                axis.set_title(item.label.replace(": ", ":\n"))
        row[0].set_ylabel("true interaction" if kind == "event" else "true particle of the prong")
    figure.suptitle(heading(files))
    return figure
