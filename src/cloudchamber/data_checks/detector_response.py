"""The simulated detector against real Delphes: features of tower jets of the same process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from cloudchamber.data_checks.delphes_counts import stored_counts
from cloudchamber.data_checks.tower_jets import FEATURES, edges_of, read_jets
from cloudchamber.figures.histograms import (
    OVERFLOW_NOTE,
    Histogram,
    chi_squared,
    draw_histograms,
    draw_ratios,
    histogram,
    legend_handles,
)
from cloudchamber.figures.labels import axis_label, count
from cloudchamber.figures.looks import looks
from cloudchamber.metrics.resampling import Sample
from cloudchamber.settings.entries import entries, need

__all__ = ["Reference", "Response", "detector_response", "draw_detector_response", "read_responses"]

CAPTIONS = {
    "detector_response": (
        "Jets clustered from calorimeter towers, after the detector simulated here and after real Delphes (of its "
        "ATLAS card, unless your files are of another), for the same process in independent events. Filled: Delphes, "
        "with a hatched band of its statistical uncertainty, the square root of the counts. The heading of each row "
        "says how many jets there are, and whether those after Delphes were read from files or are counts that the "
        "package holds. Stored counts are shown where process and selection are those of the settings; where they are "
        "not, the panel says so. Line with bars: the detector simulated here, with its statistical uncertainty. Below: "
        "the ratio of it to Delphes. Chi squared tests whether both histograms come from one distribution; "
        "neighbouring bins with few jets are merged and jets are taken as independent. The first and last bin hold "
        "what lies beyond the axis, which the jets after Delphes decide."
    ),
}

_OWN = looks(["own"], [])["own"]


def draw_detector_response(files: Mapping[str, Any]) -> Figure:
    """Draw the simulated detector against real Delphes."""
    return detector_response(read_responses(files))


@final
@dataclass(frozen=True)
class Reference:
    """Jets after real Delphes.

    Attributes:
        histograms: of each feature.
        jets: how many.
        origin: where they are from, in words.
    """

    histograms: Mapping[str, Histogram]
    jets: int
    origin: str


@final
@dataclass(frozen=True)
class Response:
    """Jets of one process: after the detector simulated here, and after Delphes or why there are none, in words."""

    title: str
    own: Mapping[str, Sample]
    real: Reference | str

    @property
    def heading(self) -> str:
        own = f"{self.title}: {count(self.own['jet_pt'].n_jets)} jets after our detector"
        if isinstance(self.real, str):
            return f"{own}, none after Delphes"
        return f"{own}, {count(self.real.jets)} after Delphes ({self.real.origin})"


def read_responses(files: Mapping[str, Any]) -> list[Response]:
    """Read the jets of each process.

    Args:
        files: "processes", each with "name", "title", "own" and "real": "clouds" and "observables", or None for "real";
            and what stored counts have to be of: "physics" and "selection"
            (:mod:`cloudchamber.data_checks.delphes_counts`).

    Raises:
        InputError: a file cannot be used, or clouds and observables do not belong together.
        SettingsError: a key is missing, or there is no process.
    """
    keys = ("name", "title", "own", "real", "physics", "selection")
    return [
        Response(process["title"], _read(process["own"]), _reference(process))
        for process in entries(files, "processes", keys)
    ]


def _read(files: Mapping[str, str]) -> dict[str, Sample]:
    return read_jets(need(files, "clouds"), need(files, "observables"))


def _reference(process: Mapping[str, Any]) -> Reference | str:
    """Return the jets of real Delphes, read from a file where there is one, or why there are none."""
    if process["real"]:
        jets = _read(process["real"])
        made = {name: histogram(sample, edges_of(name, sample)) for name, sample in jets.items()}
        return Reference(made, jets["jet_pt"].n_jets, "read from files")
    stored = stored_counts(process["name"])
    if stored is None:
        return "no file of Delphes\nand no stored counts"
    for key, what in (("physics", "another process"), ("selection", "other jets")):
        if stored[key] != process[key]:
            return f"no file of Delphes;\nthe stored counts\nare of {what}"
    histograms = {
        name: Histogram.of_counts(np.array(item["edges"]), np.array(item["counts"], np.float64))
        for name, item in stored["histograms"].items()
    }
    return Reference(histograms, stored["jets"], "stored counts")


def detector_response(responses: Sequence[Response]) -> Figure:
    """Draw one row per process and one panel per feature, with the ratio of own to real jets below.

    The bars are statistical uncertainties of own jets, the band those of real ones. The chi squared tests whether both
    have one parent distribution.
    """
    figure = Figure(figsize=(2.9 * len(FEATURES), 4.3 * len(responses) + 0.6), layout="constrained")
    rows = figure.subfigures(len(responses), 1, squeeze=False)[:, 0]
    for row, response in zip(rows, responses, strict=True):
        axes = row.subplots(2, len(FEATURES), sharex="col", height_ratios=(3, 1))
        for (upper, lower), name in zip(axes.T, FEATURES, strict=True):
            _panel(upper, lower, response, name)
        axes[0, 0].set_ylabel("fraction of jets per bin")
        axes[1, 0].set_ylabel("ratio")
        row.suptitle(response.heading)
    handles = legend_handles("Delphes", [("our detector, after the ATLAS card", _OWN)])
    figure.legend(
        handles=handles, loc="outside lower center", ncols=len(handles), title=OVERFLOW_NOTE, title_fontsize=8
    )
    return figure


def _panel(upper: Axes, lower: Axes, response: Response, name: str) -> None:
    own = response.own[name]
    reference = None if isinstance(response.real, str) else response.real.histograms[name]
    edges = edges_of(name, own) if reference is None else reference.edges
    of_own = histogram(own, edges)
    draw_histograms(upper, reference, [(_OWN, of_own)], error_bars=True)
    top = max(float((item.fractions + item.errors).max()) for item in (of_own, reference) if item)
    upper.set_ylim(0.0, 1.1 * top)
    if isinstance(response.real, str):
        lower.text(0.5, 0.5, response.real, transform=lower.transAxes, ha="center", va="center", fontsize=8)
        lower.yaxis.set_major_locator(NullLocator())
        lower.yaxis.set_minor_locator(NullLocator())
    if reference is not None:
        value, freedom = chi_squared(of_own.counts, reference.counts)
        upper.set_title(rf"$\chi^2$ / dof = {value:.1f} / {freedom}", fontsize=9)
        draw_ratios(lower, reference, [(_OWN, of_own)], error_bars=True)
    upper.set_xlim(edges[0], edges[-1])
    lower.set_xlabel(axis_label(FEATURES[name]))
