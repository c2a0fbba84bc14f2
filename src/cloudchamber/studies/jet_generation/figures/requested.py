"""Whether models give what they are asked for: generated against requested jet mass and transverse momentum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.figures.images import draw_image
from cloudchamber.figures.inputs import read_truth
from cloudchamber.figures.labels import axis_label, counts, wrapped
from cloudchamber.jets.features import LABELS
from cloudchamber.jets.observable_file import read_observables_of
from cloudchamber.settings.entries import need
from cloudchamber.studies.jet_generation.figures.conditioning import partners

__all__ = ["Requests", "Response", "draw_requested", "read_requests", "requested", "response"]

CAPTIONS = {
    "requested": (
        "Whether models give what they are asked for: mass and transverse momentum of generated jets against the "
        "requested values, both in GeV. The dashed line is where both agree. In each panel r is Pearson's correlation, "
        "and below it stand the median of given over requested and half the distance between its 16th and 84th "
        "percentile. The first column is truth, where the sum of the kept particles stands against the whole jet: what "
        "padding leaves, and the best that a model can reach. Unconditional models do not know the requested mass; "
        "their transverse momentum follows the requested one since it is their unit. All seeds together. Axes reach "
        "from the lowest to the highest thousandth of truth; jets beyond them are not drawn and count in the numbers."
    ),
}

FEATURES = ("jet_mass", "jet_pt")
_COLUMNS = 7
_BINS = 48


def draw_requested(files: Mapping[str, Any]) -> Figure:
    """Draw what models give against what they are asked for."""
    return requested(read_requests(files), need(files, "title"))


@final
@dataclass(frozen=True)
class Requests:
    """Jets of one sample: what was asked for and what came.

    Attributes:
        label: the sample.
        asked, given: feature -> (N,) values in GeV.
    """

    label: str
    asked: Mapping[str, np.ndarray]
    given: Mapping[str, np.ndarray]

    @property
    def n_jets(self) -> int:
        return len(self.asked[FEATURES[0]])


@final
@dataclass(frozen=True)
class Response:
    """How well given values follow the ones that were asked for.

    Attributes:
        correlation: Pearson's, not a number where one side is constant.
        median: of given / asked.
        half_width: half the distance between the 16th and the 84th percentile of given / asked.
    """

    correlation: float
    median: float
    half_width: float


def response(asked: np.ndarray, given: np.ndarray) -> Response:
    """Return the response of (N,) given to (N,) asked values; a jet of one particle has no mass, and no ratio."""
    positive = asked > 0
    low, median, high = np.quantile(given[positive] / asked[positive], [0.16, 0.5, 0.84])
    varies = np.ptp(asked) > 0 and np.ptp(given) > 0
    correlation = float(np.corrcoef(asked, given)[0, 1]) if varies else float("nan")
    return Response(correlation, float(median), float(high - low) / 2)


def read_requests(files: Mapping[str, Any]) -> list[Requests]:
    """Read the test part of truth and both models of each pair, each with its first sampler, all seeds together.

    What truth was "asked for" is the whole jet, and what it gives is the sum of the kept particles.

    Raises:
        InputError: a file cannot be used, or clouds and observables do not belong together.
        SettingsError: a key is missing, or the pairs are not models.
    """
    truth = read_truth(files)
    rows = truth.indices["test"]
    samples = [_read("truth", [(truth, need(files, "truth"), need(files, "truth_observables"))], rows)]
    for pair in partners(files):
        for model, kind in zip(pair, ("unconditional", "conditional"), strict=True):
            # A title in brackets says what the model knows.
            label = model.label if "(" in model.label else f"{model.label} ({kind})"
            if label not in [sample.label for sample in samples]:
                paths = [(need(entry, "clouds"), need(entry, "observables")) for entry in model.entries]
                samples.append(_read(label, [(read_clouds(clouds), clouds, path) for clouds, path in paths]))
    return samples


def _read(label: str, entries: Sequence[tuple[Clouds, str, str]], rows: np.ndarray | None = None) -> Requests:
    asked: dict[str, list[np.ndarray]] = {name: [] for name in FEATURES}
    given: dict[str, list[np.ndarray]] = {name: [] for name in FEATURES}
    for clouds, source, path in entries:
        table, _ = read_observables_of(source, len(clouds), path)
        kept = np.arange(len(clouds)) if rows is None else rows
        for name in FEATURES:
            if name not in table:
                raise InputError(f"{path}: no '{name}' of the jets of {label}")
            asked[name].append(clouds.feature(name)[kept].astype(np.float64))
            given[name].append(table[name][kept])
    return Requests(label, *({name: np.concatenate(side[name]) for name in FEATURES} for side in (asked, given)))


def requested(data: Sequence[Requests], title: str) -> Figure:
    """Draw the density of generated against requested values, one column per sample, truth first.

    Args:
        data: truth, then the models.
        title: what was compared.
    """
    blocks = -(-len(data) // _COLUMNS)
    columns = -(-len(data) // blocks)
    figure = Figure(figsize=(2.15 * columns + 1.2, 5.2 * blocks + 0.5), layout="compressed")
    axes = figure.subplots(len(FEATURES) * blocks, columns, squeeze=False)
    # Places of the samples, block by block, each with those of its features below each other.
    places = axes.reshape(blocks, len(FEATURES), columns).swapaxes(1, 2).reshape(-1, len(FEATURES))
    # The lowest and highest values of truth decide the axes.
    limits = {name: _ends(np.concatenate([data[0].asked[name], data[0].given[name]])) for name in FEATURES}
    for number, (place, sample) in enumerate(zip(places, data, strict=False)):
        place[0].set_title(wrapped(sample.label, 20))
        for axis, name in zip(place, FEATURES, strict=True):
            shown = _density(axis, sample.asked[name], sample.given[name], limits[name])
            axis.set_xlabel(f"asked for: {axis_label(LABELS[name])}")
            if number % columns == 0:
                axis.set_ylabel(f"given: {axis_label(LABELS[name])}")
            axis.tick_params(labelleft=number % columns == 0)
    for axis in places[len(data) :].flat:
        axis.set_visible(False)
    figure.colorbar(shown, ax=axes, label="share of the jets per pixel", shrink=0.8, aspect=20 * blocks)
    generated = counts([sample.n_jets for sample in data[1:]])
    figure.suptitle(f"{title}: {counts([data[0].n_jets])} true jets, {generated} generated jets per model")
    return figure


def _ends(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [0.001, 0.999])
    return float(low), float(high)


def _short(value: float) -> str:
    """Return three decimal places, or three digits of what is so large that they would not fit."""
    return f"{value:.3f}" if value < 100 else f"{value:.3g}"


def _density(axis: Axes, asked: np.ndarray, given: np.ndarray, limits: tuple[float, float]) -> AxesImage:
    edges = np.linspace(*limits, _BINS + 1)
    shares = np.histogram2d(asked, given, bins=(edges, edges))[0] / len(asked)
    shown = draw_image(axis, np.where(shares > 0, shares, np.nan), edges, norm=LogNorm(1e-4, 1e-1), cmap="cividis")
    axis.plot(limits, limits, color="#D55E00", linewidth=0.8, linestyle=(0, (4.0, 2.0)))
    found = response(asked, given)
    axis.annotate(
        f"r = {found.correlation:.2f}\ngiven / asked:\n{_short(found.median)} ± {_short(found.half_width)}",
        (0.04, 0.96),
        xycoords="axes fraction",
        va="top",
        fontsize=7,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
    )
    axis.set_box_aspect(1.0)
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_locator(MaxNLocator(5))
    axis.minorticks_off()
    return shown
