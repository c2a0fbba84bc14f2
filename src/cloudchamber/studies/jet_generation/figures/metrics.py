"""Charts of metrics: distances per feature, log posteriors, the confusion of the classifier, quality against cost."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from cloudchamber.figures.dots import (
    distinct,
    dot,
    floor_band,
    floor_handles,
    logarithmic,
    marker,
    model_handles,
    name_rows,
    sizes,
)
from cloudchamber.figures.labels import axis_label, counts
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.measurements import Measurement
from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.figures.style import GREY
from cloudchamber.jets.observables import LABELS
from cloudchamber.metrics.log_posterior import ideal_value

__all__ = ["confusion", "cost", "distances", "log_posterior", "square"]

# Dots above each other in one panel of distances; more are drawn in two panels.
_ROWS_OF_A_COLUMN = 80


def distances(measurements: Sequence[Measurement], title: str, label: str, units: bool) -> Figure:
    """Draw a distance from truth in every feature as dots on a logarithmic axis, with its floor.

    Args:
        measurements: of all models and features.
        title: what was compared.
        label: of the axis of the distance.
        units: whether the distance has the unit of the feature.
    """
    features = list(dict.fromkeys(item.feature for item in measurements))
    models = distinct([item.model for item in measurements])
    columns = 1 if len(features) * len(models) <= _ROWS_OF_A_COLUMN else 2
    rows = -(-len(features) // columns)
    figure = Figure(figsize=(3.0 + 5.0 * columns, 1.8 + 0.13 * rows * (len(models) + 1)), layout="constrained")
    axes = figure.subplots(1, columns, sharex=True, squeeze=False)[0]
    positive = [v for item in measurements for v in (item.value, item.floor) if v > 0]
    low, high = 0.5 * min(positive, default=0.1), 2.0 * max(positive, default=1.0)
    for axis, start in zip(axes, range(0, len(features), rows), strict=True):
        of_panel = features[start : start + rows]
        for row, feature in enumerate(of_panel):
            of_feature = [item for item in measurements if item.feature == feature]
            floor_band(axis, of_feature, (row - 0.45, row + 0.45), low)
            for item in of_feature:
                offset = (models.index(item.model) + 1) / (len(models) + 1) - 0.5
                dot(axis, item, row + 0.9 * offset, low)
        name_rows(axis, [axis_label(LABELS[feature]) if units else LABELS[feature].symbol for feature in of_panel])
        axis.set_xlabel(label)
    logarithmic(axes[0], "x", low, high)
    figure.suptitle(f"{title}: {sizes(measurements)}")
    legend_below(figure, [*model_handles(models), *floor_handles()])
    return figure


def log_posterior(with_truth: Sequence[Measurement], generated_only: Sequence[Measurement], title: str) -> Figure:
    """Draw the negative log posterior of each model, with and without truth among the classes.

    Args:
        with_truth: the score among all models and truth; its floor is the score of truth itself.
        generated_only: the published form, among the models alone.
        title: what was compared.
    """
    figure = Figure(figsize=(9.6, 1.9 + 0.34 * len(with_truth)), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    forms = (
        (axes[0], with_truth, "models and truth", len(with_truth) + 1),
        (axes[1], generated_only, "models only (published form)", len(generated_only)),
    )
    for axis, measurements, name, n_classes in forms:
        ideal = ideal_value(n_classes)
        axis.axvline(ideal, color="black", linestyle=(0, (4.0, 2.0)), linewidth=1.0)
        # Models may have different seeds, and the floors are means over them.
        floor = max(measurements, key=lambda item: len(item.values))
        if n_classes > len(measurements):
            error = np.nan_to_num(floor.floor_uncertainty)
            axis.axvspan(floor.floor - error, floor.floor + error, color=GREY)
            axis.axvline(floor.floor, color="black", linewidth=1.0)
        for row, item in enumerate(measurements):
            dot(axis, item, row)
        largest = max([ideal, *(max(item.values) for item in measurements)])
        smallest = min([ideal, floor.floor, *(min(item.values) for item in measurements)])
        width = largest - smallest or 1.0
        axis.set_xlim(smallest - 0.1 * width, largest + 0.5 * width)
        for row, item in enumerate(measurements):
            axis.annotate(
                with_uncertainty(item.value, item.uncertainty),
                (max(item.values) + np.nan_to_num(item.uncertainty), row),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                # The line of the ideal value would run through the digits.
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8},
            )
        axis.set_title(f"classes: {name}")
        axis.set_xlabel(r"$-\langle \ln\, p(\mathrm{model} \mid \mathrm{true\ jet}) \rangle$ [nat]")
    name_rows(axes[0], [item.model.label for item in with_truth])
    axes[1].tick_params(axis="y", which="both", length=0)
    handles = [
        Line2D([], [], color="black", linestyle=(0, (4.0, 2.0)), linewidth=1.0, label="ln K, of K perfect classes"),
        *floor_handles("score of truth itself", "score of truth"),
    ]
    figure.suptitle(f"{title}: {counts([int(item.n_reference) for item in with_truth])} true jets scored")
    legend_below(figure, handles)
    return figure


def confusion(posterior: pd.DataFrame, titles: Mapping[str, str], title: str) -> Figure:
    """Draw the mean posterior of each class for the jets of each class.

    Args:
        posterior: square, rows are the true classes and columns the classes of the posterior.
        titles: what the classes are called.
        title: what was compared.
    """
    names = [titles.get(str(name), str(name)) for name in posterior.index]
    size = 0.62 * len(names)
    figure = Figure(figsize=(size + 3.6, size + 2.2), layout="constrained")
    axis = figure.subplots()
    image = square(axis, posterior.to_numpy(float), names)
    axis.set_xlabel("class of the posterior")
    axis.set_ylabel("true class of the jets")
    axis.set_title(title)
    figure.colorbar(image, label="mean posterior probability", shrink=0.9)
    return figure


def square(axis: Axes, values: np.ndarray, names: Sequence[str], size: float | None = None) -> AxesImage:
    """Draw a square of shares from 0 to 1, each with its number, and name its rows and columns.

    Args:
        axis: where to draw.
        values: (K, K).
        names: of the K classes.
        size: of the numbers in points; by itself that of other text.
    """
    image = axis.imshow(values, cmap="cividis", vmin=0.0, vmax=1.0)
    for (row, column), value in np.ndenumerate(values):
        color = "black" if value > 0.5 else "white"
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", color=color, fontsize=size)
    axis.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(which="both", length=0)
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_minor_locator(NullLocator())
    return image


def cost(
    quality: Mapping[str, Sequence[Measurement]],
    seconds: Sequence[Measurement],
    evaluations: Sequence[Measurement],
    title: str,
) -> Figure:
    """Draw the KL divergence of jet features against the time and the network evaluations per jet.

    Args:
        quality: feature -> KL divergence of each model and sampler.
        seconds, evaluations: cost of each model and sampler, in the same order.
        title: what was compared.
    """
    figure = Figure(figsize=(9.0, 3.1 * len(quality) + 1.0), layout="constrained")
    axes = figure.subplots(len(quality), 2, sharex="col", sharey="row", squeeze=False)
    for (left, right), (feature, measurements) in zip(axes, quality.items(), strict=True):
        for axis, costs in ((left, seconds), (right, evaluations)):
            axis.axhline(measurements[0].floor, color="black", linewidth=1.0)
            for model in distinct([item.model for item in costs], by_name=True):
                points = [
                    (of_cost, item)
                    for of_cost, item in zip(costs, measurements, strict=True)
                    if item.model.name == model.name
                ]
                points.sort(key=lambda pair: pair[0].value)
                x, y = ([item.value for item in side] for side in zip(*points, strict=True))
                axis.plot(x, y, color=model.look.color, linestyle=model.look.linestyle)
                for of_cost, item in points:
                    axis.errorbar(of_cost.value, item.value, np.nan_to_num(item.uncertainty), **marker(item.model.look))
            axis.set_yscale("log")
        left.set_ylabel(f"KL(generated || truth) [nat]\nof {LABELS[feature].symbol}")
    axes[-1, 0].set_xscale("log")
    # A baseline takes no evaluation at all, which a logarithmic axis does not have.
    axes[-1, 1].set_xscale("symlog", linthresh=1.0)
    axes[-1, 1].set_xlim(-0.3, 3.0 * max(1.0, *(item.value for item in evaluations)))
    axes[-1, 0].set_xlabel("time per jet [s]")
    axes[-1, 1].set_xlabel("network evaluations per jet")
    figure.suptitle(f"{title}: {sizes(next(iter(quality.values())))}")
    models = distinct([item.model for item in seconds])
    legend_below(figure, [*model_handles(models), floor_handles()[0]])
    return figure
