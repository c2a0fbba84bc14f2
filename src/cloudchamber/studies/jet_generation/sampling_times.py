"""The measured times that models take to generate a jet, read for figures and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import pandas as pd

from cloudchamber.errors import InputError
from cloudchamber.figures.inputs import NO_SAMPLER, Model, first_samplers, models_of
from cloudchamber.figures.labels import counts, plain_solver
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need

__all__ = ["SamplingTime", "conditions_of_measurement", "read_sampling_times"]

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
