"""What each measure changes by without one claim of the paper."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator

from cloudchamber.figures.labels import wrapped
from cloudchamber.figures.legends import legend_below
from cloudchamber.settings.entries import need
from cloudchamber.studies.showers.ablation import MEASURES, arms_of, difference
from cloudchamber.studies.showers.results import read_metrics, species_in

__all__ = ["CAPTIONS", "draw_ablation"]

CAPTIONS = {
    "ablation": (
        "What each measure changes by in arms that go without one claim of the paper, each less the model that it is "
        "compared with, mean over trainings of the same seed. To the right of zero an arm is worse. Distances are "
        "over their floors and averaged over species; areas under the curve are as they are. Thick bars are standard "
        "errors over seeds, thin ones intervals at 95 % by Student's t; a filled marker is a difference that is clear "
        "by them. With one training there is no interval, and the bar is that of the samples alone. The heading says "
        "what made the true showers: the parametrisation is a stand-in and says nothing of real showers, Geant4 with "
        "substitute low-energy tables is transport and no reference."
    ),
}
_COLUMNS = 5


def draw_ablation(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each measure, a row for each arm.

    Args:
        files: "metrics", "arms", "source" and "title".

    Raises:
        InputError: the table or a description cannot be used.
        SettingsError: a key is missing.
    """
    table, arms = read_metrics(files), arms_of(files)
    species = species_in(table)
    shown = [item for item in MEASURES if any(difference(table, arm, *item[:2], species) for arm in arms)]
    rows = -(-len(shown) // _COLUMNS)
    figure = Figure(figsize=(12.0, rows * (1.1 + 0.42 * len(arms)) + 0.9), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, squeeze=False)
    places = np.arange(len(arms))[::-1]
    for (metric, feature, words), axis in zip(shown, axes.flat, strict=False):
        axis.axvline(0.0, color="black", linewidth=0.8, linestyle="--")
        for place, arm in zip(places, arms, strict=True):
            found = difference(table, arm, metric, feature, species)
            if found is None:
                continue
            low, high = found.value - found.uncertainty, found.value + found.uncertainty
            axis.hlines(place, low, high, color="black", linewidth=3.0)
            if not np.isnan(found.reach):
                axis.hlines(place, found.value - found.reach, found.value + found.reach, color="black", linewidth=0.9)
            face = "black" if found.is_clear else "white"
            axis.plot(found.value, place, color="black", marker="s", markerfacecolor=face, markersize=6)
        axis.set_title(words)
        axis.set_xlabel("difference" if metric.startswith("auc") else "difference over floor")
        axis.set_ylim(-0.7, len(arms) - 0.3)
        axis.set_yticks(places, [])
        axis.yaxis.set_minor_locator(FixedLocator([]))
        axis.xaxis.set_major_locator(MaxNLocator(3))
    for axis in axes[:, 0]:
        axis.set_yticks(places, [wrapped(arm.title, 22) for arm in arms])
    for axis in axes.flat[len(shown) :]:
        axis.set_visible(False)
    references = ", ".join(dict.fromkeys(arm.reference_title for arm in arms))
    figure.suptitle(f"{need(files, 'title')}: {need(files, 'source')}; arms less {references}")
    handles = [
        Line2D([], [], color="black", linewidth=3.0, label="standard error"),
        Line2D([], [], color="black", linewidth=0.9, label="interval at 95 %"),
        Line2D([], [], color="black", linestyle="none", marker="s", label="clear"),
        Line2D([], [], color="black", linestyle="none", marker="s", markerfacecolor="white", label="not clear"),
    ]
    legend_below(figure, handles)
    return figure
