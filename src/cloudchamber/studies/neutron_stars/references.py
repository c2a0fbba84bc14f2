"""What needs no training: the constant, ridge regression, and the exact posterior, which no method can beat."""

import sys
from pathlib import Path

import numpy as np

from cloudchamber.progress import progress
from cloudchamber.storage import provenance
from cloudchamber.studies.neutron_stars.curve_file import read_curves
from cloudchamber.studies.neutron_stars.estimates import (
    Estimates,
    case_of,
    joined,
    of_likelihoods,
    of_posteriors,
    write_case,
    write_estimates,
)
from cloudchamber.studies.neutron_stars.likelihood import log_likelihood
from cloudchamber.studies.neutron_stars.posterior import Cells, Posteriors, log_mean_exp
from cloudchamber.studies.neutron_stars.quantities import PREDICTED, all_quantities
from cloudchamber.studies.neutron_stars.ridge import Ridge
from cloudchamber.studies.neutron_stars.settings import MeasurementSettings
from cloudchamber.studies.neutron_stars.star_sets import StarSets, read_sets

__all__ = ["constant_estimates", "estimate_references", "exact_log_likelihoods", "ridge_estimates"]

# Sets of stars at once: a matrix of a few megabytes on the cells.
_CHUNK = 200
# On fewer cells (the median of the sets of a condition) the error of the exact posterior is off by about a percent.
_FEWEST_CELLS = 10.0


def estimate_references(
    curves: Path,
    sets: Path,
    grid: Path,
    settings: MeasurementSettings,
    constant: Path,
    ridge: Path,
    exact: Path,
    case: Path,
) -> None:
    """Write what the constant, ridge regression and the exact posterior say of the test sets.

    Args:
        curves, sets, grid: made by ``solve`` and ``observe``.
        settings: stars and evaluation.
        constant, ridge, exact: files of estimates.
        case: exact posterior of one set.

    A warning names the conditions whose exact posteriors are narrower than the cells resolve.

    Raises:
        InputError: a file cannot be used.
        StorageError: a file cannot be written.
    """
    of_curves, data, cells = read_curves(curves), read_sets(sets), Cells.read(grid)
    rows = np.searchsorted(of_curves.label("equation"), data.part("test").equation)
    maximum = of_curves.feature("maximum_mass").astype(np.float64)[rows]
    radius = of_curves.point("radius").astype(np.float64)[rows]
    record = provenance("neutron_stars references", settings.model_dump(mode="json"), [curves, sets, grid])
    write_estimates(constant, constant_estimates(data, cells), {"provenance": record})
    write_estimates(ridge, ridge_estimates(data, cells, settings.evaluation.ridge_penalty), {"provenance": record})
    test = data.part("test")
    logarithm, estimates, on_cells = _exact(test, cells, maximum, radius, settings.stars.reference.key)
    _say_coarse(test, on_cells)
    write_estimates(exact, estimates, {"provenance": record})
    write_case(case, cells, Posteriors.of_log(cells, logarithm).weights[0], {"provenance": record})


def constant_estimates(sets: StarSets, cells: Cells) -> Estimates:
    """Return the estimates that look at no star: averages of the training part, and the prior as posterior."""
    test, train = sets.part("test"), sets.part("train")
    means = {name: np.full(len(test), values.mean()) for name, values in train.quantities.items()}
    prior = np.full((len(test), len(cells.radius)), 1 / len(cells.radius))
    return Estimates(means, Posteriors(cells, prior).ranks(test.quantities), np.zeros(len(test)))


def ridge_estimates(sets: StarSets, cells: Cells, penalty: float) -> Estimates:
    """Return the estimates of ridge regressions, one for each condition, on the stars sorted by mass.

    The density of the parameters is the Gaussian of the residuals of the training part, cut off at the box.
    """
    test = sets.part("test")
    means = {name: np.empty(len(test)) for name in PREDICTED}
    weights, density = np.empty((len(test), len(cells.radius))), np.empty(len(test))
    for condition in sets.conditions:
        rows = np.flatnonzero(test.condition == sets.conditions.index(condition))
        train = sets.rows("train", condition)
        truth = np.column_stack([sets.quantities[name] for name in PREDICTED])
        ridge = Ridge.fit(sets.stars[train], sets.mask[train], truth[train], penalty)
        predicted = ridge.predict(test.stars[rows], test.mask[rows])
        for place, name in enumerate(PREDICTED):
            means[name][rows] = predicted[:, place]
        logarithm = ridge.log_density(predicted, cells.parameters[None])
        weights[rows] = Posteriors.of_log(cells, logarithm).weights
        at_truth = ridge.log_density(predicted, test.parameters[rows][:, None])[:, 0]
        density[rows] = at_truth - log_mean_exp(logarithm)
    found = of_posteriors(Posteriors(cells, weights), test.quantities, density)
    return Estimates(all_quantities(means), found.ranks, density)


def exact_log_likelihoods(stars: np.ndarray, mask: np.ndarray, cells: Cells) -> np.ndarray:
    """Return the (N, G) logarithms of the exact likelihoods of sets of stars on the cells, summed over stars."""
    return log_likelihood(stars, mask, cells.maximum_mass, cells.radius)


def _exact(
    test: StarSets, cells: Cells, maximum: np.ndarray, radius: np.ndarray, reference: str
) -> tuple[np.ndarray, Estimates, np.ndarray]:
    """Return the logarithm of the posterior of the case, (1, G), the exact estimates of all sets, and on how many cells
    the posterior of each lies.

    Args:
        test: the sets.
        cells: of the box.
        maximum: (N,) true maximum masses.
        radius: (N, K) true curves.
        reference: condition of the case.
    """
    case, parts, of_case = case_of(test, reference), [], np.empty((1, len(cells.radius)))
    on = []
    with progress("exact posteriors", len(test), "sets") as bar:
        for start in range(0, len(test), _CHUNK):
            some = slice(start, start + _CHUNK)
            stars, mask = test.stars[some], test.mask[some]
            logarithm = np.zeros((len(stars), len(cells.radius)))
            at_truth, log_ratio = np.zeros(len(stars)), np.zeros(len(stars))
            for slot in range(stars.shape[1]):
                there = np.flatnonzero(mask[:, slot])
                of_one = stars[there, slot : slot + 1], mask[there, slot : slot + 1]
                on_cells = exact_log_likelihoods(*of_one, cells)
                at = log_likelihood(*of_one, maximum[some][there], radius[some][there], paired=True)
                logarithm[there] += on_cells
                at_truth[there] += at
                log_ratio[there] += at - log_mean_exp(on_cells)
            truth = {name: values[some] for name, values in test.quantities.items()}
            on.append(Posteriors.of_log(cells, logarithm).effective_cells)
            parts.append(of_likelihoods(cells, logarithm, at_truth, log_ratio, truth))
            if start <= case < start + _CHUNK:
                of_case = logarithm[case - start : case - start + 1]
            bar.update(len(stars))
    return of_case, joined(parts), np.concatenate(on)


def _say_coarse(test: StarSets, on_cells: np.ndarray) -> None:
    for number, condition in enumerate(test.conditions):
        typical = float(np.median(on_cells[test.condition == number]))
        if typical < _FEWEST_CELLS:
            sys.stderr.write(
                f"neutron_stars references: WARNING: exact posteriors of {condition} lie on {typical:.2g} cells: a "
                "finer curves.grid is needed for a limit, and for densities, that are right to a percent\n"
            )
