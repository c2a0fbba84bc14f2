"""Scans of solvers, read for figures and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import pandas as pd

from cloudchamber.errors import SettingsError
from cloudchamber.figures.inputs import Model, first_samplers, models_of
from cloudchamber.figures.labels import counts
from cloudchamber.metrics.tables import DISTANCE_COLUMNS, read_table
from cloudchamber.settings.entries import need

__all__ = ["FewStepPair", "SolverScan", "read_few_step_pairs", "read_scans", "sizes_of_scans"]

_COLUMNS = ("solver", "stochastic", "evaluations", *DISTANCE_COLUMNS, "seconds_per_jet")


@final
@dataclass(frozen=True)
class SolverScan:
    """One scanned model: a row per solver, number of evaluations, metric and feature."""

    model: Model
    table: pd.DataFrame


@final
@dataclass(frozen=True)
class FewStepPair:
    """A flow map and the model that it was distilled from, both scanned, with the looks that they have elsewhere."""

    teacher: SolverScan
    student: SolverScan


def read_few_step_pairs(files: Mapping[str, Any]) -> list[FewStepPair]:
    """Read the scans of flow maps and their teachers.

    Args:
        files: "models", "scans" as of :func:`read_scans`, and a list "flow_maps" of mappings with "name", "title",
            "teacher" and "path" (CSV).

    Raises:
        InputError: a table cannot be read or lacks a column.
        SettingsError: a key is missing, or a teacher was not scanned.
    """
    looks = {model.name: model.look for model in first_samplers(models_of(files))}
    scans = {scan.model.name: scan for scan in read_scans(files)}
    pairs = []
    for model in models_of(files, "flow_maps"):
        path, name = (need(model.entries[0], key) for key in ("path", "teacher"))
        if name not in scans:
            raise SettingsError(f"scans: no scan of '{name}', the teacher of '{model.name}'")
        teacher, student = (replace(of, look=looks.get(of.name, of.look)) for of in (scans[name].model, model))
        pairs.append(
            FewStepPair(SolverScan(teacher, scans[name].table), SolverScan(student, read_table(path, _COLUMNS)))
        )
    return pairs


def read_scans(files: Mapping[str, Any]) -> list[SolverScan]:
    """Read the scans of all scanned models.

    Args:
        files: has a list "scans" of mappings with "name", "title" and "path" (CSV).

    Raises:
        InputError: a table cannot be read or lacks a column.
        SettingsError: a key is missing.
    """
    return [
        SolverScan(model, read_table(need(model.entries[0], "path"), _COLUMNS)) for model in models_of(files, "scans")
    ]


def sizes_of_scans(data: Sequence[SolverScan]) -> str:
    """Return how many jets scans rest on, in words."""
    true, generated = (
        counts([int(n) for scan in data for n in scan.table[name]]) for name in ("n_reference", "n_generated")
    )
    return f"{true} true jets, {generated} generated jets per point"
