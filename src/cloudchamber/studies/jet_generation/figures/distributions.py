"""Distributions of features of jets and particles: truth with its band, every model, and the ratio to truth."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from cloudchamber.figures.histograms import (
    OVERFLOW_NOTE,
    Histogram,
    bin_edges,
    draw_histograms,
    draw_ratios,
    histogram,
    integer_edges,
    legend_handles,
)
from cloudchamber.figures.inputs import Distributions, read_distributions
from cloudchamber.figures.labels import axis_label, counts
from cloudchamber.figures.legends import legend_below
from cloudchamber.jets.features import LABELS, PARTICLE_FEATURES

__all__ = ["draw_jet_features", "draw_particle_features", "draw_substructure", "feature_distributions"]

CAPTIONS = {
    "jet_features": (
        "Mass and transverse momentum of the jets in GeV, the transverse momentum of the sum of the particles "
        "in units of that of the whole jet, and the number of particles. Filled: true jets of the test part, "
        "with a hatched band of their statistical uncertainty. Lines: the models, each with the sampler that "
        "the settings name first, all seeds together. Below: the ratio to truth, on a logarithmic axis that "
        "is chosen for each panel. The heading gives the numbers of jets, and like how many equal ones true "
        "jets count that have event weights. The first and last bin hold what lies beyond the axis, which is "
        "why poor models end in spikes; linear axes follow the peak of truth, and higher spikes leave them. The "
        "statistical uncertainty of the models is about that of truth and not drawn."
    ),
    "particle_features": (
        "Transverse momentum of the particles relative to the jet, and their pseudorapidity and azimuth "
        "relative to the jet axis, all particles of all jets together. Filled: true jets of the test part, "
        "with a hatched band of their statistical uncertainty, which takes into account that the particles of "
        "a jet are not independent. Lines: the models, each with the sampler that the settings name first, "
        "all seeds together. Below: the ratio to truth. The first and last bin hold what lies beyond the "
        "axis. The baseline of independent particles is right here by construction."
    ),
    "substructure": (
        "N-subjettiness ratios tau21 and tau32 (exclusive-kT axes, beta = 1) and the energy correlation ratio "
        "D2 (beta = 1, on a logarithmic axis) of the jets. Filled: true jets of the test part, with a hatched "
        "band of their statistical uncertainty. Lines: the models, each with the sampler that the settings "
        "name first, all seeds together. Below: the ratio to truth. The first and last bin hold what lies "
        "beyond the axis, jets of too few particles included, whose values are zero; what is higher than truth "
        "by more than half may leave the panel."
    ),
}

_WHOLE_NUMBERS = ("multiplicity",)
_LOGARITHMIC_X = ("pt_rel", "d2")
_LOGARITHMIC_Y = ("pt_rel", "multiplicity", "jet_pt_rel")
# Of models, on a linear axis, in heights of truth.
_HIGHEST = 1.5


def draw_jet_features(files: Mapping[str, Any]) -> Figure:
    """Draw mass, pT and multiplicity of jets."""
    return _drawn(files, "jet_mass", "jet_pt", "jet_pt_rel", "multiplicity")


def draw_particle_features(files: Mapping[str, Any]) -> Figure:
    """Draw the coordinates of particles relative to their jet."""
    return _drawn(files, "pt_rel", "eta_rel", "phi_rel")


def draw_substructure(files: Mapping[str, Any]) -> Figure:
    """Draw N-subjettiness ratios and D2."""
    return _drawn(files, "tau21", "tau32", "d2")


def _drawn(files: Mapping[str, Any], *features: str) -> Figure:
    return feature_distributions(read_distributions(files, features), features)


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
    figure.suptitle(f"{data.title}: {data.truth.size}, {generated} generated jets per model")
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
        upper.set_ylim(0.0, _top(reference, [model for _, model in models]))
    upper.set_xlim(edges[0], edges[-1])
    upper.set_ylabel(f"fraction of {'particles' if feature in PARTICLE_FEATURES else 'jets'} per bin")
    lower.set_ylabel("ratio")
    lower.set_xlabel(axis_label(LABELS[feature]))


def _top(reference: Histogram, models: Sequence[Histogram]) -> float:
    """Return the end of a linear axis: for the peaks of truth and of models, as far as these are not much higher.

    What models have beyond the edges does not count: it would press truth to the bottom of the panel.
    """
    peak = float((reference.fractions + reference.errors).max())
    inside = max((float(model.fractions[1:-1].max(initial=0.0)) for model in models), default=0.0)
    return 1.05 * max(peak, min(inside, _HIGHEST * peak))
