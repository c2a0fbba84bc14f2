"""Predicted against true quantities of the test sets, of a network and of the exact posterior."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.settings.entries import entries, need
from cloudchamber.studies.neutron_stars.estimates import read_estimates
from cloudchamber.studies.neutron_stars.quantities import QUANTITIES
from cloudchamber.studies.neutron_stars.results import methods_of, reference_of
from cloudchamber.studies.neutron_stars.star_sets import read_sets

__all__ = ["CAPTIONS", "draw_predictions"]

CAPTIONS = {
    "predictions": (
        "Predicted against true quantities, a marker for each test set of the reference condition; each set is of "
        "another equation of state. Open circles are averages of the exact posterior, which no method can beat, "
        "and filled markers are the last network with a density that sees whole sets of stars. The diagonal line "
        "is the truth, the horizontal one what the constant predicts. Below each name stand the root mean square "
        "errors of the exact posterior and of the network. One parameter alone is hardly measured; radii and the "
        "combination that they depend on are. The simulation is our own, a stand-in for data that are not public."
    ),
}

_EXACT: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 4, "color": "#6e6e6e", "fillstyle": "none"}


def draw_predictions(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each quantity.

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
    kinds = entries(files, "models", ("name", "sees_sets", "density"))
    preferred = {item["name"]: (item["sees_sets"], item["density"]) for item in kinds}
    learned = [method for method in methods_of(files) if method.is_learned]
    # The last one that sees whole sets and has a density, where there is one.
    network = max(learned, key=lambda method: (preferred[method.name], learned.index(method)))
    missing = [name for name in (network.name, "exact", "constant") if name not in paths]
    if missing:
        raise InputError(f"--files: no estimates of '{missing[0]}' among {sorted(paths)}")
    read = {name: read_estimates(Path(paths[name]), len(test), sets) for name in (network.name, "exact", "constant")}
    figure = Figure(figsize=(9.6, 6.6), layout="constrained")
    marker: dict[str, Any] = {
        "linestyle": "none",
        "marker": network.look.marker,
        "markersize": 3,
        "color": network.look.color,
    }
    for axis, (name, quantity) in zip(figure.subplots(2, 3).flat, QUANTITIES.items(), strict=True):
        truth = test.quantities[name][rows]
        means = {key: item.means[name][rows] for key, item in read.items()}
        axis.plot(truth, means["exact"], **_EXACT)
        axis.plot(truth, means[network.name], alpha=0.7, **marker)
        ends = np.array([truth.min(), truth.max()])
        axis.plot(ends, ends, color="black", linewidth=1.0)
        axis.plot(ends, [means["constant"][0]] * 2, color="black", linewidth=1.0, linestyle=":")
        errors = [float(np.sqrt(np.mean((means[key] - truth) ** 2))) for key in ("exact", network.name)]
        axis.set_title(f"RMSE {errors[0]:.3g} (exact), {errors[1]:.3g}")
        axis.set_xlabel(f"true {quantity.axis_label}")
        axis.set_ylabel(f"predicted {quantity.axis_label}")
    handles = [
        Line2D([], [], label="exact posterior, average", **_EXACT),
        Line2D([], [], label=network.label, **marker),
        Line2D([], [], color="black", linewidth=1.0, label="truth"),
        Line2D([], [], color="black", linewidth=1.0, linestyle=":", label="constant"),
    ]
    figure.suptitle(f"{len(rows)} test sets: {reference.words}")
    legend_below(figure, handles)
    return figure
