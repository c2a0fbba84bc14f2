"""Flow maps against their teachers: quality against evaluations and against time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from cloudchamber.errors import InputError
from cloudchamber.figures.dots import floor_handles, floor_line, logarithmic, marker
from cloudchamber.figures.labels import plain_solver
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import Look
from cloudchamber.jets.features import LABELS
from cloudchamber.metrics.divergence import KL_DIRECTION
from cloudchamber.settings.entries import need
from cloudchamber.studies.jet_generation.solver_scans import (
    FewStepPair,
    SolverScan,
    read_few_step_pairs,
    sizes_of_scans,
)

__all__ = ["draw_few_steps", "few_steps"]

CAPTIONS = {
    "few_steps": (
        "KL(generated || truth) of jet mass and substructure of flow maps and of the models that they were distilled "
        "from, against the network evaluations and against the time spent on a jet; first seed. Full markers and "
        "solid lines: flow maps. Open markers and dashes: their teachers, with a solver of the ordinary equation. All "
        "points draw the same jets from the same noise. Bars: standard deviation over resamplings of the true and "
        "the generated jets. Black line and grey band: the floor and its uncertainty. Times belong to the machine "
        "and the threads of the job."
    ),
}

_SHOWN = ("jet_mass", "tau21", "tau32", "d2")
# The solver that teachers are shown with: the first of these that was scanned.
_PREFERRED = ("midpoint", "heun", "rk4", "dpm_solver", "ddim", "euler")
_COSTS = {"evaluations": "network evaluations per jet", "seconds_per_jet": "time per jet [s]"}


def draw_few_steps(files: Mapping[str, Any]) -> Figure:
    """Draw flow maps against their teachers."""
    return few_steps(read_few_step_pairs(files), need(files, "title"))


def few_steps(pairs: Sequence[FewStepPair], title: str) -> Figure:
    """Draw the KL divergence of jet features against evaluations and time, one curve per flow map and per teacher.

    Args:
        pairs: flow maps with their teachers.
        title: what was scanned.

    Raises:
        InputError: a teacher was scanned with no solver of the ordinary equation, or a feature is missing.
    """
    figure = Figure(figsize=(9.0, 2.2 * len(_SHOWN) + 1.4), layout="constrained")
    axes = figure.subplots(len(_SHOWN), len(_COSTS), sharex="col", sharey="row", squeeze=False)
    curves: list[tuple[str, Look, SolverScan, str]] = []
    for pair in pairs:
        solver = _solver_of(pair.teacher)
        teacher = replace(pair.teacher.model.look, linestyle=(0, (4.0, 2.0)), fill="none")
        label = f"{pair.teacher.model.label}, {plain_solver(solver)}"
        curves.append((label, teacher, pair.teacher, solver))
        curves.append((pair.student.model.label, replace(pair.student.model.look, linestyle="solid"), pair.student, ""))
    for row, feature in zip(axes, _SHOWN, strict=True):
        for axis, cost in zip(row, _COSTS, strict=True):
            for position, (_, look, scan, solver) in enumerate(curves):
                rows = _rows(scan, feature, solver)
                if not position:
                    floor_line(axis, *rows[["floor", "floor_uncertainty"]].iloc[0])
                axis.errorbar(
                    rows[cost], rows["value"], yerr=rows["uncertainty"], linestyle=look.linestyle, **marker(look)
                )
            axis.set_xscale("log")
            axis.set_yscale("log")
        logarithmic(row[0], "y", *row[0].get_ylim())
        row[0].set_ylabel(f"{KL_DIRECTION} [nat]\nof {LABELS[feature].symbol}")
    numbers = sorted(
        {int(number) for _, _, scan, solver in curves for number in _rows(scan, _SHOWN[0], solver)["evaluations"]}
    )
    axes[-1, 0].set_xticks(numbers, [f"{number}" for number in numbers])
    axes[-1, 0].xaxis.set_minor_locator(NullLocator())
    logarithmic(axes[-1, 1], "x", *axes[-1, 1].get_xlim())
    for axis, label in zip(axes[-1], _COSTS.values(), strict=True):
        axis.set_xlabel(label)
    handles = [Line2D([], [], linestyle=look.linestyle, label=label, **marker(look)) for label, look, *_ in curves]
    figure.suptitle(f"{title}: {sizes_of_scans([scan for _, _, scan, _ in curves])}")
    legend_below(figure, [*handles, *floor_handles()])
    return figure


def _solver_of(scan: SolverScan) -> str:
    found = [solver for solver in _PREFERRED if solver in set(scan.table["solver"])]
    if not found:
        raise InputError(f"{scan.model.entries[0]['path']}: no solver of the ordinary equation")
    return found[0]


def _rows(scan: SolverScan, feature: str, solver: str) -> pd.DataFrame:
    """Return the points of one curve, by their evaluations; those that are not finite are left out."""
    table = scan.table[(scan.table["metric"] == "kl") & (scan.table["feature"] == feature)]
    if solver:
        table = table[table["solver"] == solver]
    if table.empty:
        raise InputError(f"{scan.model.entries[0]['path']}: no metric 'kl' of '{feature}'")
    return table.dropna(subset=["value"]).sort_values("evaluations")
