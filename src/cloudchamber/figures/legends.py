"""Legends outside of the data, in as many columns as the figure is wide enough for."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure

__all__ = ["legend_below"]

# Of a letter and of what stands around a text, in inches at the size of legends.
_LETTER, _AROUND = 0.078, 0.72


def legend_below(figure: Figure, handles: Sequence[Artist], **options: Any) -> None:
    """Put one legend below the panels, its entries in columns of nearly equal length.

    Args:
        figure: its width decides how many columns there are.
        handles: the entries, each with a label.
        options: passed on to :meth:`matplotlib.figure.Figure.legend`.
    """
    longest = max(len(str(handle.get_label())) for handle in handles)
    fitting = max(1, int(figure.get_figwidth() / (_LETTER * longest + _AROUND)))
    rows = math.ceil(len(handles) / fitting)
    figure.legend(handles=list(handles), loc="outside lower center", ncols=math.ceil(len(handles) / rows), **options)
