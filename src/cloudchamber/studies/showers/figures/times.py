"""Time of a shower against its energy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.dots import logarithmic
from cloudchamber.figures.inputs import Model, models_of
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import Look
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["CAPTIONS", "draw_times"]

CAPTIONS = {
    "times": (
        "Time to make a shower, on the device of the heading, against the incident energy, for each species; bars "
        "reach from the fastest to the slowest round. Models include the draw of their numbers of points, and the "
        "parametrisation the reading of its steps. Showers are made some at a time, as in a large sample. All was "
        "measured in one process, by the time of the process on a CPU; that of Geant4 in its own jobs, with the "
        "standard error of the mean for a bar. The heading says what made the true showers: the parametrisation is a "
        "stand-in and says nothing of real showers, Geant4 with substitute low-energy tables is transport and no "
        "reference."
    ),
}

_COLUMNS = ("model", "sampler", "species", "energy", "seconds_per_shower", "lowest", "highest", "device")
# What no model is, with its label.
_OTHERS = {
    "parametrised": (Look("#6e6e6e", (0, (1.0, 1.0)), "X"), "parametrisation"),
    "geant4": (Look("#000000", "solid", "P"), "Geant4"),
}


def draw_times(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each species.

    Args:
        files: "times", "models", "source" and "title".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_table(need(files, "times"), _COLUMNS)
    known: dict[str, Model] = {}
    for model in models_of(files):
        known.setdefault(model.name, model)
    names = list(dict.fromkeys(table["model"]))
    looks = {name: known[name].look if name in known else _OTHERS[name][0] for name in names}
    labels = {name: known[name].label if name in known else _OTHERS[name][1] for name in names}
    species = [name for name in SPECIES if (table["species"] == name).any()]
    figure = Figure(figsize=(max(3.4 * len(species), 6.4), 3.5), layout="constrained")
    axes = figure.subplots(1, len(species), sharey=True, squeeze=False)[0]
    for name, axis in zip(species, axes, strict=True):
        for model in names:
            rows = table[(table["model"] == model) & (table["species"] == name)].sort_values("energy")
            seconds = 1e3 * rows["seconds_per_shower"].to_numpy(float)
            reach = np.abs(1e3 * rows[["lowest", "highest"]].to_numpy(float).T - seconds)
            look = looks[model]
            axis.errorbar(
                rows["energy"],
                seconds,
                yerr=reach,
                color=look.color,
                linestyle=look.linestyle,
                marker=look.marker,
                markersize=4,
            )
        axis.set_yscale("log")
        axis.set_title(SPECIES[name].symbol)
        axis.set_xlabel("incident energy [GeV]")
    logarithmic(axes[0], "y", *axes[0].get_ylim())
    axes[0].set_ylabel("time of a shower [ms]")
    handles = [
        Line2D([], [], color=looks[n].color, linestyle=looks[n].linestyle, marker=looks[n].marker, label=labels[n])
        for n in names
    ]
    figure.suptitle(f"{need(files, 'title')}: {need(files, 'source')}\n{_devices(table)}")
    legend_below(figure, handles)
    return figure


def _devices(table: pd.DataFrame) -> str:
    """Return what the models were measured on, and what Geant4 was where that is another."""
    names = {
        geant4: ", ".join(dict.fromkeys(table.loc[(table["model"] == "geant4") == geant4, "device"].astype(str)))
        for geant4 in (False, True)
    }
    other = f"; Geant4: {names[True]}" if names[True] and names[True] != names[False] else ""
    return f"{names[False]}{other}"
