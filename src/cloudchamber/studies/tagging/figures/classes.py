"""Figures of what taggers confuse, and of whether their probabilities can be believed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.matrices import square
from cloudchamber.studies.tagging.figures.inputs import class_titles, read_confusion, read_reliability, read_roc
from cloudchamber.studies.tagging.figures.style import CHANCE, NARROW, WIDE, along_curve, draw_curve, head, line_handles

__all__ = ["draw_calibration", "draw_confusion", "draw_roc"]

CAPTIONS = {
    "roc": (
        "Background rejection against signal efficiency, each class against all others. The jets are an own sample, "
        "not that of arXiv 2202.00723."
    ),
    "confusion": (
        "Share of the jets of each class that each tagger assigns to each class, flat in mass and transverse momentum "
        "where the sample has such weights. Own sample of jets."
    ),
    "calibration": (
        "Accuracy against the probability that a tagger gives to its choice; a tagger that knows how sure it may be "
        "lies on the diagonal. Below, the share of jets; bins with less than 0.2 % of them are left out above. Own "
        "sample of jets."
    ),
}

_Files = Mapping[str, Any]
_PANELS_IN_A_ROW = 4


def draw_roc(files: _Files) -> Figure:
    """Background rejection against signal efficiency, a panel per class."""
    data, titles = read_roc(files), class_titles(files)
    columns = min(_PANELS_IN_A_ROW, len(data))
    rows = -(-len(data) // columns)
    figure = Figure(figsize=(max(NARROW, 1.0 + 2.6 * columns), 1.6 + 2.5 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axis, (name, curves) in zip(axes.flat, data.items(), strict=False):
        for curve in curves:
            rejections = [
                _rejection(values) for values in (curve.mean, curve.values.max(axis=1), curve.values.min(axis=1))
            ]
            look = curve.model.look
            axis.fill_between(curve.x, rejections[1], rejections[2], color=look.color, alpha=0.25, linewidth=0.0)
            axis.plot(curve.x, rejections[0], linestyle=look.linestyle, markevery=(9, 15), **along_curve(curve.model))
        axis.plot(curves[0].x, 1 / curves[0].x, **CHANCE)
        axis.set_yscale("log")
        axis.set_title(titles[name])
    _name_columns(axes, len(data), "signal efficiency")
    for axis in axes[:, 0]:
        axis.set_ylabel("background rejection")
    models = [curve.model for curve in next(iter(data.values()))]
    several = any(curve.values.shape[1] > 1 for curves in data.values() for curve in curves)
    seeds = [Line2D([], [], color="none", label="bands: range of the seeds")] if several else []
    head(figure, files, "\neach class against all others")
    legend_below(figure, [*line_handles(models), Line2D([], [], label="guessing", **CHANCE), *seeds])
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
    width = max(NARROW, 1.4 + side * columns)
    # Where the heading is folded it has a line more.
    height = (1.5 if width < WIDE else 1.3) + side * rows
    figure = Figure(figsize=(width, height), layout="compressed")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axis, (model, shares) in zip(axes.flat, data, strict=False):
        image = square(axis, shares, names, 7)
        axis.set_title(model.label)
    _name_columns(axes, len(data), "chosen class")
    for axis in axes[:, 0]:
        axis.set_ylabel("true class")
    figure.colorbar(image, ax=axes, label="share of the true class (mean over seeds)", shrink=0.8)
    head(figure, files)
    return figure


def draw_calibration(files: _Files) -> Figure:
    """Accuracy against the probability of the chosen class, and how often it has which probability."""
    curves, shares = read_reliability(files)
    figure = Figure(figsize=(6.4, 7.4), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    axes[0].plot([0, 1], [0, 1], **CHANCE)
    for curve, share in zip(curves, shares, strict=True):
        draw_curve(axes[0], curve)
        look = curve.model.look
        axes[1].plot(share.x, share.mean, linestyle=look.linestyle, **along_curve(curve.model))
    # Room for markers at the ends.
    axes[0].set(xlim=(0, 1), ylim=(-0.02, 1.02), ylabel="accuracy in the bin")
    axes[1].set(xlabel="mean probability of the chosen class in the bin", ylabel="share of the jets")
    axes[1].set_ylim(bottom=-0.05 * axes[1].get_ylim()[1])
    head(figure, files)
    models = [curve.model for curve in curves]
    legend_below(figure, [*line_handles(models), Line2D([], [], label="probabilities that are true", **CHANCE)])
    return figure
