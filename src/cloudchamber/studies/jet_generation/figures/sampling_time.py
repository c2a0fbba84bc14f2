"""The time that models take to generate a jet, against its number of particles."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from cloudchamber.figures.dots import marker
from cloudchamber.figures.legends import legend_below
from cloudchamber.settings.entries import need
from cloudchamber.studies.jet_generation.sampling_times import (
    SamplingTime,
    conditions_of_measurement,
    read_sampling_times,
)

__all__ = ["draw_sampling_time", "sampling_time"]

CAPTIONS = {
    "sampling_time": (
        "Time to generate one jet against its number of particles, for each trained model with the sampler "
        "that the settings name first. Left: per jet; markers are medians over rounds and bars reach from the "
        "fastest to the slowest round. Right: the median per jet and network evaluation, which compares "
        "networks and not samplers. All models and multiplicities took turns in one process after a round "
        "that warmed up. The heading names the device and the clock: on a processor the time that the process "
        "spent computing, on a GPU the elapsed time until the device had finished. Lines join the "
        "measurements."
    ),
}


def draw_sampling_time(files: Mapping[str, Any]) -> Figure:
    """Draw the time per jet against the number of its particles."""
    return sampling_time(read_sampling_times(files), need(files, "title"))


def sampling_time(data: Sequence[SamplingTime], title: str) -> Figure:
    """Draw the time per jet, and that per jet and network evaluation, against the multiplicity.

    Args:
        data: the measurements.
        title: what the models were trained on.
    """
    figure = Figure(figsize=(9.6, 5.2), layout="constrained")
    axes = figure.subplots(1, 2, sharex=True)
    for time in data:
        table = time.table
        x = table["multiplicity"].to_numpy()
        y = table["seconds_per_jet"].to_numpy()
        errors = np.stack([y - table["lowest"], table["highest"] - y])
        look = time.model.look
        axes[0].errorbar(x, y, yerr=errors, linestyle=look.linestyle, **marker(look))
        axes[1].plot(x, table["seconds_per_evaluation"], linestyle=look.linestyle, **marker(look))
    ticks = sorted({int(n) for time in data for n in time.table["multiplicity"]})
    for axis, label in zip(axes, ("time per jet [s]", "time per jet and network evaluation [s]"), strict=True):
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xticks(ticks)
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel("particles per jet")
        axis.set_ylabel(label)
    handles = [
        Line2D([], [], linestyle=time.model.look.linestyle, label=time.label, **marker(time.model.look))
        for time in data
    ]
    figure.suptitle(f"{title}\n{conditions_of_measurement(data)}")
    legend_below(figure, handles, title="model: solver, network evaluations per jet", title_fontsize=8)
    return figure
