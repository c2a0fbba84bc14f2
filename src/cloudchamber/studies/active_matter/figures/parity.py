"""Learned against exact scores, point by point."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.studies.active_matter.figures.local import Local, local_values

__all__ = ["CAPTIONS", "draw_parity"]

CAPTIONS = {
    "parity": (
        "Score of one training against the exact score, at snapshots that were not trained on, for the largest drive "
        "of each system with an exact solution; transfers to more particles have panels of their own. Each dot is "
        "one coordinate of one particle, in units of one over the square root of the diffusion and of time, so that "
        "distances from the diagonal count alike in the entropy production. Activities are even under time reversal. "
        "The number is the root mean square distance relative to the exact score."
    ),
}

_COLUMNS, _DOTS = 3, 1500


def draw_parity(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each model and ensemble with an exact score.

    Args:
        files: see :func:`~cloudchamber.studies.active_matter.figures.local.local_values`.

    Raises:
        InputError: a file cannot be used, or no score is known exactly.
        SettingsError: a key is missing.
    """
    items = [item for item in local_values(files) if item.fields.exact_velocity is not None]
    if not items:
        raise InputError("active matter: no model has local values beside exact ones")
    columns = min(_COLUMNS, len(items))
    lines = -(-len(items) // columns)
    figure = Figure(figsize=(max(5.4, 3.4 * columns), 1.0 + 3.5 * lines), layout="constrained")
    axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axis in axes[len(items) :]:
        axis.set_visible(False)
    for axis, item in zip(axes, items, strict=False):
        error = 0.0
        for number, (learned, exact) in enumerate(_scores(item)):
            every = -(-len(exact) // _DOTS)
            axis.plot(exact[::every], learned[::every], _MARKERS[number], color=_COLOURS[number], **_DOT)
            error += float(np.square(learned - exact).sum())
        total = float(sum(np.square(exact).sum() for _, exact in _scores(item)))
        low, high = axis.get_xlim()
        axis.plot([low, high], [low, high], color="#9a9a9a", linewidth=3.0, zorder=0.5)
        axis.set_title(f"{item.title}\nrelative error {np.sqrt(error / total):.3f}")
        axis.set_xlabel("exact score")
        axis.set_ylabel("learned score")
    figure.suptitle("Learned and exact scores")
    big = {**_DOT, "markersize": 5, "alpha": 1.0, "rasterized": False}
    handles = [
        Line2D([], [], color=_COLOURS[number], marker=_MARKERS[number], label=label, **big)
        for number, label in enumerate(("coordinates of positions", "activities"))
    ]
    legend_below(figure, handles)
    return figure


_COLOURS, _MARKERS = ("#0072B2", "#D55E00"), ("o", "^")
_DOT: dict[str, Any] = {
    "linestyle": "none",
    "markersize": 2.2,
    "alpha": 0.6,
    "rasterized": True,
    "markeredgewidth": 0.0,
}


def _scores(item: Local) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return learned and exact scores of the coordinates of positions, and of activities where there are some."""
    fields = item.fields
    assert fields.exact_velocity is not None
    scale = np.sqrt(fields.diffusions)
    learned = (fields.drift - fields.velocities[0]) / scale
    exact = (fields.drift - fields.exact_velocity) / scale
    d = int(fields.about["dimensions"])
    found = []
    for channels in (slice(0, d), slice(d, None)):
        known = np.isfinite(exact[..., channels])
        if known.size:
            found.append((learned[..., channels][known], exact[..., channels][known]))
    return found
