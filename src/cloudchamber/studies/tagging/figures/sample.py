"""The jets that taggers learn from: kinematics, numbers of towers and average images of each class."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.figures.histograms import OVERFLOW_NOTE, Histogram, draw_histograms, integer_edges
from cloudchamber.figures.images import average_image, draw_image
from cloudchamber.figures.inputs import angular_reach
from cloudchamber.figures.labels import axis_label, counts, told_apart, wrapped
from cloudchamber.figures.looks import GREY, looks
from cloudchamber.figures.planes import planes
from cloudchamber.jets.features import LABELS, Label
from cloudchamber.jets.kinematics import has_momentum
from cloudchamber.metrics.resampling import Sample
from cloudchamber.settings.entries import need

__all__ = [
    "draw_images",
    "draw_jets",
    "jets_of_classes",
    "tagging_images",
    "tagging_jets",
    "turned",
    "weighted_histogram",
]

CAPTIONS = {
    "jets": (
        "Jets that the taggers are trained and tested with: mass and transverse momentum of each class as simulated "
        "(with the weights of their events, if any) and with the weights that make them flat, where settings ask for "
        "these, constituents per jet and pseudorapidity, weighted. This is an own sample after the idea of arXiv "
        "2202.00723, not the sample of that paper."
    ),
    "images": (
        "Mean of the transverse momentum per pixel of the jets of each class. Above: as the jets lie. Below: each "
        "turned so that the direction along which its momentum spreads most is horizontal, and mirrored so that its "
        "hardest constituent lies at the upper right. Own sample, not that of arXiv 2202.00723."
    ),
}

_BINS = 16
_PIXELS = 40
_DECADES = 3.5
_FLAT_WIDTH = 3.0
_CONSTITUENTS = Label(r"$N_\mathrm{constituents}$")
_ETA = Label(r"$\eta_\mathrm{jet}$")


def draw_jets(files: Mapping[str, Any]) -> Figure:
    """Draw jet mass, pT and multiplicity of the classes."""
    return tagging_jets(read_clouds(need(files, "jets"), weighted=True), need(files, "title"))


def draw_images(files: Mapping[str, Any]) -> Figure:
    """Draw average images of the classes."""
    return tagging_images(read_clouds(need(files, "jets"), weighted=True), need(files, "title"))


def jets_of_classes(jets: Clouds) -> dict[str, Clouds]:
    """Return the jets of each class by its title, in the order of ``meta["classes"]``.

    Raises:
        InputError: a class has no jets.
    """
    titles = told_apart(
        {str(entry.get("name", number)): entry["title"] for number, entry in enumerate(jets.meta["classes"])}
    )
    classes = {title: jets[jets.label("class") == number] for number, title in enumerate(titles.values())}
    for title, of_class in classes.items():
        if not len(of_class):
            raise InputError(f"no jets of class '{title}'")
    return classes


def weighted_histogram(values: np.ndarray, weights: np.ndarray, edges: np.ndarray) -> Histogram:
    """Return the fractions of the weight per bin; what lies beyond the edges counts in the first and last bin.

    Args:
        values, weights: (N,) one entry per jet.
        edges: (K + 1,).
    """
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    total = weights.sum(dtype=np.float64)
    entries, sums, squares = (np.bincount(bins, weights**power, len(edges) - 1) for power in (0.0, 1.0, 2.0))
    fractions = sums / total
    # Spread of the jets about the ratio of sums, as for histograms without weights.
    variances = squares * (1 - 2 * fractions) + fractions**2 * squares.sum()
    return Histogram(edges, entries, fractions, np.sqrt(variances) / total)


def tagging_jets(jets: Clouds, title: str) -> Figure:
    """Draw mass and pT of each class before and after weighting, and, weighted, its towers per jet and eta.

    Args:
        jets: points pt_rel, eta_rel and phi_rel, features jet_mass, jet_pt, jet_eta, n_constituents and weight, label
            class; ``meta`` has "classes", each with a "title", and "windows" of jet_mass, jet_pt and jet_eta.
        title: what the jets are.

    Raises:
        InputError: a column is missing, or a class has no jets.
    """
    classes = jets_of_classes(jets)
    look = looks(list(classes), [])
    figure = Figure(figsize=(11.5, 7.0), layout="constrained")
    axes = figure.subplots(2, 3)
    for column, name in enumerate(("jet_mass", "jet_pt")):
        low, high = jets.meta["windows"][name]
        edges = np.linspace(low, high, _BINS + 1)
        for axis, weighted in zip(axes[:, column], (False, True), strict=True):
            axis.axhline(1 / _BINS, color=GREY, linewidth=_FLAT_WIDTH)
            _panel(axis, classes, name, edges, weighted)
            axis.set_xlabel(axis_label(LABELS[name]))
            axis.set_title("weighted" if weighted else "as simulated, without weights")
    towers = integer_edges(Sample.of_jets(jets.feature("n_constituents")), [])
    _panel(axes[0, 2], classes, "n_constituents", towers, True)
    low, high = jets.meta["windows"]["jet_eta"]
    _panel(axes[1, 2], classes, "jet_eta", np.linspace(low, high, _BINS + 1), True)
    for axis, label in zip(axes[:, 2], (_CONSTITUENTS, _ETA), strict=True):
        axis.set_xlabel(axis_label(label))
        axis.set_title("weighted")
    for axis in axes[:, 0]:
        axis.set_ylabel("fraction of jets per bin")
    handles = [Line2D([], [], color=GREY, linewidth=_FLAT_WIDTH, label="flat")]
    handles += [Line2D([], [], color=look[name].color, linestyle=look[name].linestyle, label=name) for name in classes]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=len(handles), title=OVERFLOW_NOTE, title_fontsize=8
    )
    figure.suptitle(f"{title}: {counts([len(of_class) for of_class in classes.values()])} jets per class")
    return figure


def _panel(axis: Axes, classes: dict[str, Clouds], name: str, edges: np.ndarray, weighted: bool) -> None:
    look = looks(list(classes), [])
    drawn = []
    for title, jets in classes.items():
        of_events = np.ones(len(jets)) if jets.event_weight is None else jets.event_weight
        weights = jets.feature("weight") if weighted else of_events
        drawn.append((look[title], weighted_histogram(jets.feature(name), weights, edges)))
    draw_histograms(axis, None, drawn, error_bars=True)
    axis.set_xlim(edges[0], edges[-1])
    axis.set_ylim(0.0, 1.15 * max(float((item.fractions + item.errors).max()) for _, item in drawn))


def turned(jets: Clouds) -> Clouds:
    """Return jets turned about their axis: the direction along which their pT spreads most becomes the eta axis.

    They are mirrored so that the hardest particle has positive coordinates.
    """
    mask = has_momentum(jets)
    eta, phi, pt = (np.where(mask, jets.point(name), 0.0) for name in ("eta_rel", "phi_rel", "pt_rel"))
    moments = [(pt * product).sum(axis=1) for product in (eta * eta, phi * phi, eta * phi)]
    angle = 0.5 * np.arctan2(2 * moments[2], moments[0] - moments[1])[:, None]
    along, across = (np.cos(angle) * eta + np.sin(angle) * phi, np.cos(angle) * phi - np.sin(angle) * eta)
    hardest = (np.arange(len(jets)), pt.argmax(axis=1))
    along, across = (values * np.where(values[hardest] < 0, -1.0, 1.0)[:, None] for values in (along, across))
    points = jets.points.copy()
    names = [column.name for column in jets.point_columns]
    points[..., names.index("eta_rel")], points[..., names.index("phi_rel")] = along, across
    return replace(jets, points=points)


def tagging_images(jets: Clouds, title: str) -> Figure:
    """Draw the average image of each class, weighted: above as the jets lie, below turned to their longest direction.

    Args:
        jets: as for :func:`tagging_jets`.
        title: what the jets are.

    Raises:
        InputError: a column is missing, or a class has no jets.
    """
    classes = jets_of_classes(jets)
    reach = angular_reach(jets)
    edges = np.linspace(-reach, reach, _PIXELS + 1)
    images = np.array(
        [
            [average_image(shown, edges, shown.feature("weight")) for shown in (of_class, turned(of_class))]
            for of_class in classes.values()
        ]
    )
    floor = images.max() * 10**-_DECADES
    levels = LogNorm(floor, images.max())
    figure = Figure(figsize=(1.75 * len(classes) + 1.4, 4.5), layout="compressed")
    axes = planes(figure, 2, len(classes), reach)
    for column, (name, pair) in enumerate(zip(classes, images, strict=True)):
        for axis, image in zip(axes[:, column], pair, strict=True):
            shown = draw_image(axis, np.maximum(image, floor), edges, norm=levels, cmap="cividis")
        axes[0, column].set_title(wrapped(name))
    axes[1, 0].set_ylabel(r"$\phi^\prime$ [rad], turned")
    for axis in axes[1]:
        axis.set_xlabel(r"$\eta^\prime$")
    figure.colorbar(shown, ax=list(axes.flat), label=r"mean $p_\mathrm{T}^\mathrm{rel}$ per pixel")
    figure.suptitle(f"{title}: {counts([len(of_class) for of_class in classes.values()])} jets per class")
    return figure
