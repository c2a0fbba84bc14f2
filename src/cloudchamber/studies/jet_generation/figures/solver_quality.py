"""Quality against cost of solvers: a model drawn from with every solver at several numbers of evaluations."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from cloudchamber.errors import InputError
from cloudchamber.figures.dots import floor_handles, floor_line, marker
from cloudchamber.figures.labels import plain_solver, wrapped
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import Look
from cloudchamber.figures.pairs import Pair, draw_pairs, limits, pair_handles
from cloudchamber.jets.features import LABELS
from cloudchamber.metrics.divergence import KL_DIRECTION
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.settings.entries import need
from cloudchamber.studies.jet_generation.solver_scans import SolverScan, read_scans, sizes_of_scans

__all__ = ["draw_ode_sde", "draw_solver_scan", "ode_sde", "solver_scan"]

CAPTIONS = {
    "solver_scan": (
        "KL(generated || truth) of jet mass, tau21 and tau32 against the network "
        "evaluations spent on a jet: the price of quality. One column per model, first seed; one curve per "
        "solver, full markers and solid lines for solvers of the ordinary equation, open markers and dashes "
        "for the stochastic one. All points draw the same jets from the same noise. Their sums of momenta are "
        "imposed unless the settings leave them free. Bars: standard deviation "
        "over resamplings of the true and the generated jets. Black line and grey band: the floor, the same "
        "number for as many independent true jets, and its uncertainty. A cross at the top marks a solver "
        "that gave values that are not finite."
    ),
    "ode_sde": (
        "The same models drawn from by the ordinary and by the stochastic equation, with equal numbers of "
        "network evaluations: the highest number that was scanned with both. The solver of the ordinary "
        "equation is Heun's where it was scanned, and not the best one of each feature. KL(generated || "
        "truth) of each feature in nats; bars are standard deviations over resamplings of the true and the "
        "generated jets. Black line and grey band: the floor and its uncertainty. Pairs whose bars overlap "
        "show no difference."
    ),
}

SHOWN = ("jet_mass", "tau21", "tau32")
_TICKS = 8
# Full markers and solid lines for solvers of the ordinary equation; open markers and dashes for stochastic ones.
_ORDINARY = {
    "euler": Look("#0072B2", "solid", "o"),
    "midpoint": Look("#009E73", "solid", "D"),
    "heun": Look("#D55E00", "solid", "^"),
    "rk4": Look("#332288", "solid", "v"),
    "ddim": Look("#56B4E9", "solid", "P"),
    "dpm_solver": Look("#E69F00", "solid", "X"),
    "flow_map": Look("#CC79A7", "solid", "<"),
    "one_step": Look("#661100", "solid", "*"),
}
_STOCHASTIC = Look("black", (0, (3.0, 1.5)), "s", "none")
# The ordinary solver that a stochastic one is compared with: the first of these that was scanned.
_PREFERRED = ("heun", "midpoint", "rk4", "dpm_solver", "euler", "ddim")


def draw_solver_scan(files: Mapping[str, Any]) -> Figure:
    """Draw quality against the number of evaluations of every solver."""
    return solver_scan(read_scans(files), need(files, "title"))


def draw_ode_sde(files: Mapping[str, Any]) -> Figure:
    """Draw the ordinary against the stochastic equation at equal cost."""
    return ode_sde(read_scans(files), need(files, "title"))


def solver_scan(data: Sequence[SolverScan], title: str) -> Figure:
    """Draw the KL divergence of some features against the number of evaluations, one column per model.

    Args:
        data: the scans.
        title: what was scanned.
    """
    figure = Figure(figsize=(1.2 + 3.2 * max(len(data), 2), 2.3 * len(SHOWN) + 1.3), layout="constrained")
    axes = figure.subplots(len(SHOWN), len(data), sharex=True, sharey="row", squeeze=False)
    numbers = sorted({int(number) for scan in data for number in scan.table["evaluations"]})
    ticks = numbers[:: -(-len(numbers) // _TICKS)]
    looks: dict[str, Look] = {}
    missing = False
    for column, scan in zip(axes.T, data, strict=True):
        column[0].set_title(wrapped(scan.model.label, 34))
        for axis, feature in zip(column, SHOWN, strict=True):
            rows = scan.table[(scan.table["metric"] == "kl") & (scan.table["feature"] == feature)]
            if rows.empty:
                raise InputError(f"{scan.model.entries[0]['path']}: no metric 'kl' of '{feature}'")
            floor_line(axis, *rows[["floor", "floor_uncertainty"]].iloc[0])
            for position, (solver, of_solver) in enumerate(rows.groupby("solver", sort=False)):
                look = _look(str(solver), bool(of_solver["stochastic"].iloc[0]))
                looks[str(solver)] = look
                missing = _curve(axis, of_solver.sort_values("evaluations"), look, 0.97 - 0.05 * position) or missing
            axis.set_xscale("log")
            axis.set_yscale("log")
            axis.set_xticks(ticks, [f"{number:g}" for number in ticks])
            axis.xaxis.set_minor_locator(NullLocator())
        column[-1].set_xlabel("network evaluations per jet")
    for axis, feature in zip(axes[:, 0], SHOWN, strict=True):
        axis.set_ylabel(f"{KL_DIRECTION} [nat]\nof {LABELS[feature].symbol}")
    handles = [
        Line2D([], [], linestyle=look.linestyle, label=plain_solver(solver), **marker(look))
        for solver, look in looks.items()
    ]
    if missing:
        handles.append(Line2D([], [], linestyle="none", color="black", marker="x", label="values that are not finite"))
    figure.suptitle(f"{title}: {sizes_of_scans(data)}")
    legend_below(figure, [*handles, *floor_handles()])
    return figure


def _look(solver: str, stochastic: bool) -> Look:
    return _STOCHASTIC if stochastic else _ORDINARY[solver]


def _curve(axis: Axes, rows: pd.DataFrame, look: Look, top: float) -> bool:
    """Draw the values of one solver, and a cross at ``top`` for each that is not finite; return if there are such."""
    axis.errorbar(
        rows["evaluations"], rows["value"], yerr=rows["uncertainty"], linestyle=look.linestyle, **marker(look)
    )
    lost = rows[rows["value"].isna()]
    axis.plot(
        lost["evaluations"],
        np.full(len(lost), top),
        linestyle="none",
        marker="x",
        color=look.color,
        transform=axis.get_xaxis_transform(),
    )
    return not lost.empty


def ode_sde(data: Sequence[SolverScan], title: str) -> Figure:
    """Draw the KL divergence of every feature with an ordinary and with the stochastic solver, one panel per model.

    Both have the same number of evaluations: the highest one that was scanned with both. The ordinary solver is Heun's
    where it was scanned; it is not the best one of each feature, which would be chosen by its luck.

    Args:
        data: the scans.
        title: what was scanned.

    Raises:
        InputError: a model was not scanned with both kinds of solvers at one number of evaluations.
    """
    chosen = [_comparison(scan) for scan in data]
    height = 1.9 + 0.34 * max(len(pairs) for _, pairs in chosen)
    figure = Figure(figsize=(1.4 + 3.0 * max(len(data), 2), height), layout="constrained")
    axes = figure.subplots(1, len(data), sharey=True, squeeze=False)[0]
    ends = limits(pair for _, pairs in chosen for pair in pairs)
    for axis, scan, (heading, pairs) in zip(axes, data, chosen, strict=True):
        draw_pairs(axis, pairs, ends)
        axis.set_title(f"{wrapped(scan.model.label, 30)}\n{heading}")
        axis.set_xlabel(f"{KL_DIRECTION} [nat]")
    figure.suptitle(f"{title}: {sizes_of_scans(data)}")
    legend_below(figure, pair_handles("ordinary equation (ODE)", "stochastic equation (SDE)"))
    return figure


def _comparison(scan: SolverScan) -> tuple[str, list[Pair]]:
    """Return solvers and evaluations in words, and the pairs of every feature."""
    table = scan.table[scan.table["metric"] == "kl"]
    evaluations = {str(solver): set(rows["evaluations"]) for solver, rows in table.groupby("solver")}
    stochastic = sorted(set(table[table["stochastic"]]["solver"]))
    matches = [
        (ordinary, other, evaluations[ordinary] & evaluations[other])
        for other in stochastic
        for ordinary in _PREFERRED
        if ordinary in evaluations and evaluations[ordinary] & evaluations[other]
    ]
    if not matches:
        raise InputError(
            f"{scan.model.entries[0]['path']}: no number of evaluations with an ordinary and a stochastic solver"
        )
    ordinary, other, common = matches[0]
    at = table[table["evaluations"] == max(common)].set_index(["solver", "feature"])
    pairs = []
    for feature in dict.fromkeys(table["feature"]):
        first, second = at.loc[(ordinary, feature)], at.loc[(other, feature)]
        pairs.append(
            Pair(
                feature,
                Estimate(first["value"], first["uncertainty"]),
                Estimate(second["value"], second["uncertainty"]),
                Estimate(first["floor"], first["floor_uncertainty"]),
            )
        )
    return f"{plain_solver(ordinary)}, {plain_solver(other)},\n{max(common)} evaluations each", pairs
