"""How often each method is right, by the number of jets and by the transverse momentum of the top."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from cloudchamber.figures.legends import legend_below
from cloudchamber.studies.assignment.figures.panels import CEILING, FLOOR, handles, heading, points
from cloudchamber.studies.assignment.methods import BINS
from cloudchamber.studies.assignment.reading import methods_of, read_metrics, samples_of, value_of

__all__ = ["draw_efficiency", "draw_top_pt"]

CAPTIONS = {
    "efficiency": (
        "Event efficiency, the share of the events with the jets of both tops in which both are right; efficiency of "
        "tops in these events and in those with the jets of exactly one; and event purity, the share of all events in "
        "which both tops are there and right. By the number of all stored jets, and of all events. Short solid lines: "
        "the most that is possible, for the purity with the jets that are there, for the event efficiency of a chi- "
        "square with both b tagged. Dotted lines: a random assignment. Error bars: the number of events, and the "
        "spread over trainings."
    ),
    "top_pt": (
        "Share of right tops against the transverse momentum of the true top, the sum of its three jets, in events "
        "with the jets of both tops. Points of one bin stand side by side. Error bars: the number of tops, and the "
        "spread over trainings."
    ),
}

_PANELS = {
    "event_efficiency": "event efficiency",
    "eps_2_top": "top efficiency, both there",
    "eps_1_top": "top efficiency, one there",
    "event_purity": "event purity",
}
_TICKS = {"6 jets": "6", "7 jets": "7", "8 and more jets": "≥ 8", "all": "all"}
_WIDTH = 0.7
# Of an axis of shares, where all of them are zero.
_LOWEST_TOP = 0.05


def draw_efficiency(files: Mapping[str, Any]) -> Figure:
    """Draw efficiencies and purity, a row for each sample.

    Args:
        files: "title", "models", "samples" and "metrics".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table, samples = read_metrics(files), samples_of(files)
    methods = methods_of(files, table[table["metric"] == "event_efficiency"])
    figure = Figure(figsize=(11.0, 1.7 + 2.7 * len(samples)), layout="constrained")
    axes = figure.subplots(len(samples), len(_PANELS), sharex=True, squeeze=False)
    places = np.arange(len(BINS), dtype=float)
    shifts = _WIDTH * ((np.arange(len(methods)) + 0.5) / len(methods) - 0.5)
    for row, (sample, title) in zip(axes, samples.items(), strict=True):
        for axis, (metric, label) in zip(row, _PANELS.items(), strict=True):
            rows = table[(table["dataset"] == sample) & (table["metric"] == metric)]
            floors: dict[float, float] = {}
            for method, shift in zip(methods, shifts, strict=True):
                values = [value_of(rows, method, feature=name) for name in BINS]
                points(axis, places + shift, values, method)
                for place, value in zip(places.tolist(), values, strict=True):
                    if value is not None:
                        floors[place] = value.floor
                        if value.ceiling < 1:
                            half = 0.5 * _WIDTH / len(methods)
                            axis.hlines(value.ceiling, place + shift - half, place + shift + half, **CEILING)
            for place, floor in floors.items():
                axis.hlines(floor, place - 0.5 * _WIDTH, place + 0.5 * _WIDTH, **FLOOR)
            axis.set_ylim(0, max(axis.get_ylim()[1], _LOWEST_TOP))
            axis.set_xlim(-0.5, len(BINS) - 0.5)
            axis.set_xticks(places, [_TICKS[name] for name in BINS])
            axis.xaxis.set_minor_locator(NullLocator())
            axis.set_title(label if len(samples) == 1 else f"{label},\n{title}")
    for axis in axes[-1]:
        axis.set_xlabel("number of jets")
    for axis in axes[:, 0]:
        axis.set_ylabel("share")
    figure.suptitle(heading(files))
    lines = [Line2D([], [], label="the most that is possible", **CEILING), Line2D([], [], label="random", **FLOOR)]
    legend_below(figure, [*handles(methods), *lines])
    return figure


def draw_top_pt(files: Mapping[str, Any]) -> Figure:
    """Draw the efficiency of tops against their transverse momentum, a panel for each sample; errors as above."""
    table, samples = read_metrics(files), samples_of(files)
    table = table[table["metric"] == "top_efficiency_in_bins"]
    methods = methods_of(files, table)
    figure = Figure(figsize=(1.6 + 4.6 * len(samples), 5.0), layout="constrained")
    axes = figure.subplots(1, len(samples), sharey=True, squeeze=False)[0]
    for axis, (sample, title) in zip(axes, samples.items(), strict=True):
        rows = table[table["dataset"] == sample]
        bins = sorted(set(zip(rows["low"], rows["high"], strict=True)))
        for number, method in enumerate(methods):
            # Side by side within a bin, so that error bars do not hide each other.
            share = (number + 0.5) / len(methods)
            places = np.array([low + (0.2 + 0.6 * share) * (high - low) for low, high in bins])
            points(axis, places, [value_of(rows, method, low=low, high=high) for low, high in bins], method)
        if bins:
            axis.set_xlim(bins[0][0], bins[-1][1])
            for low, _ in bins[1:]:
                axis.axvline(low, color="#d8d8d8", linewidth=0.6, zorder=0.5)
        axis.set(xlabel="transverse momentum of the true top [GeV]", title=title)
    axes[0].set_ylabel("share of right tops")
    # Once for all panels, which share the axis.
    axes[0].set_ylim(bottom=0)
    figure.suptitle(heading(files) if len(samples) > 1 else heading(files).replace(" (", "\n("))
    legend_below(figure, handles(methods))
    return figure
