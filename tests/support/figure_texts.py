"""Whether the texts of a figure can be read: each inside of the canvas, none upon another."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from typing import Any, final
from unittest.mock import patch

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from cloudchamber.figures import style

__all__ = ["text_faults"]

# In pixels of the PNG: boxes are a little larger than what is printed.
_TOLERANCE = 1.0


@final
@dataclass(frozen=True)
class _Drawn:
    """A text and the (4, 2) corners of its box, turned with it."""

    text: str
    corners: np.ndarray


def text_faults(figure: Figure) -> list[str]:
    """Lay a figure out as :func:`cloudchamber.figures.style.save` does, draw it and return what cannot be read.

    All texts count that are drawn: titles, names of axes and of ticks, legends, notes.
    """
    drawn: list[_Drawn] = []
    canvas = style.lay_out(figure)
    with _recorded(drawn):
        canvas.draw()
    width, height = canvas.get_width_height(physical=True)
    beyond = [
        f"beyond the edge: {item.text!r}"
        for item in drawn
        if (item.corners < -_TOLERANCE).any() or (item.corners > np.array([width, height]) + _TOLERANCE).any()
    ]
    upon = [
        f"upon each other: {first.text!r} and {second.text!r}"
        for first, second in combinations(drawn, 2)
        if _overlap(first.corners, second.corners)
    ]
    return beyond + upon


@contextmanager
def _recorded(drawn: list[_Drawn]) -> Iterator[None]:
    draw = Text.draw

    def recorded(text: Text, renderer: Any, *arguments: Any, **options: Any) -> None:
        draw(text, renderer, *arguments, **options)
        if text.get_visible() and text.get_text().strip():
            drawn.append(_Drawn(text.get_text(), _corners(text, renderer)))

    with patch.object(Text, "draw", recorded):
        yield


def _corners(text: Text, renderer: Any) -> np.ndarray:
    """Return the corners of the box of a text, which has the centre of the upright box around it."""
    around = Text.get_window_extent(text, renderer)
    angle = text.get_rotation()
    text.set_rotation(0.0)
    flat = Text.get_window_extent(text, renderer)
    text.set_rotation(angle)
    turn = np.deg2rad(angle)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    half = 0.5 * np.array([flat.width, flat.height])
    centre = np.array([around.x0 + around.x1, around.y0 + around.y1]) / 2
    return np.asarray(centre + (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half) @ axes)


def _overlap(first: np.ndarray, second: np.ndarray) -> bool:
    """Return whether two boxes share more than the tolerance in the direction of every side of both."""
    for corners in (first, second):
        for side in (corners[1] - corners[0], corners[2] - corners[1]):
            direction = side / np.linalg.norm(side)
            ends = [(shape @ direction).min() for shape in (first, second)]
            others = [(shape @ direction).max() for shape in (first, second)]
            if min(others) - max(ends) <= _TOLERANCE:
                return False
    return True
