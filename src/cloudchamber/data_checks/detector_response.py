"""The simulated detector against real Delphes: features of tower jets of the same process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from cloudchamber.cloud import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.figures.histograms import (
    OVERFLOW_NOTE,
    bin_edges,
    chi_squared,
    draw_histograms,
    draw_ratios,
    histogram,
    integer_edges,
    legend_handles,
)
from cloudchamber.figures.labels import axis_label, count
from cloudchamber.figures.style import looks
from cloudchamber.jets.features import LABELS, Label
from cloudchamber.jets.observable_file import read_observables
from cloudchamber.metrics.resampling import Sample
from cloudchamber.settings.entries import entries, need

__all__ = ["Response", "detector_response", "draw_detector_response", "read_responses"]

CAPTIONS = {
    "detector_response": (
        "Jets clustered from calorimeter towers, after the detector simulated here and after real Delphes "
        "with its ATLAS card, for the same process in independent events. Filled: Delphes, with a hatched "
        "band of its statistical uncertainty. Line with bars: the detector simulated here, with its "
        "statistical uncertainty. Below: the ratio of it to Delphes. Chi squared tests whether both "
        "histograms come from one distribution; neighbouring bins with few jets are merged and jets are taken "
        "as independent. Where no file of real Delphes is there, the panel says so. The first and last bin "
        "hold what lies beyond the axis."
    ),
}

_FEATURES: Mapping[str, Label] = {
    "jet_pt": Label(r"$p_\mathrm{T}^\mathrm{jet}$", "GeV"),
    "jet_mass": Label(r"$m_\mathrm{jet}$", "GeV"),
    "n_constituents": Label(r"$N_\mathrm{constituents}$"),
    "tau21": LABELS["tau21"],
    "tau32": LABELS["tau32"],
}
_OF_CLOUDS = ("jet_pt", "jet_mass", "n_constituents")
_OWN = looks(["own"], [])["own"]


def draw_detector_response(files: Mapping[str, Any]) -> Figure:
    """Draw the simulated detector against real Delphes."""
    return detector_response(read_responses(files))


@final
@dataclass(frozen=True)
class Response:
    """Features of jets of one process: after the detector simulated here and, where there is a file, after Delphes."""

    title: str
    own: Mapping[str, Sample]
    real: Mapping[str, Sample] | None


def read_responses(files: Mapping[str, Any]) -> list[Response]:
    """Read the jets of each process.

    Args:
        files: "processes", each with "title", "own" and "real": "clouds" and "observables", or None for "real".

    Raises:
        InputError: a file cannot be used, or clouds and observables do not belong together.
        SettingsError: a key is missing, or there is no process.
    """
    return [
        Response(
            process["title"],
            _read(process["own"]),
            _read(process["real"]) if process["real"] else None,
        )
        for process in entries(files, "processes", ("title", "own", "real"))
    ]


def _read(files: Mapping[str, str]) -> dict[str, Sample]:
    clouds, (observables, _) = read_clouds(need(files, "clouds")), read_observables(need(files, "observables"))
    for name in set(_FEATURES) - set(_OF_CLOUDS):
        if len(observables.get(name, ())) != len(clouds):
            raise InputError(f"{files['observables']}: no '{name}' for the {len(clouds)} jets of {files['clouds']}")
    return {
        name: Sample.of_jets(clouds.feature(name) if name in _OF_CLOUDS else observables[name]) for name in _FEATURES
    }


def detector_response(responses: Sequence[Response]) -> Figure:
    """Draw one row per process and one panel per feature, with the ratio of own to real jets below.

    The bars are statistical uncertainties of own jets, the band those of real ones. The chi squared tests whether both
    have one parent distribution.
    """
    figure = Figure(figsize=(2.9 * len(_FEATURES), 4.3 * len(responses) + 0.6), layout="constrained")
    rows = figure.subfigures(len(responses), 1, squeeze=False)[:, 0]
    for row, response in zip(rows, responses, strict=True):
        axes = row.subplots(2, len(_FEATURES), sharex="col", height_ratios=(3, 1))
        for (upper, lower), name in zip(axes.T, _FEATURES, strict=True):
            _panel(upper, lower, response, name)
        axes[0, 0].set_ylabel("fraction of jets per bin")
        axes[1, 0].set_ylabel("ratio")
        real = f"{count(response.real['jet_pt'].n_jets)} after Delphes" if response.real else "no file of Delphes"
        row.suptitle(f"{response.title}: {count(response.own['jet_pt'].n_jets)} jets after our detector, {real}")
    handles = legend_handles("Delphes, ATLAS card", [("our detector, after the same card", _OWN)])
    figure.legend(
        handles=handles, loc="outside lower center", ncols=len(handles), title=OVERFLOW_NOTE, title_fontsize=8
    )
    return figure


def _panel(upper: Axes, lower: Axes, response: Response, name: str) -> None:
    own = response.own[name]
    samples = [response.real[name], own] if response.real else [own]
    edges = integer_edges(samples[0], samples[1:]) if name == "n_constituents" else bin_edges(samples[0], samples[1:])
    of_own = histogram(own, edges)
    reference = histogram(samples[0], edges) if response.real else None
    draw_histograms(upper, reference, [(_OWN, of_own)], error_bars=True)
    top = max(float(item.fractions.max()) for item in (of_own, reference) if item)
    upper.set_ylim(0.0, 1.3 * top)
    if reference is None:
        lower.text(0.5, 0.5, "no file of Delphes", transform=lower.transAxes, ha="center", va="center")
        lower.yaxis.set_major_locator(NullLocator())
        lower.yaxis.set_minor_locator(NullLocator())
    else:
        value, freedom = chi_squared(of_own.counts, reference.counts)
        note = rf"$\chi^2$ / dof = {value:.1f} / {freedom}"
        upper.text(0.95, 0.95, note, transform=upper.transAxes, ha="right", va="top")
        draw_ratios(lower, reference, [(_OWN, of_own)], error_bars=True)
    upper.set_xlim(edges[0], edges[-1])
    lower.set_xlabel(axis_label(_FEATURES[name]))
