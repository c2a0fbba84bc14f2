"""Cells and notes that tables of measurements share."""

import math
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from cloudchamber.figures.measurements import Measurement
from cloudchamber.figures.numbers import decimals, places_of, with_uncertainty

__all__ = [
    "FLOOR",
    "FLOOR_NOTE",
    "IMPOSED_NOTE",
    "UNCERTAINTY",
    "all_digits",
    "cell",
    "floor_cell",
    "scaled_unit",
    "seeds_note",
]

FLOOR = "truth (floor)"
FLOOR_NOTE = "The floor is the same distance for as many independent true jets in place of the generated ones."
IMPOSED_NOTE = (
    '"imposed" marks what was given with each jet and not generated: the number says how good that draw is, and nothing'
    " of the model."
)
UNCERTAINTY = "± is the standard deviation over resamplings of the true and the generated jets."


def cell(item: Measurement, scale: float = 1.0) -> str:
    """Return value and uncertainty, the standard deviation over seeds in brackets where there are several, and a mark.

    The mark "imposed" stands behind what was given and not generated.
    """
    value, uncertainty = item.value * scale, item.uncertainty * scale
    text = with_uncertainty(value, uncertainty)
    if math.isfinite(item.spread):
        spread = item.spread * scale
        text += f" ({spread:.{places_of(spread, decimals(value, uncertainty))}f})"
    return f"{text} imposed" if item.imposed else text


def floor_cell(measurements: Sequence[Measurement], scale: float = 1.0) -> str:
    """Return the floor, or the lowest and the highest where models have samples of different sizes."""
    ordered = sorted(measurements, key=lambda item: item.floor)
    ends = [with_uncertainty(item.floor * scale, item.floor_uncertainty * scale) for item in (ordered[0], ordered[-1])]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def scaled_unit(exponent: int, unit: str = "") -> str:
    """Return a unit times a power of ten in brackets, for the header of a column; "" for neither."""
    superscript = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    parts = [*([f"10{superscript}"] if exponent else []), *([unit] if unit else [])]
    return f" [{' '.join(parts)}]" if parts else ""


def seeds_note(measurements: Sequence[Measurement]) -> list[str]:
    """Return what the values say of another training."""
    seeds = sorted({len(item.values) for item in measurements})
    if seeds == [1]:
        return ["One training per model: how much another seed would change is not known."]
    number = str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return [f"Mean over {number} seeds of the training; in brackets the standard deviation over seeds."]


def all_digits(measurements: Sequence[Measurement], metric: str = "") -> pd.DataFrame:
    """Return measurements one line each, without rounding; ``metric`` is the first column where it is given."""
    lines = []
    for item in measurements:
        left_out = ("model", "feature", "values", *(() if any(of.imposed for of in measurements) else ("imposed",)))
        numbers = {key: value for key, value in asdict(item).items() if key not in left_out}
        names = {"metric": metric} if metric else {}
        lines.append(
            names
            | {"model": item.model.name, "title": item.model.label, "sampler": item.model.sampler}
            | {"feature": item.feature, "seeds": len(item.values), "value": item.value, "spread": item.spread}
            | numbers
        )
    return pd.DataFrame(lines).replace({"feature": {"": np.nan}}).dropna(axis="columns", how="all").convert_dtypes()
