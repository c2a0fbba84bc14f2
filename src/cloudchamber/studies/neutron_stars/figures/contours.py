"""Posteriors of one test set on the box: exact, of networks and of the learned likelihood ratio, as contours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.jets.observable_file import read_observables
from cloudchamber.settings.entries import entries, need
from cloudchamber.studies.neutron_stars.estimates import case_of
from cloudchamber.studies.neutron_stars.quantities import LOWER, QUANTITIES, UPPER
from cloudchamber.studies.neutron_stars.results import methods_of, reference_of
from cloudchamber.studies.neutron_stars.star_sets import read_sets

__all__ = ["CAPTIONS", "draw_posteriors", "level_of"]

CAPTIONS = {
    "posteriors": (
        "Posterior of the two parameters for the stars of one test set of the reference condition, the one whose "
        "maximum mass is the median of all. The edges of each panel are those of the box, in which the prior is "
        "flat. Dark and light grey are the regions of 68 % and 95 % of the exact posterior, the same in all "
        "panels; lines are those of each model with a density, on the same cells. The cross is the truth. The "
        "stars tell the sum of both parameters with about equal weights and hardly one alone, so that the regions "
        "are narrow stripes. The simulation is our own, a stand-in for data that are not public."
    ),
}

_SHARES = (0.95, 0.68)


def level_of(weights: np.ndarray, share: float) -> float:
    """Return the weight above which cells hold a share of the posterior: that of the smallest such region."""
    ordered = np.sort(weights, axis=None)[::-1]
    return float(ordered[np.searchsorted(np.cumsum(ordered), share * ordered.sum())])


def draw_posteriors(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each model with a density.

    Args:
        files: "sets", "cases" by the name of the method, "models" (which say whether they have a "density") and
            "reference".

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing.
    """
    test, paths = read_sets(Path(need(files, "sets"))).part("test"), need(files, "cases")
    reference = reference_of(files)
    truth = test.parameters[case_of(test, reference.key)]
    dense = {item["name"] for item in entries(files, "models", ("name", "density")) if item["density"]}
    shown = [method for method in methods_of(files) if method.name in dense]
    if not shown:
        raise InputError("--files: no model with a density")
    cases = {name: _weights(paths, name) for name in ("exact", *(method.name for method in shown))}
    columns = min(len(shown), 3)
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(max(0.9 + 2.9 * columns, 7.2), 1.5 + 2.7 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    exact = cases["exact"]
    for axis, method in zip(axes.flat, shown, strict=False):
        levels = [level_of(exact, share) for share in _SHARES]
        _contour(axis, exact, [*levels, np.inf], filled=True)
        weights = cases[method.name]
        _contour(axis, weights, [level_of(weights, share) for share in _SHARES], filled=False, color=method.look.color)
        axis.plot(*truth, marker="+", color="black", markersize=11, markeredgewidth=1.6)
        axis.set_title(method.label)
        axis.set(xlim=(LOWER[0], UPPER[0]), ylim=(LOWER[1], UPPER[1]))
    for axis in axes.flat[len(shown) :]:
        axis.set_visible(False)
    for column in range(columns):
        last = (len(shown) - 1 - column) // columns
        axes[last, column].set_xlabel(QUANTITIES["lambda_1"].axis_label)
        axes[last, column].tick_params(labelbottom=True)
    for axis in axes[:, 0]:
        axis.set_ylabel(QUANTITIES["lambda_2"].axis_label)
    handles: list[Any] = [
        Patch(facecolor="#8a8a8a", label="exact posterior, 68 %"),
        Patch(facecolor="#d4d4d4", label="exact posterior, 95 %"),
        Line2D([], [], color="black", linewidth=1.6, label="model, 68 %"),
        Line2D([], [], color="black", linewidth=1.0, linestyle="--", label="model, 95 %"),
        Line2D([], [], color="black", marker="+", markersize=11, markeredgewidth=1.6, linestyle="none", label="truth"),
    ]
    figure.suptitle(f"One test set: {reference.words}")
    legend_below(figure, handles)
    return figure


def _weights(paths: Mapping[str, str], name: str) -> np.ndarray:
    """Return the (n, m) weights of the cells."""
    if name not in paths:
        raise InputError(f"--files: no posterior of '{name}' among {sorted(paths)}")
    table, meta = read_observables(paths[name])
    cells = meta.get("cells")
    if not isinstance(cells, list) or "weight" not in table or np.prod(cells) != len(table["weight"]):
        raise InputError(f"{paths[name]}: not the posterior of one set on cells")
    return table["weight"].reshape(cells)


def _contour(axis: Axes, weights: np.ndarray, levels: list[float], filled: bool, color: str = "black") -> None:
    levels = sorted(set(levels))
    # A flat posterior has no edge.
    if weights.max() == weights.min():
        return
    # Contours between centres would end half a cell before the edge of the box.
    padded = np.pad(weights, 1, mode="edge")
    centres = [
        np.clip(low + (np.arange(-1, number + 1) + 0.5) * (high - low) / number, low, high)
        for low, high, number in zip(LOWER, UPPER, weights.shape, strict=True)
    ]
    if filled:
        axis.contourf(*centres, padded.T, levels=levels, colors=["#d4d4d4", "#8a8a8a"])
    else:
        axis.contour(*centres, padded.T, levels=levels, colors=color, linewidths=[1.0, 1.6], linestyles=["--", "-"])
