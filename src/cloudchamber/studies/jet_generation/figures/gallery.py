"""A gallery of single clouds, drawn as they are: the first of each sample, not chosen ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.figure import Figure

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.figures.inputs import angular_reach, first_samplers, models_of, read_truth
from cloudchamber.figures.labels import axis_label, wrapped
from cloudchamber.figures.looks import TRUTH, Look
from cloudchamber.figures.planes import planes
from cloudchamber.jets.features import LABELS
from cloudchamber.jets.kinematics import has_momentum
from cloudchamber.settings.entries import need

__all__ = ["Gallery", "GalleryRow", "cloud_gallery", "draw_cloud_gallery", "read_gallery"]

CAPTIONS = {
    "cloud_gallery": (
        "Single jets as they are: in each row the first six jets of the test part of truth, or of a model "
        "with its first sampler and seed; none were chosen by eye. The area of a marker is proportional to "
        "the relative transverse momentum of the particle. Particles beyond the axes, of which there are few, "
        "are not drawn."
    ),
}

_COLUMNS = 6
_AREA = 420.0


def draw_cloud_gallery(files: Mapping[str, Any]) -> Figure:
    """Draw single jets of truth and models."""
    return cloud_gallery(read_gallery(files))


@final
@dataclass(frozen=True)
class GalleryRow:
    """The first jets of one sample: for each of them the (n, 3) eta_rel, phi_rel and pt_rel of its particles."""

    label: str
    look: Look
    jets: tuple[np.ndarray, ...]


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


def _jets(clouds: Clouds) -> tuple[np.ndarray, ...]:
    columns = np.stack([clouds.point(name) for name in ("eta_rel", "phi_rel", "pt_rel")], axis=2)
    return tuple(points[mask] for points, mask in zip(columns, has_momentum(clouds), strict=True))


def cloud_gallery(data: Gallery) -> Figure:
    """Draw one row of jets per sample; the area of a marker is proportional to the pt_rel of the particle."""
    figure = Figure(figsize=(1.55 * _COLUMNS + 1.0, 1.55 * len(data.rows) + 1.2), layout="compressed")
    axes = planes(figure, len(data.rows), _COLUMNS, data.reach)
    for axis_row, row in zip(axes, data.rows, strict=True):
        for axis, jet in zip(axis_row, row.jets, strict=False):
            axis.scatter(
                *jet[:, :2].T, s=_AREA * jet[:, 2], color=row.look.color, edgecolor="black", linewidth=0.4, alpha=0.6
            )
        axis_row[0].set_ylabel(f"{wrapped(row.label)}\n{axis_label(LABELS['phi_rel'])}")
    handles = [
        axes[0, 0].scatter([], [], s=_AREA * size, color="#b0b0b0", edgecolor="black", linewidth=0.4, label=f"{size:g}")
        for size in (0.01, 0.05, 0.2)
    ]
    figure.suptitle(data.title)
    figure.legend(handles=handles, title=LABELS["pt_rel"].symbol, loc="outside lower center", ncols=len(handles))
    return figure
