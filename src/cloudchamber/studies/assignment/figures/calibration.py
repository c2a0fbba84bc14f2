"""Whether the probability that a network gives to its assignment is how often it is right."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.dots import marker
from cloudchamber.figures.legends import legend_below
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.assignment.figures.panels import handles, heading
from cloudchamber.studies.assignment.reading import methods_of, samples_of

__all__ = ["draw_calibration"]

CAPTIONS = {
    "calibration": (
        "Share of right assignments against their probability, the product of those of both tops, in events with the "
        "jets of both tops; of each network the first training. A network that knows how sure it may be lies on the "
        "diagonal. Error bars are those of a share with the promised probability. Below, the share of the events of "
        "each bin."
    ),
}

_COLUMNS = ("dataset", "model", "trained_on", "probability", "right", "uncertainty", "n")
_DIAGONAL: Mapping[str, Any] = {"color": "black", "linestyle": (0, (4.0, 2.0)), "linewidth": 1.0}


def draw_calibration(files: Mapping[str, Any]) -> Figure:
    """Draw reliability diagrams, a column for each sample.

    Args:
        files: "title", "models", "samples" and "calibration".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_table(need(files, "calibration"), _COLUMNS).fillna({"trained_on": ""})
    samples, methods = samples_of(files), methods_of(files, table)
    figure = Figure(figsize=(1.8 + 4.2 * len(samples), 6.6), layout="constrained")
    axes = figure.subplots(2, len(samples), sharex=True, sharey="row", height_ratios=(3, 1), squeeze=False)
    for (above, below), (sample, title) in zip(axes.T, samples.items(), strict=True):
        above.plot([0, 1], [0, 1], **_DIAGONAL)
        for method in methods:
            rows = table[
                (table["dataset"] == sample)
                & (table["model"] == method.name)
                & (table["trained_on"] == method.trained_on)
            ]
            style = marker(method.look) | {"markersize": 4.5, "linewidth": 1.2, "linestyle": method.look.linestyle}
            above.errorbar(rows["probability"], rows["right"], rows["uncertainty"], **style)
            below.plot(rows["probability"], rows["n"] / max(rows["n"].sum(), 1), **style)
        above.set(xlim=(0, 1), ylim=(-0.02, 1.02), title=title)
        below.set_xlabel("probability of the assignment")
        below.set_ylim(bottom=0)
    axes[0, 0].set_ylabel("share of right assignments")
    axes[1, 0].set_ylabel("share of events")
    figure.suptitle(heading(files) if len(samples) > 1 else heading(files).replace(" (", "\n("))
    diagonal = Line2D([], [], label="probabilities that are true", **_DIAGONAL)
    legend_below(figure, [*handles(methods, line=True), diagonal])
    return figure
