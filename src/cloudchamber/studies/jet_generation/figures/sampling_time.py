"""The time that models take to generate a jet, against its number of particles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from cloudchamber.errors import InputError
from cloudchamber.figures.dots import marker
from cloudchamber.figures.inputs import NO_SAMPLER, Model, first_samplers, models_of
from cloudchamber.figures.labels import counts, plain_solver
from cloudchamber.figures.legends import legend_below
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need

__all__ = ["SamplingTime", "conditions_of_measurement", "draw_sampling_time", "read_sampling_times", "sampling_time"]

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

_COLUMNS = (
    "model",
    "solver",
    "evaluations",
    "multiplicity",
    "jets",
    "device",
    "clock",
    "threads",
    "seconds_per_jet",
    "lowest",
    "highest",
    "seconds_per_evaluation",
)


def draw_sampling_time(files: Mapping[str, Any]) -> Figure:
    """Draw the time per jet against the number of its particles."""
    return sampling_time(read_sampling_times(files), need(files, "title"))


@final
@dataclass(frozen=True)
class SamplingTime:
    """The measurements of one model, by increasing multiplicity."""

    model: Model
    table: pd.DataFrame

    @property
    def label(self) -> str:
        evaluations = int(self.table["evaluations"].iloc[0])
        return f"{self.model.label}: {plain_solver(self.table['solver'].iloc[0])}, {evaluations}"


def read_sampling_times(files: Mapping[str, Any]) -> list[SamplingTime]:
    """Read the times of all trained models, in the order of the settings.

    Args:
        files: "times" (CSV) and "models"; baselines among them count for nothing.

    Raises:
        InputError: the table cannot be read, lacks a column or a model, or was measured on several devices.
        SettingsError: a key is missing.
    """
    path = need(files, "times")
    table = read_table(path, _COLUMNS)
    if len(table[["device", "clock", "threads"]].drop_duplicates()) > 1:
        raise InputError(f"{path}: times of several devices, which are not to be compared")
    # Titles without samplers: every model is timed with one, which the label names with its evaluations.
    entries = [{key: entry[key] for key in entry if key != "sampler"} for entry in _trained(files)]
    times = []
    for model in models_of({"models": entries}):
        of_model = table[table["model"] == model.name].sort_values("multiplicity")
        if of_model.empty:
            raise InputError(f"{path}: no time of the model '{model.name}'")
        times.append(SamplingTime(model, of_model))
    return times


def _trained(files: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    names = [model.name for model in first_samplers(models_of(files)) if model.sampler != NO_SAMPLER]
    return [entry for entry in need(files, "models") if entry["name"] in names]


def conditions_of_measurement(data: Sequence[SamplingTime]) -> str:
    """Return device, clock, threads and number of jets in words."""
    first = data[0].table.iloc[0]
    threads = f", {counts([int(first['threads'])])} thread{'s' if first['threads'] > 1 else ''}"
    jets = counts([int(n) for time in data for n in time.table["jets"]])
    return (
        f"{first['device']}{threads if first['clock'] == 'CPU' else ''}, {first['clock']} time, batches of {jets} jets"
    )


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
