"""Estimates of one method for the test sets: averages, ranks of the truth, densities at the truth; and their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.jets.observable_file import read_observables, refuse_other_source, write_observables
from cloudchamber.studies.neutron_stars.posterior import Cells, Posteriors, log_mean_exp
from cloudchamber.studies.neutron_stars.quantities import QUANTITIES
from cloudchamber.studies.neutron_stars.star_sets import StarSets

__all__ = [
    "Estimates",
    "case_of",
    "joined",
    "of_likelihoods",
    "of_posteriors",
    "of_rows",
    "read_estimates",
    "write_case",
    "write_estimates",
]


@final
@dataclass(frozen=True)
class Estimates:
    """What a method says of N sets of stars.

    Attributes:
        means: (N,) each quantity: the average of the posterior, or a point estimate.
        ranks: (N,) each quantity: posterior probability of less than the truth; empty without a posterior.
        log_density: (N,) logarithm of the posterior density at the truth, in units of that of the prior; or None.
        log_ratio: (N,) logarithm of the likelihood at the truth, in units of that of each star's average over the box,
            summed over stars; or None.
    """

    means: Mapping[str, np.ndarray]
    ranks: Mapping[str, np.ndarray]
    log_density: np.ndarray | None = None
    log_ratio: np.ndarray | None = None


def of_posteriors(posteriors: Posteriors, truth: Mapping[str, np.ndarray], log_density: np.ndarray) -> Estimates:
    """Return the estimates of posteriors on the cells."""
    return Estimates(posteriors.means(), posteriors.ranks(truth), log_density)


def of_likelihoods(
    cells: Cells,
    log_likelihood: np.ndarray,
    at_truth: np.ndarray,
    log_ratio: np.ndarray,
    truth: Mapping[str, np.ndarray],
) -> Estimates:
    """Return the estimates of likelihoods that were scanned over the cells, with the flat prior.

    Args:
        cells: of the box.
        log_likelihood: (N, G), summed over stars.
        at_truth: (N,) at the true parameters.
        log_ratio: (N,) see :class:`Estimates`.
        truth: (N,) each quantity.
    """
    posteriors = Posteriors.of_log(cells, log_likelihood)
    density = at_truth - log_mean_exp(log_likelihood)
    return Estimates(posteriors.means(), posteriors.ranks(truth), density, log_ratio)


def joined(parts: Sequence[Estimates]) -> Estimates:
    """Return the estimates of several parts of the sets as one; all of them have the same entries."""

    def column(name: str) -> np.ndarray | None:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)

    means, ranks = (
        {key: np.concatenate([getattr(part, name)[key] for part in parts]) for key in getattr(parts[0], name)}
        for name in ("means", "ranks")
    )
    return Estimates(means, ranks, column("log_density"), column("log_ratio"))


def of_rows(estimates: Estimates, rows: np.ndarray) -> Estimates:
    """Return the estimates of some sets."""

    def column(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[rows]

    return Estimates(
        {name: values[rows] for name, values in estimates.means.items()},
        {name: values[rows] for name, values in estimates.ranks.items()},
        column(estimates.log_density),
        column(estimates.log_ratio),
    )


def case_of(sets: StarSets, reference: str) -> int:
    """Return the row, among those of ``sets``, of the case whose posteriors are drawn.

    It is the set of the condition whose maximum mass is the median one: chosen by the truth, and by no method.
    """
    rows = np.flatnonzero(sets.condition == sets.conditions.index(reference))
    return int(rows[np.argsort(sets.quantities["maximum_mass"][rows], kind="stable")[len(rows) // 2]])


def write_estimates(path: Path, estimates: Estimates, meta: Mapping[str, Any]) -> None:
    """Write estimates in the layout of observables: ``mean_<quantity>``, ``rank_<quantity>``, ``log_density``, ...

    Raises:
        StorageError: the file cannot be written.
    """
    table = {f"mean_{name}": values for name, values in estimates.means.items()}
    table |= {f"rank_{name}": values for name, values in estimates.ranks.items()}
    for name in ("log_density", "log_ratio"):
        values = getattr(estimates, name)
        table |= {} if values is None else {name: values}
    write_observables(path, table, meta)


def read_estimates(path: Path, sets: int, made_from: Path | None = None) -> Estimates:
    """Read estimates of as many test sets.

    Args:
        path: the file.
        sets: how many there are.
        made_from: the file of the sets; None where their number is enough.

    Raises:
        InputError: the file cannot be used, is of other sets, or holds what is no number.
    """
    table, meta = read_observables(path)
    missing = [name for name in QUANTITIES if f"mean_{name}" not in table]
    if missing:
        raise InputError(f"{path}: no observable 'mean_{missing[0]}' among {sorted(table)}")
    found = len(table["mean_lambda_1"])
    if found != sets:
        raise InputError(f"{path}: estimates of {found} sets of stars, there are {sets}")
    for name, values in table.items():
        if np.isnan(values).any():
            raise InputError(f"{path}: '{name}' of {np.count_nonzero(np.isnan(values))} of {sets} sets is no number")
    if made_from is not None:
        refuse_other_source(path, meta, made_from, "sets of stars")
    return Estimates(
        {name: table[f"mean_{name}"] for name in QUANTITIES},
        {name: table[f"rank_{name}"] for name in QUANTITIES if f"rank_{name}" in table},
        table.get("log_density"),
        table.get("log_ratio"),
    )


def write_case(path: Path, cells: Cells, weights: np.ndarray, meta: Mapping[str, Any]) -> None:
    """Write the posterior of one set of stars on the cells.

    Args:
        path: file of observables ``lambda_1``, ``lambda_2`` and ``weight``.
        cells: of the box.
        weights: (G,).
        meta: what describes it.

    Raises:
        StorageError: the file cannot be written.
    """
    parameters = {name: cells.quantities[name] for name in ("lambda_1", "lambda_2")}
    write_observables(path, {**parameters, "weight": weights}, {**meta, "cells": list(cells.numbers)})
