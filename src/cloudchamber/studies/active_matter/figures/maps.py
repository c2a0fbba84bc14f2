"""Where active disks in a box are out of equilibrium: local values of each disk."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cloudchamber.errors import InputError
from cloudchamber.studies.active_matter.crossing import crossed_square
from cloudchamber.studies.active_matter.figures.local import local_values

__all__ = ["CAPTIONS", "draw_maps"]

CAPTIONS = {
    "maps": (
        "Active disks in a periodic box, one snapshot of each ensemble; the score was trained on one of them and is "
        "applied to the others unchanged. Top: the local entropy production of the activity of each disk, the "
        "product of the velocities of two trainings over the persistence rate, which scatters around zero where the "
        "velocity is mostly error. Bottom: the divergence of the velocity of its activity, whose mean is minus that "
        "of the force on its position. Positions have no noise here, so that their part of the entropy production "
        "does not exist. Activities are even under time reversal. Disks are drawn smaller than they are where there "
        "are many."
    ),
}

_MOST = 4


def draw_maps(files: Mapping[str, Any]) -> Figure:
    """Draw two maps for each ensemble of disks in a box.

    Args:
        files: see :func:`~cloudchamber.studies.active_matter.figures.local.local_values`.

    Raises:
        InputError: a file cannot be used, or there are no disks in a box.
        SettingsError: a key is missing.
    """
    items = [item for item in local_values(files) if item.fields.about["length"] and item.fields.states.shape[1] > 1]
    items = items[:_MOST]
    if not items:
        raise InputError("active matter: no model has local values of disks in a box")
    figure = Figure(figsize=(max(5.6, 4.2 * len(items)), 8.2), layout="constrained")
    axes = figure.subplots(2, len(items), squeeze=False)
    for column, item in zip(axes.T, items, strict=True):
        fields, d = item.fields, int(item.fields.about["dimensions"])
        positions = fields.states[0, :, :d]
        rate = fields.diffusions[-1]
        production = crossed_square(fields.velocities[:, :1], fields.diffusions)[0].sum(axis=1) / rate
        divergence = fields.divergence[0, :, d:].sum(axis=1) / rate
        length = float(fields.about["length"])
        for axis, values, label in (
            (column[0], production, "local production over persistence rate"),
            (column[1], divergence, "div of activity velocity over persistence rate"),
        ):
            low, high = np.quantile(values, [0.02, 0.98])
            size = (72 * 3.3 * 2 / length) ** 2
            shown = axis.scatter(
                *positions.T, c=values, s=size, cmap="cividis", norm=Normalize(low, high), linewidths=0.2,
                edgecolors="#555555", rasterized=True,
            )  # fmt: skip
            axis.set(xlim=(-length / 2, length / 2), ylim=(-length / 2, length / 2), box_aspect=1.0)
            axis.set_xlabel("$x$ [radii]")
            figure.colorbar(shown, ax=axis, label=label, extend="both", location="bottom")
        column[0].set_title(f"{item.ensemble}\n{'trained here' if item.home else 'transferred'}")
    for axis in axes[:, 0]:
        axis.set_ylabel("$y$ [radii]")
    return figure
