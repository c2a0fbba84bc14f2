"""How good estimates are: errors, coverage and densities of the test sets, with a bootstrap over sets."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

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

    def measure(metric: str, quantity: str, value: Callable[[np.ndarray], np.ndarray]) -> Measure:
        values = value(weights)
        return Measure(metric, quantity, float(values[0]), float(values[1:].std(ddof=1)))

    for name in QUANTITIES:
        residuals, of_constant, of_exact = (
            item.means[name] - truth[name] for item in (estimates, constant, exact)
        )
        yield measure("bias", name, lambda w, r=residuals: w @ r)
        yield measure("rmse", name, lambda w, r=residuals: np.sqrt(w @ r**2))
        yield measure("skill", name, lambda w, r=residuals, c=of_constant: 1 - (w @ r**2) / (w @ c**2))
        yield measure("ratio_to_bayes", name, lambda w, r=residuals, e=of_exact: np.sqrt((w @ r**2) / (w @ e**2)))
        if name in PARAMETERS:
            yield measure("mape", name, lambda w, r=residuals, t=truth[name]: 100 * (w @ np.abs(r / t)))
        if name in estimates.ranks:
            for metric, level in LEVELS.items():
                hits = inside(estimates.ranks[name], level).astype(np.float64)
                yield measure(metric, name, lambda w, h=hits: w @ h)
    if estimates.log_density is not None:
        density = estimates.log_density
        yield measure("nll", "", lambda w: -(w @ density))
    if estimates.log_ratio is not None and exact.log_ratio is not None:
        errors = estimates.log_ratio - exact.log_ratio
        yield measure("log_ratio_error", "", lambda w: np.sqrt(w @ errors**2))
