"""A gallery of single clouds, drawn as they are: the first of each sample, not chosen ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.figure import Figure

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.figures.colours import lighter
from cloudchamber.figures.inputs import angular_reach, first_samplers, models_of, read_truth
from cloudchamber.figures.labels import axis_label, wrapped
from cloudchamber.figures.looks import TRUTH, Look
from cloudchamber.figures.planes import planes
from cloudchamber.jets.alignment import nearest_prong
from cloudchamber.jets.features import LABELS
from cloudchamber.jets.kinematics import has_momentum, jet_kinematics, momenta
from cloudchamber.jets.n_subjettiness import subjettiness, subjettiness_ratio
from cloudchamber.settings.entries import need

__all__ = ["DrawnJet", "Gallery", "GalleryRow", "cloud_gallery", "draw_cloud_gallery", "read_gallery"]

CAPTIONS = {
    "cloud_gallery": (
        "Single jets as they are: in each row the first six jets of the test part of truth, or of a model "
        "with its first sampler and seed; none were chosen by eye. The area of a marker is proportional to "
        "the relative transverse momentum of the particle, its shape says which of three exclusive-kT prongs is the "
        "nearest. Above each jet stand its mass and tau32, which is small where there are three prongs. Particles "
        "beyond the axes, of which there are few, are not drawn."
    ),
}

_COLUMNS = 6
# Hardest prong first: shapes, and shades that stay apart in grey.
_PRONGS = (("o", 0.0), ("s", 0.45), ("^", 0.8))
_PRONG_NAMES = ("hardest prong", "second", "third")
_AREA = 420.0


def draw_cloud_gallery(files: Mapping[str, Any]) -> Figure:
    """Draw single jets of truth and models."""
    return cloud_gallery(read_gallery(files))


@final
@dataclass(frozen=True)
class DrawnJet:
    """One jet: (n, 3) eta_rel, phi_rel and pt_rel of its particles, (n,) their prong, its mass [GeV] and tau32."""

    particles: np.ndarray
    prong: np.ndarray
    mass: float
    tau32: float


@final
@dataclass(frozen=True)
class GalleryRow:
    """The first jets of one sample."""

    label: str
    look: Look
    jets: tuple[DrawnJet, ...]


@final
@dataclass(frozen=True)
class Gallery:
    """Rows of jets, and half the width of the axes."""

    title: str
    rows: tuple[GalleryRow, ...]
    reach: float


def read_gallery(files: Mapping[str, Any]) -> Gallery:
    """Read the first jets of the test part of truth and of each model with its first sampler and seed.

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing.
    """
    truth = read_truth(files)
    reach = angular_reach(truth)
    rows = [GalleryRow("truth", TRUTH, _jets(truth[truth.indices["test"][:_COLUMNS]]))]
    for model in first_samplers(models_of(files)):
        clouds = read_clouds(need(model.entries[0], "clouds"))
        rows.append(GalleryRow(model.label, model.look, _jets(clouds[:_COLUMNS])))
    return Gallery(need(files, "title"), tuple(rows), reach)


def _jets(clouds: Clouds) -> tuple[DrawnJet, ...]:
    columns = np.stack([clouds.point(name) for name in ("eta_rel", "phi_rel", "pt_rel")], axis=2)
    real, prong = has_momentum(clouds), nearest_prong(clouds)
    mass = jet_kinematics(*momenta(clouds))[1] * clouds.feature("jet_pt")
    tau32 = subjettiness_ratio(subjettiness(*momenta(clouds)), 3)
    return tuple(
        DrawnJet(columns[jet][real[jet]], prong[jet][real[jet]], float(mass[jet]), float(tau32[jet]))
        for jet in range(len(clouds))
    )


def cloud_gallery(data: Gallery) -> Figure:
    """Draw one row of jets per sample; the area of a marker is proportional to the pt_rel of the particle."""
    figure = Figure(figsize=(1.55 * _COLUMNS + 1.0, 1.75 * len(data.rows) + 1.4), layout="compressed")
    axes = planes(figure, len(data.rows), _COLUMNS, data.reach)
    for axis_row, row in zip(axes, data.rows, strict=True):
        for axis, jet in zip(axis_row, row.jets, strict=False):
            for prong, (marker, lightness) in enumerate(_PRONGS):
                x, y, pt = jet.particles[jet.prong == prong].T
                color = lighter(row.look.color, lightness)
                axis.scatter(
                    x, y, s=_AREA * pt, marker=marker, color=color, edgecolor="black", linewidth=0.4, alpha=0.75
                )
            axis.set_title(f"{jet.mass:.0f} GeV, {jet.tau32:.2f}", fontsize="x-small", pad=2.0)
        axis_row[0].set_ylabel(f"{wrapped(row.label)}\n{axis_label(LABELS['phi_rel'])}")
    sizes = [
        axes[0, 0].scatter([], [], s=_AREA * size, color="#b0b0b0", edgecolor="black", linewidth=0.4, label=f"{size:g}")
        for size in (0.01, 0.05, 0.2)
    ]
    shapes = [
        axes[0, 0].scatter(
            [], [], s=40, marker=marker, color=lighter(TRUTH.color, lightness), edgecolor="black", label=name
        )
        for (marker, lightness), name in zip(_PRONGS, _PRONG_NAMES, strict=True)
    ]
    figure.suptitle(f"{data.title}; above each jet its mass and {LABELS['tau32'].symbol}")
    figure.legend(handles=sizes, title=LABELS["pt_rel"].symbol, loc="outside lower left", ncols=len(sizes))
    figure.legend(handles=shapes, title="nearest prong", loc="outside lower right", ncols=len(shapes))
    return figure
