"""Figures of the tagging study: how well taggers do, where, for what price, and what they confuse."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.dots import floor_handles, logarithmic, marker, model_handles
from cloudchamber.figures.inputs import Model
from cloudchamber.figures.labels import axis_label
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.matrices import square
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.metric_panels import metric_panels
from cloudchamber.jets.features import LABELS
from cloudchamber.studies.tagging.figures.inputs import (
    Curve,
    chance,
    class_titles,
    heading,
    read_confusion,
    read_learning_curves,
    read_of_bins,
    read_reliability,
    read_roc,
)
from cloudchamber.studies.tagging.quality_and_cost import COST_LABELS, QUALITY

__all__ = [
    "draw_accuracy",
    "draw_calibration",
    "draw_confusion",
    "draw_cost",
    "draw_kinematics",
    "draw_learning_curve",
    "draw_roc",
]

CAPTIONS = {
    "accuracy": (
        "Accuracy, area under the one-vs-rest ROC curve (mean of the classes), background rejection at half "
        "the signal efficiency, and calibration error of each tagger, classes alike and flat in mass and "
        "transverse momentum. Error bars: resamplings of the test jets, and the spread over trainings where "
        "there are several. Own sample of jets: not to be compared with published numbers."
    ),
    "roc": (
        "Background rejection against signal efficiency, each class against all others. The jets are an own "
        "sample, not that of arXiv 2202.00723."
    ),
    "confusion": (
        "Share of the jets of each class that each tagger assigns to each class, flat in mass and transverse "
        "momentum. Own sample of jets."
    ),
    "calibration": (
        "Accuracy against the probability that a tagger gives to its choice; a tagger that knows how sure it "
        "may be lies on the diagonal. Below, the share of jets; bins with less than 0.2 % of them are left "
        "out above. Own sample of jets."
    ),
    "kinematics": (
        "Accuracy against jet mass and transverse momentum. The jets are an own sample, not that of arXiv 2202.00723."
    ),
    "learning_curve": (
        "Accuracy against the number of training jets. Where a curve still rises at its end, the sample and "
        "not the tagger limits the accuracy. Own sample of jets."
    ),
    "cost": (
        "Accuracy against parameters, operations and times of each tagger, measured on the machine of this "
        "run. The time of a dense network is its own: computing its high-level features is not in it (``make "
        "bench`` measures that, per jet). The jets are an own sample, not that of arXiv 2202.00723."
    ),
}

_Files = Mapping[str, Any]
_CHANCE: Mapping[str, Any] = {"color": "black", "linestyle": (0, (4.0, 2.0)), "linewidth": 1.0}
_PANELS_IN_A_ROW = 4
# In inches: room for a heading that is not folded, and for one that is.
_WIDE, _NARROW = 9.5, 5.0
_ACCURACY = "accuracy\n(classes alike, flat in mass and pT)"


def draw_accuracy(files: _Files) -> Figure:
    """Accuracy, AUC, rejection and calibration error of each model."""
    data = {name: read_measurements(files, name) for name in QUALITY}
    handles = floor_handles("floor: guessing; for the calibration error, probabilities that are true")
    return metric_panels(data, QUALITY, _folded(heading(files)), handles, most_columns=2)


def draw_roc(files: _Files) -> Figure:
    """Background rejection against signal efficiency, a panel per class."""
    data, titles = read_roc(files), class_titles(files)
    columns = min(_PANELS_IN_A_ROW, len(data))
    rows = -(-len(data) // columns)
    figure = Figure(figsize=(max(_NARROW, 1.0 + 2.6 * columns), 1.6 + 2.5 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axis, (name, curves) in zip(axes.flat, data.items(), strict=False):
        for curve in curves:
            rejections = [
                _rejection(values) for values in (curve.mean, curve.values.max(axis=1), curve.values.min(axis=1))
            ]
            look = curve.model.look
            axis.fill_between(curve.x, rejections[1], rejections[2], color=look.color, alpha=0.25, linewidth=0.0)
            axis.plot(curve.x, rejections[0], linestyle=look.linestyle, markevery=(9, 15), **_small(curve.model))
        axis.plot(curves[0].x, 1 / curves[0].x, **_CHANCE)
        axis.set_yscale("log")
        axis.set_title(titles[name])
    _name_columns(axes, len(data), "signal efficiency")
    for axis in axes[:, 0]:
        axis.set_ylabel("background rejection")
    models = [curve.model for curve in next(iter(data.values()))]
    several = any(curve.values.shape[1] > 1 for curves in data.values() for curve in curves)
    seeds = [Line2D([], [], color="none", label="bands: range of the seeds")] if several else []
    _head(figure, files, "\neach class against all others")
    legend_below(figure, [*_line_handles(models), Line2D([], [], label="guessing", **_CHANCE), *seeds])
    return figure


def _name_columns(axes: np.ndarray, panels: int, label: str) -> None:
    """Hide the places beyond the last panel, and label the lowest panel of each column."""
    for axis in axes.flat[panels:]:
        axis.set_visible(False)
    for column in axes.T:
        lowest = [axis for axis in column if axis.get_visible()][-1]
        lowest.set_xlabel(label)
        lowest.tick_params(axis="x", labelbottom=True)


def _rejection(efficiency: np.ndarray) -> np.ndarray:
    return np.divide(1.0, efficiency, out=np.full_like(efficiency, np.nan), where=efficiency > 0)


def draw_confusion(files: _Files) -> Figure:
    """What the jets of each class are taken for, a panel per model."""
    data, names = read_confusion(files), list(class_titles(files).values())
    columns = min(3, len(data))
    rows = -(-len(data) // columns)
    side = 1.0 + 0.42 * len(names)
    width = max(_NARROW, 1.4 + side * columns)
    # Where the heading is folded it has a line more.
    height = (1.5 if width < _WIDE else 1.3) + side * rows
    figure = Figure(figsize=(width, height), layout="compressed")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axis, (model, shares) in zip(axes.flat, data, strict=False):
        image = square(axis, shares, names, 7)
        axis.set_title(model.label)
    _name_columns(axes, len(data), "chosen class")
    for axis in axes[:, 0]:
        axis.set_ylabel("true class")
    figure.colorbar(image, ax=axes, label="share of the true class (mean over seeds)", shrink=0.8)
    _head(figure, files)
    return figure


def draw_calibration(files: _Files) -> Figure:
    """Accuracy against the probability of the chosen class, and how often it has which probability."""
    curves, shares = read_reliability(files)
    figure = Figure(figsize=(6.4, 7.4), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    axes[0].plot([0, 1], [0, 1], **_CHANCE)
    for curve, share in zip(curves, shares, strict=True):
        _draw(axes[0], curve)
        look = curve.model.look
        axes[1].plot(share.x, share.mean, linestyle=look.linestyle, **_small(curve.model))
    # Room for markers at the ends.
    axes[0].set(xlim=(0, 1), ylim=(-0.02, 1.02), ylabel="accuracy in the bin")
    axes[1].set(xlabel="mean probability of the chosen class in the bin", ylabel="share of the jets")
    axes[1].set_ylim(bottom=-0.05 * axes[1].get_ylim()[1])
    _head(figure, files)
    models = [curve.model for curve in curves]
    legend_below(figure, [*_line_handles(models), Line2D([], [], label="probabilities that are true", **_CHANCE)])
    return figure


def draw_kinematics(files: _Files) -> Figure:
    """Accuracy against jet mass and jet pT."""
    figure = Figure(figsize=(9.6, 5.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, feature in zip(axes, ("jet_mass", "jet_pt"), strict=True):
        edges, curves = read_of_bins(files, feature)
        width = edges[1] - edges[0]
        for number, curve in enumerate(curves):
            # Side by side within a bin, so that error bars do not hide each other.
            _draw(axis, curve, shift=0.5 * width * ((number + 0.5) / len(curves) - 0.5))
        axis.axhline(chance(files), **_CHANCE)
        axis.set(xlim=(edges[0], edges[-1]), xlabel=axis_label(LABELS[feature]))
    axes[0].set_ylabel(_ACCURACY)
    axes[0].set_ylim(bottom=0)
    _head(figure, files)
    legend_below(figure, [*_line_handles([curve.model for curve in curves]), _chance_handle()])
    return figure


def draw_learning_curve(files: _Files) -> Figure:
    """Accuracy against the number of training jets."""
    curves = read_learning_curves(files)
    figure = Figure(figsize=(7.4, 5.8), layout="constrained")
    axis = figure.subplots()
    for curve in curves:
        _draw(axis, curve)
        for values in curve.values.T:
            axis.plot(curve.x, values, ".", color=curve.model.look.color, markersize=3, alpha=0.8)
    axis.axhline(chance(files), **_CHANCE)
    sizes = np.concatenate([curve.x for curve in curves])
    logarithmic(axis, "x", 0.7 * sizes.min(), 1.4 * sizes.max())
    axis.set_ylim(bottom=0)
    axis.set(xlabel="training jets, all classes together", ylabel=_ACCURACY)
    _head(figure, files)
    legend_below(figure, [*_line_handles([curve.model for curve in curves]), _chance_handle()])
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
        axis.set_ylabel(_ACCURACY)
    _head(figure, files)
    legend_below(figure, model_handles([item.model for item in quality.values()]))
    return figure


def _error(item: Measurement) -> float:
    """Return the spread over seeds and the uncertainty of the test jets, added in squares."""
    return float(np.hypot(np.nan_to_num(item.uncertainty), np.nan_to_num(item.spread)))


def _draw(axis: Axes, curve: Curve, shift: float = 0.0) -> None:
    look = curve.model.look
    style = marker(look) | {"markersize": 4, "linestyle": look.linestyle, "linewidth": 1.2}
    axis.errorbar(curve.x + shift, curve.mean, np.nan_to_num(curve.uncertainty), **style)


def _small(model: Model) -> dict[str, Any]:
    return marker(model.look) | {"markersize": 4, "linewidth": 1.2}


def _line_handles(models: Sequence[Model]) -> list[Line2D]:
    return [Line2D([], [], linestyle=model.look.linestyle, label=model.label, **_small(model)) for model in models]


def _chance_handle() -> Line2D:
    return Line2D([], [], label="guessing", **_CHANCE)


def _head(figure: Figure, files: _Files, more: str = "") -> None:
    """Put the heading over a figure, folded where the figure is narrow."""
    text = heading(files)
    figure.suptitle((_folded(text) if figure.get_figwidth() < _WIDE else text) + more)


def _folded(text: str) -> str:
    """Return a heading in lines that fit over one panel."""
    return text.replace(": compare", ":\ncompare")
