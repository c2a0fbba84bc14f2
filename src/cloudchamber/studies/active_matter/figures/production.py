"""Entropy production of every system by all ways, relative to the exact one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cloudchamber.errors import InputError
from cloudchamber.figures.dots import name_rows
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import GREY
from cloudchamber.studies.active_matter.numbers_of_study import ESTIMATOR_TITLES, Names, production_of, read_metrics

__all__ = ["CAPTIONS", "draw_production"]

CAPTIONS = {
    "production": (
        "Entropy production relative to the exact one, for every system and drive of the analysis; where nothing "
        "exact is known it is relative to the moment identity, which the name of the row says. Activities are even "
        "under time reversal. Learned values are products of the velocities of different trainings; plug-in values "
        "square one velocity and are biased upward, lower bounds downward, by the square of its error. Moment "
        "identity, trajectories and Gaussian score need no network, and the last one is exact for linear systems "
        "alone. Bars are of blocks of trajectories and of trainings. The grey band is 2 % to both sides; arrows "
        "stand for values beyond the axis."
    ),
}

# Way -> label, colour, marker, fill.
_WAYS: Mapping[str, tuple[str, str, str, str]] = {
    "learned": ("learned, trainings crossed", "#0072B2", "o", "full"),
    "plug_in": ("learned, plug-in", "#56B4E9", "o", "none"),
    "lower_bound": ("learned, lower bound", "#56B4E9", ">", "none"),
    "moment_identity": (ESTIMATOR_TITLES["moment_identity"], "#D55E00", "s", "full"),
    "trajectory": (ESTIMATOR_TITLES["trajectory"], "#009E73", "D", "full"),
    "gaussian_score": (ESTIMATOR_TITLES["gaussian_score"], "#6e6e6e", "X", "full"),
}
_REACH = 0.25


def draw_production(files: Mapping[str, Any]) -> Figure:
    """Draw a row for each system, drive above zero and model.

    Args:
        files: "ensembles" and "models" with their titles, "metrics", path of a CSV.

    Raises:
        InputError: the table cannot be used, or no system is out of equilibrium.
        SettingsError: a key is missing.
    """
    names, table = Names.of(files), production_of(read_metrics(files))
    rows = [row for line in table.to_dict("records") if line["drive"] > 0 for row in _rows(line, names)]
    if not rows:
        raise InputError(f"{files['metrics']}: no system with a drive above zero has a value to compare with")
    figure = Figure(figsize=(9.6, 1.9 + 0.62 * len(rows)), layout="constrained")
    axis = figure.subplots()
    spread = max(abs(value - 1) for _, values in rows for value, _ in values.values())
    reach = min(_REACH, 1.15 * max(spread, 0.03))
    axis.axvspan(0.98, 1.02, color=GREY, linewidth=0.0, alpha=0.6)
    axis.axvline(1.0, color="black", linewidth=1.0)
    for number, (_, values) in enumerate(rows):
        for place, way in enumerate(_WAYS):
            if way in values:
                _dot(axis, way, number + 0.13 * (place - (len(_WAYS) - 1) / 2), *values[way], reach)
    name_rows(axis, [name for name, _ in rows])
    axis.set_xlim(1 - reach, 1 + reach)
    axis.set_xlabel("entropy production / exact entropy production")
    figure.suptitle("Entropy production: learned, estimated and exact")
    shown = [way for way in _WAYS if any(way in values for _, values in rows)]
    handles = [Line2D([], [], linestyle="none", label=_WAYS[way][0], **_marker(way)) for way in shown]
    legend_below(figure, [*handles, Patch(facecolor=GREY, alpha=0.6, label="2 % to both sides")])
    return figure


def _rows(line: Mapping[str, Any], names: Names) -> list[tuple[str, dict[str, tuple[float, float]]]]:
    exact = line["exact"] if pd.notna(line["exact"]) else line.get("moment_identity", np.nan)
    if pd.isna(exact) or exact == 0:
        return []
    by = "" if pd.notna(line["exact"]) else "\n(over the moment identity)"
    there = [name for name in names.models if pd.notna(line.get(f"{name} learned"))]
    found = []
    models: list[str | None] = [*there] if there else [None]
    for model in models:
        columns = {way: way for way in ESTIMATOR_TITLES}
        if model is not None:
            columns |= {way: f"{model} {way}" for way in ("learned", "plug_in", "lower_bound")}
        values = {
            way: (line[column] / exact, line[f"uncertainty of {column}"] / exact)
            for way, column in columns.items()
            if pd.notna(line.get(column))
        }
        of = f"\n{names.models[model]}" if model is not None and len(there) > 1 else ""
        title = names.ensembles.get(line["dataset"], line["dataset"])
        found.append((f"{title},\ndrive {line['drive']:g}{of}{by}", values))
    return found


def _marker(way: str) -> dict[str, Any]:
    _, color, marker, fill = _WAYS[way]
    return {"color": color, "marker": marker, "fillstyle": fill, "markersize": 6}


def _dot(axis: Axes, way: str, height: float, value: float, error: float, reach: float) -> None:
    if abs(value - 1) > reach:
        side = np.sign(value - 1)
        arrow = ">" if side > 0 else "<"
        axis.plot(1 + side * 0.985 * reach, height, color=_WAYS[way][1], marker=arrow, markersize=5)
        return
    axis.errorbar(value, height, xerr=np.nan_to_num(error), **_marker(way))
