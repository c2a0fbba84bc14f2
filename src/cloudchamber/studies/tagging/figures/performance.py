"""Figures of how well taggers do, where, from how many jets, and for what price."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.dots import floor_handles, logarithmic, marker, model_handles
from cloudchamber.figures.labels import axis_label
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.metric_panels import metric_panels
from cloudchamber.jets.features import LABELS
from cloudchamber.studies.tagging.figures.inputs import chance, heading, read_learning_curves, read_of_bins
from cloudchamber.studies.tagging.figures.style import (
    CHANCE,
    accuracy_label,
    chance_handle,
    draw_curve,
    folded,
    head,
    line_handles,
)
from cloudchamber.studies.tagging.quality_and_cost import COST_LABELS, QUALITY

__all__ = ["draw_accuracy", "draw_cost", "draw_kinematics", "draw_learning_curve"]

CAPTIONS = {
    "accuracy": (
        "Accuracy, area under the one-vs-rest ROC curve (mean of the classes), background rejection at half the signal "
        "efficiency, and calibration error of each tagger, classes alike and, where the sample has such weights, flat "
        "in mass and transverse momentum. Error bars: resamplings of the test jets, and the spread over trainings "
        "where there are several. Own sample of jets: not to be compared with published numbers."
    ),
    "kinematics": (
        "Accuracy against jet mass and transverse momentum. The jets are an own sample, not that of arXiv 2202.00723."
    ),
    "learning_curve": (
        "Accuracy against the number of training jets. Where a curve still rises at its end, the sample and not the "
        "tagger limits the accuracy. Own sample of jets."
    ),
    "cost": (
        "Accuracy against parameters, operations and times of each tagger, measured on the machine of this run. The "
        "time of a dense network is its own: computing its high-level features is not in it (``make bench`` measures "
        "that, per jet). The jets are an own sample, not that of arXiv 2202.00723."
    ),
}

_Files = Mapping[str, Any]


def draw_accuracy(files: _Files) -> Figure:
    """Accuracy, AUC, rejection and calibration error of each model."""
    data = {name: read_measurements(files, name) for name in QUALITY}
    handles = floor_handles("floor: guessing; for the calibration error, probabilities that are true")
    return metric_panels(data, QUALITY, folded(heading(files)), handles, most_columns=2)


def draw_kinematics(files: _Files) -> Figure:
    """Accuracy against jet mass and jet pT."""
    figure = Figure(figsize=(9.6, 5.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, feature in zip(axes, ("jet_mass", "jet_pt"), strict=True):
        edges, curves = read_of_bins(files, feature)
        width = edges[1] - edges[0]
        for number, curve in enumerate(curves):
            # Side by side within a bin, so that error bars do not hide each other.
            draw_curve(axis, curve, shift=0.5 * width * ((number + 0.5) / len(curves) - 0.5))
        axis.axhline(chance(files), **CHANCE)
        axis.set(xlim=(edges[0], edges[-1]), xlabel=axis_label(LABELS[feature]))
    axes[0].set_ylabel(accuracy_label(files))
    axes[0].set_ylim(bottom=0)
    head(figure, files)
    legend_below(figure, [*line_handles([curve.model for curve in curves]), chance_handle()])
    return figure


def draw_learning_curve(files: _Files) -> Figure:
    """Accuracy against the number of training jets."""
    curves = read_learning_curves(files)
    figure = Figure(figsize=(7.4, 5.8), layout="constrained")
    axis = figure.subplots()
    for curve in curves:
        draw_curve(axis, curve)
        for values in curve.values.T:
            axis.plot(curve.x, values, ".", color=curve.model.look.color, markersize=3, alpha=0.8)
    sizes = np.concatenate([curve.x for curve in curves])
    logarithmic(axis, "x", 0.7 * sizes.min(), 1.4 * sizes.max())
    axis.set(xlabel="training jets, all classes together", ylabel=accuracy_label(files))
    head(figure, files)
    guessing, level = chance_handle(), chance(files)
    if level < axis.get_ylim()[0]:
        # From there on, the few percent by which taggers differ could not be seen.
        guessing = Line2D([], [], color="none", label=f"guessing: {level:.3f}, below the axis")
    else:
        axis.axhline(level, **CHANCE)
    legend_below(figure, [*line_handles([curve.model for curve in curves]), guessing])
    return figure


def draw_cost(files: _Files) -> Figure:
    """Accuracy against parameters, operations and times."""
    quality = {item.model.name: item for item in read_measurements(files, "accuracy")}
    figure = Figure(figsize=(9.6, 7.2), layout="constrained")
    axes = figure.subplots(2, 2, sharey=True)
    for axis, (cost, label) in zip(axes.flat, COST_LABELS.items(), strict=True):
        costs = read_measurements(files, cost)
        for of_cost in costs:
            item = quality[of_cost.model.name]
            axis.errorbar(of_cost.value, item.value, _error(item), **marker(item.model.look))
        values = [item.value for item in costs]
        logarithmic(axis, "x", 0.5 * min(values), 2.0 * max(values))
        axis.set_xlabel(label)
    for axis in axes[:, 0]:
        axis.set_ylabel(accuracy_label(files))
    head(figure, files)
    legend_below(figure, model_handles([item.model for item in quality.values()]))
    return figure


def _error(item: Measurement) -> float:
    """Return the spread over seeds and the uncertainty of the test jets, added in squares."""
    return float(np.hypot(np.nan_to_num(item.uncertainty), np.nan_to_num(item.spread)))
