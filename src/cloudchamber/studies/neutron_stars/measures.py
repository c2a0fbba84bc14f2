"""How good estimates are: errors, coverage and densities of the test sets, with a bootstrap over sets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.shares import of_share
from cloudchamber.studies.neutron_stars.estimates import Estimates
from cloudchamber.studies.neutron_stars.quantities import PARAMETERS, QUANTITIES

__all__ = ["LEVELS", "Measure", "inside", "measures", "resamplings"]

# Probabilities of central intervals of one and two standard deviations.
LEVELS: Mapping[str, float] = {"coverage_68": 0.6827, "coverage_95": 0.9545}


@final
@dataclass(frozen=True)
class Measure:
    """One metric of one quantity ("" for all together), and its standard deviation over resamplings of the sets."""

    metric: str
    quantity: str
    value: float
    uncertainty: float


def resamplings(sets: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """Return the (number + 1, sets) weights of means: of the sets as they are, then of bootstraps of them."""
    drawn = rng.multinomial(sets, np.full(sets, 1 / sets), number)
    return np.vstack([np.ones(sets), drawn]) / sets


def inside(ranks: np.ndarray, level: float) -> np.ndarray:
    """Return whether the truth is in the central interval of a probability, from its ranks in the posterior."""
    return np.abs(ranks - 0.5) <= level / 2


def measures(
    estimates: Estimates, constant: Estimates, exact: Estimates, truth: Mapping[str, np.ndarray], weights: np.ndarray
) -> Iterator[Measure]:
    """Yield all measures of a method on some sets.

    Args:
        estimates: of the method.
        constant, exact: of the references, for skill and ratio.
        truth: (N,) each quantity.
        weights: see :func:`resamplings`, the same for all methods, so that ratios are of the same sets.
    """

    def measure(metric: str, quantity: str, values: np.ndarray) -> Measure:
        return Measure(metric, quantity, float(values[0]), float(values[1:].std(ddof=1)))

    for name in QUANTITIES:
        residuals = estimates.means[name] - truth[name]
        square, of_constant, of_exact = (
            weights @ (item.means[name] - truth[name]) ** 2 for item in (estimates, constant, exact)
        )
        yield measure("bias", name, weights @ residuals)
        yield measure("rmse", name, np.sqrt(square))
        yield measure("skill", name, 1 - square / of_constant)
        yield measure("ratio_to_bayes", name, np.sqrt(square / of_exact))
        if name in PARAMETERS:
            yield measure("mape", name, 100 * (weights @ np.abs(residuals / truth[name])))
        if name in estimates.ranks:
            for metric, level in LEVELS.items():
                of_sets = measure(metric, name, weights @ inside(estimates.ranks[name], level))
                bounded = of_share(Estimate(of_sets.value, of_sets.uncertainty), len(estimates.ranks[name]))
                yield replace(of_sets, uncertainty=bounded.uncertainty)
    if estimates.log_density is not None:
        yield measure("nll", "", 0.0 - weights @ estimates.log_density)
    if estimates.log_ratio is not None and exact.log_ratio is not None:
        yield measure("log_ratio_error", "", np.sqrt(weights @ (estimates.log_ratio - exact.log_ratio) ** 2))
