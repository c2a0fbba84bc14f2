"""Metrics of jets as wholes: one number per model, each metric with its floor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cloudchamber.errors import InputError
from cloudchamber.figures.dots import distinct, dot, floor_band, floor_handles, logarithmic, name_rows, sizes
from cloudchamber.figures.inputs import Model
from cloudchamber.figures.labels import counts
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.settings.entries import need

__all__ = ["JET_METRICS", "JetMetric", "jet_metrics", "metric_panels", "read_jet_metrics", "sizes_of"]


@final
@dataclass(frozen=True)
class JetMetric:
    """How a metric is shown.

    Attributes:
        label: what it is called.
        scale: of its axis; a logarithmic one becomes linear around zero where there are values that are not positive.
        better: which values are better.
    """

    label: str
    scale: Literal["log", "linear"]
    better: Literal["lower", "higher", "near the floor"]


JET_METRICS: Mapping[str, JetMetric] = {
    "w1m": JetMetric("W1-M", "log", "lower"),
    "w1p": JetMetric("W1-P", "log", "lower"),
    "w1efp": JetMetric("W1-EFP", "log", "lower"),
    "fpd": JetMetric("FPD", "log", "lower"),
    "kpd": JetMetric("KPD", "log", "lower"),
    "coverage": JetMetric("coverage", "linear", "higher"),
    "mmd": JetMetric("MMD", "log", "lower"),
    "c2st_auc": JetMetric("AUC against truth", "linear", "lower"),
    "memorisation": JetMetric("memorisation", "linear", "near the floor"),
}


def read_jet_metrics(files: Mapping[str, Any]) -> dict[str, list[Measurement]]:
    """Return each metric of ``JET_METRICS`` that there is, of each model and sampler that has it.

    Raises:
        InputError: the table cannot be read, or none of the metrics is there.
        SettingsError: a key is missing.
    """
    found = {name: read_measurements(files, name, partial=True) for name in JET_METRICS}
    there = {name: measurements for name, measurements in found.items() if measurements}
    if not there:
        raise InputError(f"{need(files, 'metrics')}: none of the metrics {', '.join(JET_METRICS)}")
    return there


def jet_metrics(data: Mapping[str, Sequence[Measurement]], title: str) -> Figure:
    """Draw one panel per metric, one row per model and sampler.

    Args:
        data: metric -> measurements of the models that have it.
        title: what was compared.
    """
    everything = [item for measurements in data.values() for item in measurements]
    return metric_panels(data, JET_METRICS, f"{title}: {sizes_of(everything)}", floor_handles())


def metric_panels(
    data: Mapping[str, Sequence[Measurement]],
    metrics: Mapping[str, JetMetric],
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


def _panel(axis: Axes, metric: JetMetric, measurements: Sequence[Measurement], models: Sequence[Model]) -> None:
    floor_band(axis, measurements, (-0.5, len(models) - 0.5))
    for item in measurements:
        dot(axis, item, models.index(item.model))
    values = np.array([(value, item.floor) for item in measurements for value in item.values]).ravel()
    values = values[np.isfinite(values)]
    if metric.scale == "log" and (values > 0).all():
        logarithmic(axis, "x", 0.5 * values.min(), 2.0 * values.max())
    elif metric.scale == "log":
        size = max(-values.min(), *(item.floor for item in measurements), 1e-12)
        threshold = 10.0 ** np.ceil(np.log10(size))
        axis.set_xscale("symlog", linthresh=threshold)
        highest = 10.0 ** np.floor(np.log10(max(values.max(), threshold)))
        if highest > 1e4 * threshold:
            # By itself matplotlib would set a tick at every few decades, on top of each other.
            axis.set_xticks([0.0, highest])
    axis.set_title(metric.label)
    axis.set_xlabel(f"{metric.better} is better")


def sizes_of(measurements: Sequence[Measurement]) -> str:
    """Return the numbers of jets, which a metric may leave open."""
    known = [item for item in measurements if np.isfinite([item.n_reference, item.n_generated]).all()]
    return sizes(known) if known else f"{counts([len(item.values) for item in measurements])} seeds"
