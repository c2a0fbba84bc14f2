"""Distributions of features of jets and particles: truth with its band, every model, and the ratio to truth."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from cloudchamber.figures.histograms import (
    OVERFLOW_NOTE,
    bin_edges,
    draw_histograms,
    draw_ratios,
    histogram,
    integer_edges,
)
from cloudchamber.figures.inputs import Distributions
from cloudchamber.figures.labels import axis_label, count, counts
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.style import GREY, TRUTH, Look
from cloudchamber.jets.observables import LABELS, PARTICLE_FEATURES

__all__ = ["feature_distributions", "legend_handles"]

_WHOLE_NUMBERS = ("multiplicity",)
_LOGARITHMIC_X = ("pt_rel", "d2")
_LOGARITHMIC_Y = ("pt_rel", "multiplicity", "jet_pt_rel")


def feature_distributions(data: Distributions, features: Sequence[str]) -> Figure:
    """Draw one panel per feature, with the ratio to truth below.

    Args:
        data: values of truth and of the models.
        features: which of them, from left to right.
    """
    figure = Figure(figsize=(3.5 * len(features), 4.9), layout="constrained")
    axes = figure.subplots(2, len(features), sharex="col", height_ratios=(3, 1), squeeze=False)
    for (upper, lower), feature in zip(axes.T, features, strict=True):
        _panel(upper, lower, data, feature)
    figure.align_ylabels(axes[:, 0])
    generated = counts([series.n_jets for series in data.models])
    figure.suptitle(f"{data.title}: {count(data.truth.n_jets)} true jets, {generated} generated jets per model")
    handles = legend_handles(data.truth.label, [(series.label, series.look) for series in data.models])
    legend_below(figure, handles, title=OVERFLOW_NOTE, title_fontsize=8)
    return figure


def _panel(upper: Axes, lower: Axes, data: Distributions, feature: str) -> None:
    truth, others = data.truth.values[feature], [series.values[feature] for series in data.models]
    if feature in _WHOLE_NUMBERS:
        edges = integer_edges(truth, others)
    else:
        edges = bin_edges(truth, others, feature in _LOGARITHMIC_X)
    reference = histogram(truth, edges)
    models = [(series.look, histogram(series.values[feature], edges)) for series in data.models]
    draw_histograms(upper, reference, models)
    draw_ratios(lower, reference, models)
    if feature in _LOGARITHMIC_X:
        upper.set_xscale("log")
        lower.xaxis.set_major_locator(LogLocator(subs=(1.0,) if edges[-1] > 100 * edges[0] else (1.0, 2.0, 5.0)))
        lower.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        lower.xaxis.set_minor_formatter(NullFormatter())
    if feature in _LOGARITHMIC_Y:
        upper.set_yscale("log")
        upper.set_ylim(bottom=0.3 * reference.fractions[reference.fractions > 0].min())
    else:
        upper.set_ylim(bottom=0.0)
    upper.set_xlim(edges[0], edges[-1])
    upper.set_ylabel(f"fraction of {'particles' if feature in PARTICLE_FEATURES else 'jets'} per bin")
    lower.set_ylabel("ratio")
    lower.set_xlabel(axis_label(LABELS[feature]))


def legend_handles(truth: str, models: Sequence[tuple[str, Look]]) -> list[Line2D | Patch]:
    """Return the entries of a legend: truth filled, with its statistical band, then the lines of the models."""
    handles: list[Line2D | Patch] = [
        Patch(facecolor=GREY, edgecolor=TRUTH.color, label=truth),
        Patch(
            facecolor="none", edgecolor="#707070", hatch="//////", linewidth=0.0, label="its statistical uncertainty"
        ),
    ]
    handles += [Line2D([], [], color=look.color, linestyle=look.linestyle, label=label) for label, look in models]
    return handles
