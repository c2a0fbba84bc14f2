"""Panels of metrics: one number per model, each metric with its floor."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cloudchamber.figures.dots import dot, floor_band, logarithmic, name_rows
from cloudchamber.figures.inputs import Model, distinct
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.measurements import Measurement
from cloudchamber.figures.metric import Metric

__all__ = ["metric_panels"]


def metric_panels(
    data: Mapping[str, Sequence[Measurement]],
    metrics: Mapping[str, Metric],
    heading: str,
    handles: Sequence[Artist],
    most_columns: int = 3,
) -> Figure:
    """Draw one panel per metric, one row per model and sampler.

    Args:
        data: metric -> measurements of the models that have it.
        metrics: how each is shown.
        heading: above the panels.
        handles: of the legend.
        most_columns: panels beside each other.
    """
    models = distinct([item.model for measurements in data.values() for item in measurements])
    columns = min(most_columns, len(data))
    rows = -(-len(data) // columns)
    figure = Figure(figsize=(2.0 + 2.9 * columns, 1.0 + rows * (0.8 + 0.2 * len(models))), layout="constrained")
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axis, (name, measurements) in zip(axes.flat, data.items(), strict=False):
        _panel(axis, metrics[name], measurements, models)
    for axis in axes.flat:
        name_rows(axis, [model.label for model in models])
    for axis in axes.flat[len(data) :]:
        axis.set_visible(False)
    figure.suptitle(heading)
    legend_below(figure, handles)
    return figure


def _panel(axis: Axes, metric: Metric, measurements: Sequence[Measurement], models: Sequence[Model]) -> None:
    for item in measurements:
        row = models.index(item.model)
        floor_band(axis, [item], (row - 0.5, row + 0.5))
        dot(axis, item, row)
    values = np.array([(value, item.floor) for item in measurements for value in item.values]).ravel()
    values = values[np.isfinite(values)]
    if metric.scale == "log" and (values > 0).all():
        logarithmic(axis, "x", 0.5 * values.min(), 2.0 * values.max())
    elif metric.scale == "log":
        size = max(-values.min(), *(item.floor for item in measurements), 1e-12)
        threshold = 10.0 ** np.ceil(np.log10(size))
        axis.set_xscale("symlog", linthresh=threshold)
        highest = np.floor(np.log10(max(values.max(), threshold)))
        if 10.0**highest > 1e4 * threshold:
            axis.set_xticks(_decades(int(highest), int(np.log10(threshold)), *axis.get_xlim()))
    axis.set_title(metric.label)
    axis.set_xlabel(f"{metric.better} is better")


def _decades(highest: int, lowest: int, low: float, high: float) -> list[float]:
    """Return ticks at zero and at powers of ten of both signs, far enough apart for their labels.

    By itself matplotlib would set one at every few decades, on top of each other.
    """
    step = -(-(highest - lowest) // 3)
    sizes = [10.0**exponent for exponent in range(highest, lowest, -step)]
    return [tick for tick in (*(-size for size in sizes), 0.0, *sizes[::-1]) if low <= tick <= high]
