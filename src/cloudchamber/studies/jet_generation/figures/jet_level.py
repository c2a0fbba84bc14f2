"""The jet level: pT, mass and multiplicity that models are asked for, and how they depend on each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

from cloudchamber.figures.histograms import (
    OVERFLOW_NOTE,
    bin_edges,
    draw_histograms,
    histogram,
    integer_edges,
    legend_handles,
)
from cloudchamber.figures.inputs import read_truth
from cloudchamber.figures.labels import axis_label, count
from cloudchamber.figures.looks import TRUTH, looks
from cloudchamber.figures.numbers import decimals, with_uncertainty
from cloudchamber.generative.compare_jets import REQUESTED
from cloudchamber.generative.jet_features import JetFeatures, read_jets
from cloudchamber.jets.features import LABELS
from cloudchamber.metrics.resampling import Sample
from cloudchamber.metrics.tables import DISTANCE_COLUMNS, read_table
from cloudchamber.settings.entries import entries, need

__all__ = ["JetLevel", "draw_jet_level", "enclosing_levels", "jet_level", "read_jet_level"]

CAPTIONS = {
    "jet_level": (
        "Transverse momentum, mass and multiplicity of the jets that all models are asked for, drawn from a "
        "normalising flow, against the test part of truth. Diagonal: filled true jets with a hatched band of "
        "their statistical uncertainty, and the flow, all seeds together; the first and last bin hold what "
        "lies beyond the axis. Above each: KL(generated || truth) and the Wasserstein-1 distance, means over "
        "seeds, with the standard deviation over resamplings of the true and the drawn jets, and the floor, "
        "the same number for as many jets of the training part. The distribution of each feature on its own "
        "is fitted to the training part before the flow, which learns how they depend on each other. This is "
        "below the diagonal: contours that hold 50 and 90 % of the density, smoothed by one bin, filled with "
        "a thin line for truth and a thick line for the flow. The highest multiplicity may be the padded "
        "length, which stands for all larger ones."
    ),
}

_FEATURES = tuple(REQUESTED.values())
_WHOLE_NUMBER = "multiplicity"
_FLOW = looks(["flow"], [])["flow"]
# Fractions of the jets inside the contours, and the greys of truth between them, from outside.
_ENCLOSED = (0.9, 0.5)
_GREYS = ("#d9d9d9", "#a6a6a6")
# Width of the kernel behind the contours, in bins.
_SMOOTHING = 1.0


def draw_jet_level(files: Mapping[str, Any]) -> Figure:
    """Draw the jets that models are asked for against true ones."""
    return jet_level(read_jet_level(files))


@final
@dataclass(frozen=True)
class JetLevel:
    """Jets of the test part and jets that a flow drew.

    Attributes:
        title: the data set.
        truth, drawn: feature -> values; those of all seeds together.
        distances: rows of the comparison, means over seeds, indexed by metric and feature.
    """

    title: str
    truth: Mapping[str, Sample]
    drawn: Mapping[str, Sample]
    distances: pd.DataFrame


def read_jet_level(files: Mapping[str, Any]) -> JetLevel:
    """Read true and drawn jets and their distances.

    Args:
        files: "title", "truth" (prepared jets), "jets" and "comparisons", lists with a "path" for each seed.

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing, or a list is empty.
    """
    truth = JetFeatures.of_part(read_truth(files), "test", need(files, "truth")).columns
    drawn = [read_jets(entry["path"]).columns for entry in entries(files, "jets", ("path",))]
    tables = [read_table(entry["path"], DISTANCE_COLUMNS) for entry in entries(files, "comparisons", ("path",))]
    numbers = ["value", "uncertainty", "floor"]
    return JetLevel(
        need(files, "title"),
        {name: Sample.of_jets(truth[name]) for name in _FEATURES},
        {name: Sample.of_jets(np.concatenate([columns[name] for columns in drawn])) for name in _FEATURES},
        pd.concat(tables).groupby(["metric", "feature"])[numbers].mean(),
    )


def jet_level(data: JetLevel) -> Figure:
    """Draw each feature on the diagonal and each pair of features below it."""
    size = len(_FEATURES)
    figure = Figure(figsize=(2.9 * size, 2.8 * size + 0.6), layout="constrained")
    axes = figure.subplots(size, size, sharex="col")
    edges = {name: _edges(name, data) for name in _FEATURES}
    for position, (requested, name) in enumerate(REQUESTED.items()):
        axis = axes[position, position]
        reference, drawn = (histogram(side[name], edges[name]) for side in (data.truth, data.drawn))
        draw_histograms(axis, reference, [(_FLOW, drawn)])
        axis.set_xlim(edges[name][0], edges[name][-1])
        if name == _WHOLE_NUMBER:
            # Truncation makes the largest one a spike that hides the others on a linear axis.
            axis.set_yscale("log")
            axis.set_ylim(bottom=0.3 * reference.fractions[reference.fractions > 0].min())
        else:
            axis.set_ylim(bottom=0.0)
        axis.set_ylabel("fraction of jets per bin")
        axis.set_title(_distances(data.distances, requested, name), fontsize=8)
    for column, row in combinations(range(size), 2):
        axes[column, row].set_axis_off()
        x, y = _FEATURES[column], _FEATURES[row]
        _pair(axes[row, column], data, (x, y), (edges[x], edges[y]))
        axes[row, column].set_ylabel(axis_label(LABELS[y]))
    for axis, name in zip(axes[-1], _FEATURES, strict=True):
        axis.set_xlabel(axis_label(LABELS[name]))
    figure.align_ylabels(axes[:, 0])
    n_truth, n_drawn = (next(iter(side.values())).n_jets for side in (data.truth, data.drawn))
    figure.suptitle(f"{data.title}: {count(n_truth)} true jets, {count(n_drawn)} jets drawn from the flow")
    handles = legend_handles("truth (test part)", [("jet-level flow", _FLOW)])
    note = f"Contours hold {' and '.join(f'{fraction:.0%}' for fraction in _ENCLOSED[::-1])} of the smoothed density. "
    figure.legend(
        handles=handles, loc="outside lower center", ncols=len(handles), title=note + OVERFLOW_NOTE, title_fontsize=8
    )
    return figure


def _edges(name: str, data: JetLevel) -> np.ndarray:
    choose = integer_edges if name == _WHOLE_NUMBER else bin_edges
    return choose(data.truth[name], [data.drawn[name]])


def _distances(table: pd.DataFrame, requested: str, name: str) -> str:
    lines = []
    for metric, label, unit in (("kl", "KL", "nat"), ("w1", r"$W_1$", LABELS[name].unit)):
        row = table.loc[(metric, requested)]
        value = with_uncertainty(row["value"], row["uncertainty"])
        floor = f"{row['floor']:.{decimals(row['value'], row['uncertainty'])}f}"
        lines.append(f"{label}: ({value}) {unit}".rstrip() + f", floor {floor}")
    return "\n".join(lines)


def _pair(axis: Axes, data: JetLevel, names: tuple[str, str], edges: tuple[np.ndarray, np.ndarray]) -> None:
    """Draw truth as filled and the flow as drawn contours of the smoothed density."""
    centres = [np.concatenate([side[:1], 0.5 * (side[1:] + side[:-1]), side[-1:]]) for side in edges]
    for side, of_truth in ((data.truth, True), (data.drawn, False)):
        x, y = (side[name].values for name in names)
        counts, _, _ = np.histogram2d(x, y, bins=list(edges))
        density = gaussian_filter(counts, _SMOOTHING, mode="nearest")
        levels = sorted(set(enclosing_levels(density, _ENCLOSED)))
        # The outermost bins reach to the frame.
        grid = (*centres, np.pad(density, 1, mode="edge").T)
        if of_truth:
            axis.contourf(*grid, levels=[*levels, np.inf], colors=_GREYS)
            axis.contour(*grid, levels=levels, colors=TRUTH.color, linewidths=0.6)
        else:
            axis.contour(*grid, levels=levels, colors=_FLOW.color, linewidths=1.5)
    axis.set_xlim(edges[0][0], edges[0][-1])
    axis.set_ylim(edges[1][0], edges[1][-1])


def enclosing_levels(density: np.ndarray, fractions: Sequence[float]) -> list[float]:
    """Return for each fraction the largest density such that the cells of at least it hold the fraction of the sum.

    Args:
        density: not negative, any shape.
        fractions: decreasing, in (0, 1).
    """
    ordered = np.sort(density, axis=None)[::-1]
    cumulative = np.cumsum(ordered) / ordered.sum()
    return [float(ordered[np.searchsorted(cumulative, fraction)]) for fraction in fractions]
