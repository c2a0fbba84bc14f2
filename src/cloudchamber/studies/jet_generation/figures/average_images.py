"""Average images of aligned jets: where their prongs lie, in truth, models and their difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.figures.colours import signed_bar, signed_norm
from cloudchamber.figures.images import average_image, draw_image
from cloudchamber.figures.inputs import first_samplers, models_of, read_truth
from cloudchamber.figures.labels import count, counts, wrapped
from cloudchamber.figures.planes import ALIGNED, planes
from cloudchamber.jets.alignment import aligned
from cloudchamber.settings.entries import need

__all__ = ["JetImages", "average_images", "draw_average_images", "read_images"]

CAPTIONS = {
    "average_images": (
        "Average images of aligned jets: each jet is mapped so that its three exclusive-kT prongs lie at the "
        "corners of a triangle, the hardest above, the second to the right, the third to the left; the unit of "
        "the axes is the distance of the corners from the centre. Jets whose prongs lie nearly on a line are left out; "
        "how many are kept stands above each image and belongs to the comparison. Any jet can be aligned: "
        "prongs are there if they are as narrow as those of truth. Colour: the sum of the relative "
        "transverse momentum in each pixel, averaged over the kept jets, all on one scale. The models are "
        "drawn with the sampler that the settings name first, all seeds together. Below: the difference to "
        "the test part of truth, on one scale that is linear around zero and logarithmic outside; minus signs "
        "mark negative pixels. The training part of truth shows what differences statistics alone makes. The "
        "heading gives the numbers of jets."
    ),
}

# Most images side by side; more go into further blocks.
_COLUMNS = 7
_PIXELS = 32
# Half the width of the images, in units of the distance of the prongs from their centre.
_REACH = 1.8


@final
@dataclass(frozen=True)
class JetImages:
    """Average images of several samples of jets.

    Attributes:
        title: what was compared.
        edges: (K + 1,) edges of the pixels in both aligned coordinates.
        images: label -> (K, K) mean sum of pt_rel per pixel and kept jet. The first is the reference, the second an
            independent sample of truth.
        kept: share of the jets of each sample whose prongs make a triangle.
        n_jets: jets of each sample.
    """

    title: str
    edges: np.ndarray
    images: Mapping[str, np.ndarray]
    kept: tuple[float, ...]
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
    samples = {"truth (test part)": [truth.part("test")], "truth (training part)": [truth.part("train")]}
    for model in first_samplers(models_of(files)):
        samples[model.label] = [read_clouds(need(entry, "clouds")) for entry in model.entries]
    edges = np.linspace(-_REACH, _REACH, _PIXELS + 1)
    images, kept, n_jets = {}, [], []
    for label, parts in samples.items():
        turned = [aligned(part) for part in parts]
        weight = sum(_weight(jets) for jets in turned)
        # The mean over no jets is not a number.
        sums = [_weight(jets) * average_image(jets, edges, jets.event_weight) for jets in turned if len(jets)]
        images[label] = sum(sums, np.zeros((_PIXELS, _PIXELS))) / (weight or 1.0)
        kept.append(weight / sum(_weight(part) for part in parts))
        n_jets.append(sum(len(part) for part in parts))
    return JetImages(need(files, "title"), edges, images, tuple(kept), tuple(n_jets))


def _weight(jets: Clouds) -> float:
    """Return the number of jets, or the sum of their event weights."""
    return float(len(jets) if jets.event_weight is None else jets.event_weight.sum(dtype=np.float64))


def average_images(data: JetImages) -> Figure:
    """Draw the average images on one colour scale, and below them their differences to the reference on another."""
    blocks = -(-len(data.images) // _COLUMNS)
    columns = -(-len(data.images) // blocks)
    figure = Figure(figsize=(1.9 * columns + 1.6, 4.6 * blocks + 0.3), layout="compressed")
    axes = planes(figure, 2 * blocks, columns, data.edges[-1], block=2, labels=ALIGNED)
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
    # A square root shows what lies around the prongs without making it as bright as they are.
    # Where no jet can be aligned, all are zero.
    levels = PowerNorm(0.5, 0.0, max(float(image.max()) for image in data.images.values()) or 1.0)
    largest = max(float(np.abs(image - first).max()) for image in others)
    differences = signed_norm(largest, 0.03)
    named = zip(data.images.items(), data.kept, strict=True)
    for ((label, image), kept), (upper, lower) in zip(named, places, strict=False):
        upper.set_title(f"{wrapped(label)}\n{kept:.0%} of the jets")
        shown = draw_image(upper, image, data.edges, norm=levels, cmap="cividis")
        change = draw_image(lower, image - first, data.edges, norm=differences, cmap="PuOr_r")
        if image is first:
            lower.text(0.5, 0.5, "reference of\nthe differences", transform=lower.transAxes, ha="center", va="center")
        else:
            _mark_negative(lower, data.edges, image - first, differences.linthresh)
    return shown, change


def _mark_negative(axis: Axes, edges: np.ndarray, difference: np.ndarray, limit: float) -> None:
    """Put a minus sign on pixels below -``limit``, since the two dark ends of the colours look alike in grey."""
    centres = 0.5 * (edges[1:] + edges[:-1])
    x, y = np.nonzero(difference < -limit)
    axis.plot(centres[x], centres[y], marker="_", markersize=2.2, markeredgewidth=0.6, color="white", linestyle="")
