"""Shades of a colour, and colours of values of both signs."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import SymLogNorm, to_rgb
from matplotlib.figure import FigureBase

__all__ = ["lighter", "signed_bar", "signed_norm"]


def lighter(color: str, share: float) -> tuple[float, float, float]:
    """Return ``color`` with this share of white mixed in."""
    red, green, blue = (part + share * (1 - part) for part in to_rgb(color))
    return red, green, blue


def signed_norm(largest: float, linear: float) -> SymLogNorm:
    """Return a scale from -``largest`` to ``largest``, logarithmic above the share ``linear`` of it, in size.

    Where all is zero, and nothing has a size, it reaches to one.
    """
    reach = largest or 1.0
    return SymLogNorm(linear * reach, vmin=-reach, vmax=reach)


def signed_bar(part: FigureBase, shown: ScalarMappable, axes: list[Axes], label: str, **options: Any) -> Colorbar:
    """Draw the colour bar of a :func:`signed_norm`, with ticks at zero and at the powers of ten beyond ``linear``.

    By itself matplotlib sets ticks inside the linear part too, where their labels lie on that of zero.
    """
    norm = shown.norm
    assert isinstance(norm, SymLogNorm)
    assert norm.vmax is not None
    exponents = np.arange(np.ceil(np.log10(norm.linthresh)), np.floor(np.log10(norm.vmax)) + 1)
    ticks = [*(-(10.0 ** exponents[::-1])), 0.0, *10.0**exponents]
    bar = part.colorbar(shown, ax=axes, label=label, ticks=ticks, **options)
    bar.ax.minorticks_off()
    return bar
