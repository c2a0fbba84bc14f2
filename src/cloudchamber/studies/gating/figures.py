"""The capacities of gates, of gated gates and of all functions, against the number of inputs."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import Look, looks
from cloudchamber.studies.gating.function_counts import LABELS, read_counts

__all__ = ["CAPTIONS", "draw_capacity"]

CAPTIONS = {
    "capacity": (
        "Capacity, the logarithm to base 2 of the exact number of Boolean functions, against the number of inputs "
        "(left), and its ratio to the capacity of one linear threshold gate (right). With outputs ±1 the product "
        "of two gates is true where they agree; with outputs 0/1 it is true where both are. Every number is exact: "
        "filled markers were counted in this analysis or are a formula (all functions), and open ones are stored "
        "constants that a program of the package makes; degree-2 gates of five inputs were not counted. The dashed "
        "line is the upper bound of both gated families, twice the capacity of one gate; up to five inputs it lies "
        "above the capacity of all functions, so that nothing can reach it here. Markers of one number of inputs "
        "stand side by side so that equal values can be seen. Output gating and its capacity are from Baldi and "
        "Vershynin, arXiv 2202.08371."
    ),
}

_STORED = "stored"
_BOUND: dict[str, Any] = {"color": "black", "linestyle": (0, (4.0, 2.0)), "linewidth": 1.0}
# Between two families, in inputs. Larger capacities stand further left, so that no line seems to cross another.
_STEP = 0.06


def draw_capacity(files: Mapping[str, Any]) -> Figure:
    """Draw capacities against the number of inputs, and their ratios to that of one linear threshold gate.

    Args:
        files: "counts", path of a CSV.

    Raises:
        InputError: the table cannot be used.
        SettingsError: the key is missing.
    """
    table = read_counts(files)
    of_one = table[table["family"] == "linear_threshold"].set_index("inputs")["capacity"].sort_index()
    families = [family for family in LABELS if (table["family"] == family).any()]
    look = looks(list(LABELS), ["all"])
    figure = Figure(figsize=(9.6, 5.2), layout="constrained")
    bits, ratios = figure.subplots(1, 2)
    shifts = [_STEP * (len(families) / 2 - position) for position in range(len(families) + 1)]
    for family, shift in zip(families, shifts, strict=False):
        rows = table[(table["family"] == family) & table["capacity"].notna()].sort_values("inputs")
        ratio = rows["capacity"] / rows["inputs"].map(of_one)
        for axis, values in ((bits, rows["capacity"]), (ratios, ratio)):
            _draw(axis, rows["inputs"] + shift, values, rows["origin"] == _STORED, look[family])
    bits.plot(of_one.index + shifts[-1], 2 * of_one, **_BOUND)
    ratios.axhline(2.0, **_BOUND)
    stored = set(table.loc[table["origin"] == _STORED, "inputs"])
    ticks = sorted(set(table["inputs"]))
    for axis, label in (
        (bits, "capacity: log2 of the number of functions [bit]"),
        (ratios, "capacity relative to one linear threshold gate"),
    ):
        axis.set_xticks(ticks, [f"{number}\n(stored)" if number in stored else f"{number}" for number in ticks])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xlim(min(ticks) - 0.4, max(ticks) + 0.4)
        axis.set_xlabel("number of inputs")
        axis.set_ylabel(label)
    bits.set_ylim(bottom=0.0)
    ratios.set_ylim(0.9, 2.1)
    figure.suptitle("Boolean functions that gates compute: exact numbers")
    handles = [_handle(LABELS[family], look[family]) for family in families]
    handles.append(Line2D([], [], label="upper bound of gated gates: twice that of one gate", **_BOUND))
    handles.append(Line2D([], [], label="exact, counted or formula", linestyle="none", marker="s", color="#6e6e6e"))
    if stored:
        open_marker: dict[str, Any] = {"marker": "s", "color": "#6e6e6e", "markerfacecolor": "white"}
        handles.append(Line2D([], [], label="exact, stored constant", linestyle="none", **open_marker))
    legend_below(figure, handles, handlelength=4.0)
    return figure


def _draw(axis: Axes, x: pd.Series, y: pd.Series, is_stored: pd.Series, look: Look) -> None:
    axis.plot(x, y, color=look.color, linestyle=look.linestyle, linewidth=1.2)
    for chosen, fill in ((~is_stored, look.color), (is_stored, "white")):
        axis.plot(
            x[chosen],
            y[chosen],
            linestyle="none",
            marker=look.marker,
            color=look.color,
            markerfacecolor=fill,
            markersize=6,
        )


def _handle(label: str, look: Look) -> Line2D:
    return Line2D([], [], label=label, color=look.color, linestyle=look.linestyle, marker=look.marker, markersize=6)
