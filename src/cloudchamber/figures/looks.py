"""What tells curves apart: colour, line style and marker of each model.

Colours are those of Okabe and Ito (jfly.uni-koeln.de/color), which stay apart for all kinds of colour blindness; line
styles and markers tell the models apart without any colour. None of this needs matplotlib, and tables do without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, final

__all__ = ["GREY", "TRUTH", "Look", "looks"]

_Dashes = Literal["solid"] | tuple[float, tuple[float, ...]]
_Fill = Literal["full", "none", "left", "top", "right", "bottom"]


@final
@dataclass(frozen=True)
class Look:
    """Colour, line style and marker of one curve, and how much of the marker is filled."""

    color: str
    linestyle: _Dashes
    marker: str
    fill: _Fill = "full"

    def of_sampler(self, position: int) -> "Look":
        """Return the look of the model's sampler at ``position``: the same, with another fill of the marker."""
        fills: tuple[_Fill, ...] = ("full", "none", "left", "top", "right", "bottom")
        return replace(self, fill=fills[position % len(fills)])


TRUTH = Look("black", "solid", "|")
GREY = "#c8c8c8"

_BASELINE = Look("#6e6e6e", (0, (1.0, 1.0)), "X")
_TRAINED = (
    Look("#0072B2", "solid", "o"),
    Look("#D55E00", (0, (5.0, 1.6)), "^"),
    Look("#009E73", (0, (6.0, 1.4, 1.2, 1.4)), "D"),
    Look("#CC79A7", (0, (2.4, 1.2)), "v"),
    Look("#56B4E9", (0, (6.0, 1.2, 1.2, 1.2, 1.2, 1.2)), "P"),
    Look("#E69F00", (0, (9.0, 2.0)), "<"),
    Look("#332288", (0, (3.0, 1.2, 1.2, 1.2)), ">"),
    Look("#661100", (0, (1.2, 2.4)), "*"),
    Look("#999933", (0, (9.0, 1.4, 3.0, 1.4)), "s"),
    Look("#882255", (0, (1.2, 1.2, 1.2, 3.6)), "d"),
)


def looks(names: Sequence[str], baselines: Sequence[str]) -> dict[str, Look]:
    """Return the look of each model, the same in all figures that list the models in the same order.

    Baselines have a look of their own, so that figures without them give the other models the same one.

    Args:
        names: all models, in the order of the settings; from the eleventh trained one on colours repeat, with other
            line styles and markers.
        baselines: those among ``names`` that were not trained.
    """
    trained = [name for name in names if name not in baselines]
    chosen = {name: _look(place) for place, name in enumerate(trained)}
    return chosen | dict.fromkeys(baselines, _BASELINE)


def _look(place: int) -> Look:
    """Return the look of a trained model: after each round of colours with the line style and marker of a later one."""
    number = len(_TRAINED)
    other = _TRAINED[(place + place // number) % number]
    return replace(_TRAINED[place % number], linestyle=other.linestyle, marker=other.marker)
