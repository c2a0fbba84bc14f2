"""Whether probabilities are how often a classifier is right."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.legends import legend_below
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.neutrinos.figures.panels import by_model, handles, style
from cloudchamber.studies.neutrinos.reading import classifiers_of, heading

__all__ = ["draw_calibration"]

CAPTIONS = {
    "calibration": (
        "Share of right interactions (left) and prongs (right) against the probability of the chosen class, in bins of "
        "the probability; the first training of each classifier. Probabilities that are true lie on the diagonal. "
        "Error bars are the standard deviation over resamplings of the test events. Below, the share of the events or "
        "prongs of each bin. All is a stand-in, Pythia 8 on free protons in a toy detector, and not NOvA."
    ),
}

_COLUMNS = ("model", "seed", "curve", "feature", "x", "y", "uncertainty", "share")
_DIAGONAL: Mapping[str, Any] = {"color": "black", "linestyle": (0, (4.0, 2.0)), "linewidth": 1.0}


def draw_calibration(files: Mapping[str, Any]) -> Figure:
    """Draw reliability diagrams of interactions and prongs.

    Args:
        files: "title", "source", "models" and "curves".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_table(need(files, "curves"), _COLUMNS)
    table = table[table["curve"] == "reliability"]
    found = classifiers_of(files, table)
    figure = Figure(figsize=(9.6, 6.6), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(3, 1))
    for (above, below), kind in zip(axes.T, ("event", "prong"), strict=True):
        above.plot([0, 1], [0, 1], **_DIAGONAL)
        for item, rows in by_model(table[table["feature"] == kind], found):
            x, y, error = (rows[column].to_numpy(float) for column in ("x", "y", "uncertainty"))
            above.errorbar(x, y, error, **style(item))
            below.plot(x, rows["share"], **style(item))
        above.set(xlim=(0, 1), ylim=(-0.02, 1.02), title="interactions" if kind == "event" else "prongs")
        below.set_xlabel("probability of the chosen class")
    # Once for both panels, which share the axis.
    axes[1, 0].set_ylim(bottom=0)
    axes[0, 0].set_ylabel("share that is right")
    axes[1, 0].set_ylabel("share of all")
    figure.suptitle(heading(files))
    legend_below(figure, [*handles(found), Line2D([], [], label="probabilities that are true", **_DIAGONAL)])
    return figure
