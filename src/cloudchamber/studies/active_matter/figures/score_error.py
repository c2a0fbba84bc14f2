"""Maps of local entropy production and of the error of the score, for systems with two coordinates."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cloudchamber.errors import InputError
from cloudchamber.studies.active_matter.figures.local import channel_label, local_values

__all__ = ["CAPTIONS", "draw_score_error"]

CAPTIONS = {
    "score_error": (
        "Where the score is right, at the largest drive of systems with two coordinates. Left: local entropy "
        "production, the square of the velocity of the probability flow in the norm of one over the diffusion, from "
        "the mean of all trainings. Middle: the same from the exact score. Right: the error of the learned score in "
        "the norm of the diffusion, the square root of its local contribution to a plug-in value. White is where the "
        "exact score is not known because hardly anything is there. Activities are even under time reversal. One "
        "scale of colours for each row."
    ),
}


def draw_score_error(files: Mapping[str, Any]) -> Figure:
    """Draw a row of three panels for each model of a system with two coordinates and an exact score.

    Args:
        files: see :func:`~cloudchamber.studies.active_matter.figures.local.local_values`.

    Raises:
        InputError: a file cannot be used, or there is no such model.
        SettingsError: a key is missing.
    """
    items = [item for item in local_values(files) if item.fields.grid_exact_velocity is not None]
    if not items:
        raise InputError("active matter: no model has local values on a grid beside exact ones")
    figure = Figure(figsize=(11.4, 0.6 + 3.3 * len(items)), layout="constrained")
    axes = figure.subplots(len(items), 3, squeeze=False)
    for line, item in zip(axes, items, strict=True):
        fields = item.fields
        assert fields.grid is not None
        assert fields.grid_velocity is not None
        assert fields.grid_exact_velocity is not None
        side = round(np.sqrt(len(fields.grid)))
        known = np.isfinite(fields.grid_exact_velocity).all(axis=(1, 2))
        scale = np.sqrt(fields.diffusions)
        learned, exact = fields.grid_velocity / scale, fields.grid_exact_velocity / scale
        maps = [
            np.square(learned).sum(axis=(1, 2)),
            np.square(exact).sum(axis=(1, 2)),
            np.sqrt(np.square(learned - exact).sum(axis=(1, 2))),
        ]
        low, high = fields.grid[0, 0], fields.grid[-1, 0]
        extent = (low[0], high[0], low[1], high[1])
        top = float(np.nanquantile(maps[1], 0.99))
        names = ("learned local production", "exact local production", "error of the score")
        for axis, values, name, highest in zip(line, maps, names, (top, top, np.sqrt(top)), strict=True):
            image = np.where(known, values, np.nan).reshape(side, side).T
            shown = axis.imshow(
                image, extent=extent, origin="lower", aspect="auto", cmap="viridis", vmin=0.0, vmax=highest or 1.0
            )
            figure.colorbar(shown, ax=axis, extend="max")
            axis.set_title(f"{name}\n{item.title}")
            axis.set_xlabel(channel_label(fields.about["names"][0]))
        line[0].set_ylabel(channel_label(fields.about["names"][1]))
    return figure
