"""What figures of the study draw alike: headings, entries of legends, names of classes, curves over seeds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.lines import Line2D

from cloudchamber.figures.dots import marker
from cloudchamber.studies.neutrinos.names import INTERACTIONS, PRONGS
from cloudchamber.studies.neutrinos.reading import Classifier

__all__ = ["CEILING", "FLOOR", "by_model", "classes", "handles", "style"]

CEILING: Mapping[str, Any] = {"color": "black", "linestyle": "solid", "linewidth": 1.2}
FLOOR: Mapping[str, Any] = {"color": "black", "linestyle": (0, (1.0, 1.5)), "linewidth": 1.2}


def style(item: Classifier, line: bool = True) -> dict[str, Any]:
    """Return how a classifier is drawn."""
    linestyle = item.look.linestyle if line else "none"
    return marker(item.look) | {"markersize": 4.5, "linewidth": 1.2, "linestyle": linestyle}


def handles(found: Sequence[Classifier], line: bool = True) -> list[Line2D]:
    """Return entries of a legend."""
    return [Line2D([], [], label=item.label, **style(item, line)) for item in found]


def classes(kind: str) -> Mapping[str, str]:
    """Return names and symbols of interactions or prongs."""
    return INTERACTIONS if kind == "event" else PRONGS


def by_model(table: pd.DataFrame, found: Iterable[Classifier]) -> Iterable[tuple[Classifier, pd.DataFrame]]:
    """Yield classifiers with their rows of the first seed that they have."""
    for item in found:
        rows = table[table["model"] == item.name]
        if len(rows):
            yield item, rows[rows["seed"] == rows["seed"].min()]
