"""Distances from truth in every feature, as dots with their floor."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from cloudchamber.figures.dots import dot, floor_band, floor_handles, logarithmic, model_handles, name_rows
from cloudchamber.figures.inputs import distinct
from cloudchamber.figures.labels import axis_label
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.sample_sizes import sizes
from cloudchamber.jets.features import COMPARED_FEATURES, LABELS
from cloudchamber.metrics.divergence import KL_DIRECTION
from cloudchamber.settings.entries import need

__all__ = ["distances", "draw_divergences", "draw_wasserstein"]

CAPTIONS = {
    "divergences": (
        "Kullback-Leibler divergence KL(generated || truth) in nats of each feature, from probabilities in "
        "bins that are equally probable in truth (the number of bins is a setting; whole-number features have "
        "fewer). The direction is that the generated distribution stands before the bars: sum of q ln(q/p), "
        "with q generated and p true. Bars: standard deviation over resamplings of the true and the generated "
        "jets. Where there are several seeds the marker is their mean and the small dots are the single "
        "seeds. Black line and grey band: the floor, the same number for as many independent true jets in "
        "place of the generated ones, and its uncertainty. The heading gives the numbers of jets, on which "
        "the floor depends. What is imposed was given with each jet and not generated; the tables say for which models."
    ),
    "wasserstein": (
        "Wasserstein-1 distance between the generated and the true distribution of each feature, in the unit "
        "of the feature; rows have different units and are not to be compared with each other. Bars: standard "
        "deviation over resamplings of the true and the generated jets. Where there are several seeds the "
        "marker is their mean and the small dots are the single seeds. Black line and grey band: the floor, "
        "the same distance for as many independent true jets in place of the generated ones, and its "
        "uncertainty. What is imposed was given with each jet and not generated; the tables say for which models."
    ),
}

# Dots above each other in one panel of distances; more are drawn in two panels.
_ROWS_OF_A_COLUMN = 80


def draw_divergences(files: Mapping[str, Any]) -> Figure:
    """Draw the KL divergence of every feature from the table of the study."""
    measurements = read_measurements(files, "kl", COMPARED_FEATURES)
    return distances(measurements, need(files, "title"), f"{KL_DIRECTION} [nat]", False)


def draw_wasserstein(files: Mapping[str, Any]) -> Figure:
    """Draw the Wasserstein-1 distance of every feature from the table of the study."""
    label = "Wasserstein-1 distance to truth [unit of the feature]"
    return distances(read_measurements(files, "w1", COMPARED_FEATURES), need(files, "title"), label, True)


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
        name_rows(axis, [_row_name(measurements, feature, units) for feature in of_panel])
        axis.set_xlabel(label)
    logarithmic(axes[0], "x", low, high)
    figure.suptitle(f"{title}: {sizes(measurements)}")
    legend_below(figure, [*model_handles(models), *floor_handles()])
    return figure


def _row_name(measurements: Sequence[Measurement], feature: str, units: bool) -> str:
    """Return the name of a feature, and below it for how many of the models it was imposed."""
    name = axis_label(LABELS[feature]) if units else LABELS[feature].symbol
    imposed = {item.imposed for item in measurements if item.feature == feature}
    if imposed == {True}:
        return f"{name}\n(imposed)"
    return f"{name}\n(imposed in part)" if True in imposed else name
