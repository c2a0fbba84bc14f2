"""Grids of square panels in relative eta and phi, all of one size: jets and images of jets."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cloudchamber.figures.labels import axis_label
from cloudchamber.jets.features import LABELS

__all__ = ["ALIGNED", "planes"]

_LABELS = (axis_label(LABELS["eta_rel"]), axis_label(LABELS["phi_rel"]))
# Of jets that were mapped on each other: no longer those of the detector.
ALIGNED = ("aligned $x$", "aligned $y$")


def planes(
    figure: Figure, rows: int, columns: int, reach: float, block: int | None = None, labels: tuple[str, str] = _LABELS
) -> np.ndarray:
    """Return the (rows, columns) panels of a grid; the leftmost name phi and its ticks, the lowest eta.

    Args:
        figure: what the grid fills.
        rows, columns: how many panels.
        reach: largest |eta| and |phi| that are shown.
        block: rows that belong together, the last of which names eta; by default all of them.
        labels: of the horizontal and of the vertical axis.
    """
    # No shared axes, on which matplotlib goes through all of the panels at each look at a limit, and no ticks inside.
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.minorticks_off()
        axis.tick_params(top=False, right=False)
        axis.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], box_aspect=1.0)
    ticks = [float(tick) for tick in MaxNLocator(4).tick_values(-reach, reach) if abs(tick) < reach]
    names = [f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in ticks]
    lowest = slice((block or rows) - 1, None, block or rows)
    for axis in axes[lowest].flat:
        axis.set_xlabel(labels[0])
        axis.set_xticks(ticks, names)
    for axis in axes[:, 0]:
        axis.set_ylabel(labels[1])
        axis.set_yticks(ticks, names)
    return np.asarray(axes)
