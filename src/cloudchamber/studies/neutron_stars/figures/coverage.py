"""Coverage of posteriors: how often the truth is in a central interval, against its probability."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import GREY
from cloudchamber.settings.entries import need
from cloudchamber.studies.neutron_stars.estimates import read_estimates
from cloudchamber.studies.neutron_stars.measures import inside
from cloudchamber.studies.neutron_stars.quantities import QUANTITIES
from cloudchamber.studies.neutron_stars.results import methods_of, reference_of
from cloudchamber.studies.neutron_stars.star_sets import read_sets

__all__ = ["CAPTIONS", "draw_coverage"]

CAPTIONS = {
    "coverage": (
        "Share of test sets whose true value lies in the central interval of the posterior, less the probability "
        "of the interval, against that probability, for the reference condition (simulation-based calibration, "
        "arXiv 1804.06788). A right posterior gives zero. Above it intervals are too wide, below it too narrow. "
        "The grey band holds two standard deviations of chance for as many sets. The exact posterior (black) is "
        "right by construction, and shows what chance does on these sets. Models of several trainings show the "
        "first. The simulation is our own, a stand-in for data that are not public."
    ),
}

_SHOWN = ("lambda_1", "lambda_2", "combination")


def draw_coverage(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each of three quantities.

    Args:
        files: "sets", "estimates" by the name of the method, "models" and "reference".

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing.
    """
    sets, paths = Path(need(files, "sets")), need(files, "estimates")
    test = read_sets(sets).part("test")
    reference = reference_of(files)
    rows = np.flatnonzero(test.condition == test.conditions.index(reference.key))
    missing = [method.name for method in methods_of(files) if method.name not in paths]
    if missing:
        raise InputError(f"--files: no estimates of '{missing[0]}' among {sorted(paths)}")
    ranks = {
        method: found
        for method in methods_of(files)
        if method.name != "constant" and (found := read_estimates(Path(paths[method.name]), len(test), sets).ranks)
    }
    levels = np.linspace(0.0, 1.0, 41)
    band = 2 * np.sqrt(levels * (1 - levels) / len(rows))
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    axes = figure.subplots(1, len(_SHOWN), sharey=True)
    for axis, name in zip(axes, _SHOWN, strict=True):
        axis.fill_between(levels, -band, band, color=GREY, linewidth=0.0)
        axis.axhline(0.0, color="black", linewidth=0.8, linestyle=":")
        for number, (method, of_method) in enumerate(ranks.items()):
            shares = np.array([inside(of_method[name][rows], level).mean() for level in levels])
            axis.plot(
                levels,
                shares - levels,
                color=method.look.color,
                linestyle=method.look.linestyle,
                marker=method.look.marker,
                markersize=4,
                markevery=(number % 5, 8),
                linewidth=1.2,
            )
        axis.set_title(QUANTITIES[name].symbol)
        axis.set_xlabel("probability of the interval")
        axis.set_xlim(0.0, 1.0)
    axes[0].set_ylabel("coverage less probability")
    handles: list[Any] = [
        Line2D(
            [],
            [],
            color=method.look.color,
            linestyle=method.look.linestyle,
            marker=method.look.marker,
            markersize=4,
            label=method.label,
        )
        for method in ranks
    ]
    handles.append(Patch(facecolor=GREY, label=f"chance, {len(rows)} sets (two deviations)"))
    figure.suptitle(f"Coverage: {reference.words}")
    legend_below(figure, handles, handlelength=4.0)
    return figure
