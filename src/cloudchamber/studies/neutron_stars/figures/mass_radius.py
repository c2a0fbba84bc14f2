"""Curves of mass and radius of the box of equations of state, with the stars of some test sets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.legends import legend_below
from cloudchamber.settings.entries import need
from cloudchamber.studies.neutron_stars.curve_file import quantities_of, read_curves
from cloudchamber.studies.neutron_stars.quantities import MASSIVE, QUANTITIES, all_quantities
from cloudchamber.studies.neutron_stars.results import reference_of
from cloudchamber.studies.neutron_stars.star_sets import read_sets

__all__ = ["CAPTIONS", "draw_curves"]

CAPTIONS = {
    "curves": (
        "Curves of mass and radius of equations of state of the test part, drawn uniformly from the box of the "
        "two parameters; each ends at its maximum mass. Their shade is the combination of the parameters that "
        "radii depend on. Dashed curves have a maximum mass below two solar masses, which known pulsars exclude; "
        "they are labelled and stay in the study. Markers with error bars are the observed stars of three test "
        "sets, with the noise of the reference condition, and thick curves the true ones that they are from, with "
        "their combination in brackets. The simulation is our own, a stand-in for data that are not public."
    ),
}

_SHOWN = 150
_CASES = (("#0072B2", "o"), ("#D55E00", "^"), ("#009E73", "s"))
_QUANTILES = (0.15, 0.5, 0.85)


def draw_curves(files: Mapping[str, Any]) -> Figure:
    """Draw curves and stars.

    Args:
        files: "curves", "sets" and "reference".

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing.
    """
    curves = read_curves(Path(need(files, "curves"))).part("test")
    test = read_sets(Path(need(files, "sets"))).part("test")
    reference = reference_of(files)
    combination = all_quantities(quantities_of(curves))["combination"]
    mass, radius = curves.point("mass"), curves.point("radius")
    figure = Figure(figsize=(7.2, 5.2), layout="constrained")
    axis = figure.subplots()
    shown = np.arange(min(_SHOWN, len(curves)))
    light = curves.label("below_two")[shown] == 1
    lines = LineCollection(
        [np.column_stack([radius[row], mass[row]]) for row in shown],
        array=combination[shown],
        cmap="Greys_r",
        linewidths=0.7,
        linestyles=[(0, (3.0, 2.0)) if item else "solid" for item in light],
    )
    # White would not be seen on white.
    lines.set_clim(combination.min(), combination.max() + 0.25 * np.ptp(combination))
    axis.add_collection(lines)
    of_condition = np.flatnonzero(test.condition == test.conditions.index(reference.key))
    order = of_condition[np.argsort(test.quantities["combination"][of_condition], kind="stable")]
    numbers = {int(number): row for row, number in enumerate(curves.label("equation"))}
    handles: list[Line2D] = []
    for (color, marker), quantile in zip(_CASES, _QUANTILES, strict=True):
        row = order[int(quantile * (len(order) - 1))]
        true = numbers[int(test.equation[row])]
        axis.plot(radius[true], mass[true], color=color, linewidth=2.0)
        stars = test.stars[row][test.mask[row]]
        axis.errorbar(
            stars[:, 1],
            stars[:, 0],
            xerr=stars[:, 3],
            yerr=stars[:, 2],
            linestyle="none",
            color=color,
            marker=marker,
            markersize=5,
            markeredgecolor="white",
            linewidth=1.0,
        )
        value = combination[true]
        handles.append(
            Line2D([], [], color=color, marker=marker, label=f"observed stars and their true curve ({value:.3f})")
        )
    if light.any():
        handles.append(
            Line2D(
                [], [], color="#6e6e6e", linestyle=(0, (3.0, 2.0)), label=f"maximum mass below {MASSIVE:g} solar masses"
            )
        )
    axis.axhline(MASSIVE, color="black", linewidth=0.8, linestyle=":")
    axis.autoscale_view()
    axis.set_xlabel("radius [km]")
    axis.set_ylabel(r"mass [$M_\odot$]")
    figure.colorbar(lines, ax=axis, label=QUANTITIES["combination"].axis_label).ax.minorticks_off()
    figure.suptitle(f"Equations of state of the box; {reference.words}")
    legend_below(figure, handles)
    return figure
