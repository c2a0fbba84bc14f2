"""Errors against the number of stars and against the noise, between the prior and the Bayes limit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter, NullLocator

from cloudchamber.figures.legends import legend_below
from cloudchamber.studies.neutron_stars.quantities import QUANTITIES
from cloudchamber.studies.neutron_stars.results import Results, conditions_of, read_results
from cloudchamber.studies.neutron_stars.settings import Condition

__all__ = ["CAPTIONS", "draw_scans"]

CAPTIONS = {
    "scans": (
        "Root mean square error of the two parameters, of their well-measured combination and of the radius at "
        "1.3 solar masses, against the number of stars at the noise of the reference (top) and against the noise "
        "at its number of stars (bottom). The dotted line is the constant, which looks at no star. Grey is "
        "forbidden: it lies below the error of the exact posterior (black line), which no method can beat but by "
        "chance; markers stand beside each other so that they can be told apart. Bars are standard deviations "
        "over resamplings of the test sets, which all methods share, so that differences between them are more "
        "certain than the bars say. The simulation is our own, a stand-in for data that are not public."
    ),
}

_SHOWN = ("lambda_1", "lambda_2", "combination", "radius_1.3")


def draw_scans(files: Mapping[str, Any]) -> Figure:
    """Draw the scans.

    Args:
        files: "metrics", "models", "conditions" and "reference".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    data, (conditions, reference) = read_results(files), conditions_of(files)
    numbers = sorted((item for item in conditions if item.noise == reference.noise), key=lambda item: item.stars)
    noise = sorted((item for item in conditions if item.stars == reference.stars), key=_noise)
    scans = [
        (numbers, "number of stars", [f"{item.stars}" for item in numbers]),
        (noise, r"noise [$M_\odot$, km]", [f"{item.noise.mass:g}, {item.noise.radius:g}" for item in noise]),
    ]
    figure = Figure(figsize=(10.4, 6.6), layout="constrained")
    for axes, (some, label, ticks) in zip(figure.subplots(2, len(_SHOWN)), scans, strict=True):
        for axis, name in zip(axes, _SHOWN, strict=True):
            _panel(axis, data, name, some)
            axis.set_xticks(range(len(some)), ticks)
            axis.xaxis.set_minor_locator(NullLocator())
            axis.set_xlabel(label)
            axis.set_ylabel(f"RMSE of {QUANTITIES[name].axis_label}")
    stars = "1 star" if reference.stars == 1 else f"{reference.stars} stars"
    figure.suptitle(
        f"Top: noise of {reference.noise.mass:g} solar masses and {reference.noise.radius:g} km. Bottom: {stars}."
    )
    handles: list[Any] = [
        Line2D([], [], color="black", linewidth=1.0, linestyle=":", label="constant (prior)"),
        Line2D([], [], color="black", linewidth=1.2, label="exact posterior (Bayes limit)"),
        Patch(facecolor="#e0e0e0", label="below the limit"),
    ]
    handles += [
        Line2D([], [], color=method.look.color, marker=method.look.marker, linestyle="none", label=method.label)
        for method in data.methods
        if method.name not in ("constant", "exact")
    ]
    legend_below(figure, handles)
    return figure


def _noise(condition: Condition) -> tuple[float, float]:
    return condition.noise.radius, condition.noise.mass


def _panel(axis: Axes, data: Results, name: str, conditions: Sequence[Condition]) -> None:
    found = [{item.method.name: item for item in data.of("rmse", name, condition)} for condition in conditions]
    places = np.arange(len(conditions))
    # Steps, so that the limit of each condition lies below all of its markers.
    edges = np.repeat(np.arange(len(conditions) + 1) - 0.5, 2)[1:-1]
    limit = np.repeat([of["exact"].value for of in found], 2)
    floor = np.repeat([of["constant"].value for of in found], 2)
    axis.plot(edges, floor, color="black", linewidth=1.0, linestyle=":")
    axis.plot(edges, limit, color="black", linewidth=1.2)
    shown = [method for method in data.methods if method.name not in ("constant", "exact")]
    for number, method in enumerate(shown):
        shift = 0.76 * ((number + 0.5) / len(shown) - 0.5)
        axis.errorbar(
            places + shift,
            [of[method.name].value for of in found],
            yerr=[of[method.name].uncertainty for of in found],
            linestyle="none",
            color=method.look.color,
            marker=method.look.marker,
            markersize=4,
            linewidth=0.8,
        )
    axis.set_yscale("log")
    values = [item.value for of in found for item in of.values()]
    low, high = 0.85 * min(values), 1.15 * max(values)
    axis.fill_between(edges, low, limit, color="#e0e0e0", linewidth=0.0)
    axis.set(xlim=(-0.5, len(conditions) - 0.5), ylim=(low, high))
    ticks = [tick for tick in _ticks() if low <= tick <= high]
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.yaxis.set_minor_locator(NullLocator())


def _ticks() -> list[float]:
    return [round(digit * 10.0**power, 6) for power in range(-4, 3) for digit in (1, 2, 3, 4, 5, 6, 8)]
