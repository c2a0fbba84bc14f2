"""Efficiency and purity of each interaction against the visible energy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.studies.neutrinos.figures.panels import FLOOR, handles, style
from cloudchamber.studies.neutrinos.names import INTERACTIONS
from cloudchamber.studies.neutrinos.reading import classifiers_of, heading, read_metrics, value_of

__all__ = ["draw_energy"]

CAPTIONS = {
    "energy": (
        "Share of the events of an interaction that are given it (efficiency), and share of those given it that are of "
        "it, were the three alike in number (purity), against the energy of all hits. Points of one bin stand side by "
        "side. Error bars hold the number of test events and the spread over trainings. Dotted lines: a guess, which "
        "is as pure as the events of the bin. All is a stand-in, Pythia 8 on free protons in a toy detector, and not "
        "NOvA."
    ),
}


def draw_energy(files: Mapping[str, Any]) -> Figure:
    """Draw efficiency above and purity below, a column for each interaction.

    Args:
        files: "title", "source", "models" and "metrics".

    Raises:
        InputError: the table cannot be used, or has no bins of the energy.
        SettingsError: a key is missing.
    """
    table = read_metrics(files)
    found = classifiers_of(files, table)
    binned = table[table["low"].notna()]
    bins = sorted(set(zip(binned["low"], binned["high"], strict=True)))
    if not bins:
        raise InputError(f"{files['metrics']}: no bins of the visible energy")
    figure = Figure(figsize=(11.0, 6.2), layout="constrained")
    axes = figure.subplots(2, len(INTERACTIONS), sharex=True, sharey=True)
    for row, metric in zip(axes, ("efficiency", "purity"), strict=True):
        for axis, (name, symbol) in zip(row, INTERACTIONS.items(), strict=True):
            for number, item in enumerate(found):
                places, values, errors = [], [], []
                for position, (low, _) in enumerate(bins):
                    value = value_of(table, item.name, metric, feature=name, low=low)
                    if value is not None:
                        axis.hlines(value.floor, position, position + 1, **FLOOR)
                        places.append(position + 0.15 + 0.7 * (number + 0.5) / len(found))
                        values.append(value.value)
                        errors.append(np.nan_to_num(value.error))
                axis.errorbar(places, values, errors, **style(item, line=False))
            if metric == "efficiency":
                axis.set_title(symbol)
        row[0].set_ylabel(metric)
    edges = [bins[0][0], *(high for _, high in bins)]
    for axis in axes[-1]:
        axis.set(xlim=(0, len(bins)), ylim=(-0.03, 1.03), xlabel="visible energy [GeV]")
        axis.set_xticks(range(len(edges)), [f"{edge:g}" for edge in edges])
        axis.minorticks_off()
    figure.suptitle(heading(files))
    legend_below(figure, [*handles(found, line=False), Line2D([], [], label="a guess", **FLOOR)])
    return figure
