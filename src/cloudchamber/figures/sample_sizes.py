"""How many jets numbers rest on, in words, for headings of figures and notes of tables."""

from collections.abc import Sequence

import numpy as np

from cloudchamber.figures.labels import counts
from cloudchamber.figures.measurements import Measurement

__all__ = ["sizes", "sizes_of"]


def sizes(measurements: Sequence[Measurement]) -> str:
    """Return how many jets measurements rest on, in words."""
    true, generated = (
        counts([int(n) for n in values])
        for values in zip(*((item.n_reference, item.n_generated) for item in measurements), strict=True)
    )
    return f"{true} true jets, {generated} generated jets per model"


def sizes_of(measurements: Sequence[Measurement]) -> str:
    """Return the numbers of jets, which a metric may leave open."""
    known = [item for item in measurements if np.isfinite([item.n_reference, item.n_generated]).all()]
    return sizes(known) if known else f"{counts([len(item.values) for item in measurements])} seeds"
