"""Square matrices of shares, such as confusions."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.ticker import NullLocator

__all__ = ["square"]


def square(axis: Axes, values: np.ndarray, names: Sequence[str], size: float | None = None) -> AxesImage:
    """Draw a square of shares from 0 to 1, each with its number, and name its rows and columns.

    Args:
        axis: where to draw.
        values: (K, K).
        names: of the K classes.
        size: of the numbers in points; by itself that of other text.
    """
    image = axis.imshow(values, cmap="cividis", vmin=0.0, vmax=1.0)
    for (row, column), value in np.ndenumerate(values):
        color = "black" if value > 0.5 else "white"
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", color=color, fontsize=size)
    axis.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(which="both", length=0)
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_minor_locator(NullLocator())
    return image
