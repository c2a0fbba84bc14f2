"""The log posterior of each model, and the confusion of the classifier behind it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.errors import InputError
from cloudchamber.figures.dots import (
    dot,
    floor_handles,
    name_rows,
)
from cloudchamber.figures.labels import counts, told_apart
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import GREY
from cloudchamber.figures.matrices import square
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.metrics.posterior_scores import ideal_value
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import entries, need

__all__ = ["confusion", "draw_confusion", "draw_log_posterior", "log_posterior"]

CAPTIONS = {
    "log_posterior": (
        "Negative log posterior of each model: minus the mean over true jets of ln p(model | jet), from a "
        "ParticleNet classifier; the lower, the more truth looks like the model. Neither a model nor the "
        "classifier was trained on these jets. Left: truth is one of the classes, and the black line, with a "
        "band of its uncertainty where that is wide enough to be seen, is the score that truth itself gets. "
        "Right: the published form, with the models as the only classes. Dashed: ln K, the score of each of K "
        "classes that none can tell apart. Bars and printed "
        "uncertainties: standard error of the mean over the scored jets, whose number is in the heading; "
        "small dots are single seeds. The scores depend on which models compete and cannot be compared with "
        "those of another set of models."
    ),
    "confusion": (
        "Mean posterior of each class (columns) for jets of each true class (rows), from the ParticleNet "
        "classifier behind the log posterior, on the validation jets of its training; the mean over seeds "
        "where there are several. Each row sums to one. A row that is alike in several columns is a class "
        "that the classifier cannot tell from those."
    ),
}

# Narrower bands, as a share of the range of the values, are hidden behind the line in their middle.
_SEEN = 0.01


def draw_log_posterior(files: Mapping[str, Any]) -> Figure:
    """Draw both forms of the negative log posterior from the table of the study."""
    with_truth, generated_only = (read_measurements(files, metric) for metric in ("nlp", "nlp_generated_only"))
    return log_posterior(with_truth, generated_only, need(files, "title"))


def draw_confusion(files: Mapping[str, Any]) -> Figure:
    """Draw the mean posterior of each class, the mean over seeds."""
    tables = []
    for entry in entries(files, "confusions", ("path",)):
        path = entry["path"]
        table = read_table(path, ("class",)).set_index("class")
        if list(table.index) != list(table.columns):
            raise InputError(f"{path}: rows {list(table.index)} and columns {list(table.columns)} are not the same")
        tables.append(table.astype(float))
    titles = told_apart({entry["name"]: entry["title"] for entry in entries(files, "models", ("name", "title"))})
    mean = pd.DataFrame(sum(tables) / len(tables))
    return confusion(mean, titles | {"truth": "truth"}, need(files, "title"))


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
    band_is_seen = False
    for axis, measurements, name, n_classes in forms:
        ideal = ideal_value(n_classes)
        axis.axvline(ideal, color="black", linestyle=(0, (4.0, 2.0)), linewidth=1.0)
        # Models may have different seeds, and the floors are means over them.
        floor = max(measurements, key=lambda item: len(item.values))
        for row, item in enumerate(measurements):
            dot(axis, item, row)
        largest = max([ideal, *(max(item.values) for item in measurements)])
        smallest = min([ideal, floor.floor, *(min(item.values) for item in measurements)])
        width = largest - smallest or 1.0
        axis.set_xlim(smallest - 0.1 * width, largest + 0.5 * width)
        if n_classes > len(measurements):
            error = np.nan_to_num(floor.floor_uncertainty)
            axis.axvline(floor.floor, color="black", linewidth=1.0)
            band_is_seen = 2.0 * error > _SEEN * width
            if band_is_seen:
                axis.axvspan(floor.floor - error, floor.floor + error, color=GREY)
        for row, item in enumerate(measurements):
            axis.annotate(
                with_uncertainty(item.value, item.uncertainty),
                # In the room at the right end, where no line runs through the digits.
                (0.98, row),
                xycoords=axis.get_yaxis_transform(),
                ha="right",
                va="center",
                fontsize=8,
            )
        axis.set_title(f"classes: {name}")
        axis.set_xlabel(r"$-\langle \ln\, p(\mathrm{model} \mid \mathrm{true\ jet}) \rangle$ [nat]")
        name_rows(axis, [item.model.label for item in with_truth])
    handles = [
        Line2D(
            [],
            [],
            color="black",
            linestyle=(0, (4.0, 2.0)),
            linewidth=1.0,
            label="ln K: K classes that none can tell apart",
        ),
        *floor_handles("score of truth itself", "score of truth")[: 2 if band_is_seen else 1],
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
