"""How a metric is shown, in figures and in tables."""

from dataclasses import dataclass
from typing import Literal, final

__all__ = ["Metric"]


@final
@dataclass(frozen=True)
class Metric:
    """How a metric is shown.

    Attributes:
        label: what it is called.
        scale: of its axis; a logarithmic one becomes linear around zero where there are values that are not positive.
        better: which values are better.
    """

    label: str
    scale: Literal["log", "linear"]
    better: Literal["lower", "higher", "near the floor"]
