"""The probability flow of systems with two coordinates: learned and exact arrows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.studies.active_matter.figures.local import channel_label, local_values

__all__ = ["CAPTIONS", "draw_flow"]

CAPTIONS = {
    "flow": (
        "Velocity of the probability flow, v = b - D s, where the snapshots lie, at the largest drive. Wide grey "
        "arrows are exact, thin ones the mean of all trainings. Arrows point along the flow in the panel, and all "
        "arrows of a panel have one scale of lengths. Nothing is drawn where the exact "
        "score is not known because hardly anything is there. Activities are even under time reversal. In "
        "equilibrium there would be no arrows."
    ),
}

# Every so many points of the grid there is an arrow.
_EVERY = 4


def draw_flow(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each model of a system with two coordinates.

    Args:
        files: see :func:`~cloudchamber.studies.active_matter.figures.local.local_values`.

    Raises:
        InputError: a file cannot be used, or no model has two coordinates.
        SettingsError: a key is missing.
    """
    items = [item for item in local_values(files) if item.fields.grid is not None]
    if not items:
        raise InputError("active matter: no model has local values on a grid of two coordinates")
    figure = Figure(figsize=(max(5.4, 4.6 * len(items)), 4.9), layout="constrained")
    for axis, item in zip(figure.subplots(1, len(items), squeeze=False).flat, items, strict=True):
        fields = item.fields
        assert fields.grid is not None
        assert fields.grid_velocity is not None
        side = round(np.sqrt(len(fields.grid)))
        chosen = np.arange(_EVERY // 2, side, _EVERY)
        rows = (chosen[:, None] * side + chosen).ravel()
        places = fields.grid[rows, 0]
        exact = fields.grid_exact_velocity
        scale = _scale(fields.grid_velocity if exact is None else exact, fields.grid) * _EVERY / side
        if exact is not None:
            axis.quiver(*places.T, *(exact[rows, 0].T * scale), color="#b4b4b4", width=0.012, **_ARROW)
        shown = fields.grid_velocity[rows, 0] if exact is None else np.where(
            np.isfinite(exact[rows, 0]), fields.grid_velocity[rows, 0], np.nan
        )  # fmt: skip
        axis.quiver(*places.T, *(shown.T * scale), color="#0072B2", width=0.0045, **_ARROW)
        axis.set_title(item.title)
        axis.set_xlabel(channel_label(fields.about["names"][0]))
        axis.set_ylabel(channel_label(fields.about["names"][1]))
    figure.suptitle("Probability flow")
    handles = [
        Line2D([], [], color="#b4b4b4", linewidth=5.0, label="exact"),
        Line2D([], [], color="#0072B2", linewidth=1.5, label="learned"),
    ]
    legend_below(figure, handles)
    return figure


_ARROW: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1.0, "pivot": "mid"}


def _scale(velocity: np.ndarray, grid: np.ndarray) -> float:
    """Return the factor by which the velocities on a grid are, in root mean square, as large as the grid."""
    along = velocity[:, 0] / np.ptp(grid[:, 0], axis=0)
    return float(1 / np.sqrt(np.nanmean(np.square(along).sum(axis=1))))
