"""Average jet images: where the transverse momentum of the jets lies, in truth, models and their difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from cloudchamber.cloud import read_clouds
from cloudchamber.figures.colours import signed_bar, signed_norm
from cloudchamber.figures.images import average_image, draw_image
from cloudchamber.figures.inputs import angular_reach, first_samplers, models_of, read_truth
from cloudchamber.figures.labels import count, counts, wrapped
from cloudchamber.figures.planes import planes
from cloudchamber.settings.entries import need

__all__ = ["JetImages", "average_images", "draw_average_images", "read_images"]

CAPTIONS = {
    "average_images": (
        "Average jet images: the sum of the relative transverse momentum in each pixel, averaged over jets; "
        "all on one logarithmic colour scale, on which empty pixels have the darkest colour. The models are "
        "drawn with the sampler that the settings name first, all seeds together. Below: the difference to "
        "the test part of truth, on one scale that is linear around zero and logarithmic outside; minus signs "
        "mark negative pixels. The training part of truth shows what differences statistics alone makes. The "
        "heading gives the numbers of jets."
    ),
}

# Most images side by side; more go into further blocks.
_COLUMNS = 7
_PIXELS = 32
_DECADES = 4


@final
@dataclass(frozen=True)
class JetImages:
    """Average images of several samples of jets.

    Attributes:
        title: what was compared.
        edges: (K + 1,) edges of the pixels in eta_rel and in phi_rel.
        images: label -> (K, K) mean sum of pt_rel per pixel and jet, first axis eta_rel. The first is the reference,
            the second an independent sample of truth.
        n_jets: jets behind each image.
    """

    title: str
    edges: np.ndarray
    images: Mapping[str, np.ndarray]
    n_jets: tuple[int, ...]


def draw_average_images(files: Mapping[str, Any]) -> Figure:
    """Draw the average images of truth and models."""
    return average_images(read_images(files))


def read_images(files: Mapping[str, Any]) -> JetImages:
    """Read the images of truth and of each model with its first sampler, all seeds together.

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing.
    """
    truth = read_truth(files, weighted=True)
    reach = angular_reach(truth)
    edges = np.linspace(-reach, reach, _PIXELS + 1)
    images, n_jets = {}, []
    for label, part in (("truth (test part)", "test"), ("truth (training part)", "train")):
        jets = truth.part(part)
        images[label] = average_image(jets, edges, jets.event_weight)
        n_jets.append(len(jets))
    for model in first_samplers(models_of(files)):
        total, jets_of_model = np.zeros((_PIXELS, _PIXELS)), 0
        for entry in model.entries:
            clouds = read_clouds(need(entry, "clouds"))
            total += average_image(clouds, edges) * len(clouds)
            jets_of_model += len(clouds)
        images[model.label] = total / jets_of_model
        n_jets.append(jets_of_model)
    return JetImages(need(files, "title"), edges, images, tuple(n_jets))


def average_images(data: JetImages) -> Figure:
    """Draw the average images on one colour scale, and below them their differences to the reference on another."""
    blocks = -(-len(data.images) // _COLUMNS)
    columns = -(-len(data.images) // blocks)
    figure = Figure(figsize=(1.9 * columns + 1.6, 4.6 * blocks + 0.3), layout="compressed")
    axes = planes(figure, 2 * blocks, columns, data.edges[-1], block=2)
    # Places of the images, block by block, each with that of its difference below.
    places = axes.reshape(blocks, 2, columns).swapaxes(1, 2).reshape(-1, 2)
    images, changes = _draw(places, data)
    for block in range(blocks):
        figure.colorbar(images, ax=list(axes[2 * block]), label=r"mean $p_\mathrm{T}^\mathrm{rel}$ per pixel")
        signed_bar(figure, changes, list(axes[2 * block + 1]), "difference to truth")
    for axis in places[len(data.images) :].flat:
        axis.set_visible(False)
    generated = counts(list(data.n_jets[2:]))
    figure.suptitle(f"{data.title}: {count(data.n_jets[0])} true jets, {generated} generated jets per model")
    return figure


def _draw(places: np.ndarray, data: JetImages) -> tuple[AxesImage, AxesImage]:
    """Draw each image above its difference to the first and return one of each, for the colour bars."""
    first, *others = data.images.values()
    highest = max(float(image.max()) for image in data.images.values())
    lowest = highest * 10.0**-_DECADES
    levels = LogNorm(lowest, highest)
    largest = max(float(np.abs(image - first).max()) for image in others)
    differences = signed_norm(largest, 0.03 * largest)
    for (label, image), (upper, lower) in zip(data.images.items(), places, strict=False):
        upper.set_title(wrapped(label))
        shown = draw_image(upper, np.maximum(image, lowest), data.edges, norm=levels, cmap="cividis")
        change = draw_image(lower, image - first, data.edges, norm=differences, cmap="PuOr_r")
        if image is first:
            lower.text(0.5, 0.5, "reference of\nthe differences", transform=lower.transAxes, ha="center", va="center")
        else:
            _mark_negative(lower, data.edges, image - first, differences.linthresh)
    return shown, change


def _mark_negative(axis: Axes, edges: np.ndarray, difference: np.ndarray, limit: float) -> None:
    """Put a minus sign on pixels below -``limit``, since the two dark ends of the colours look alike in grey."""
    centres = 0.5 * (edges[1:] + edges[:-1])
    eta, phi = np.nonzero(difference < -limit)
    axis.plot(centres[eta], centres[phi], marker="_", markersize=2.2, markeredgewidth=0.6, color="white", linestyle="")
