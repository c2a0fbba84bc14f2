"""The 1-Wasserstein distance between samples of one feature."""

from collections.abc import Sequence

import numpy as np
from numba import njit

from cloudchamber.metrics.ordered import OrderedEntries
from cloudchamber.metrics.resampling import Estimate, JetEntries

__all__ = ["mean_distance", "resampled_distances", "wasserstein_distance"]


def wasserstein_distance(
    truth: JetEntries, generated: JetEntries, truth_weights: np.ndarray, generated_weights: np.ndarray
) -> Estimate:
    """Return the integral of |F - G| over the cumulative distributions of two samples, and its uncertainty.

    The samples may have different lengths. The distance is exact, in the unit of the feature; the uncertainty is the
    standard deviation over resamplings of the jets of both samples. Both samples are sorted once; a resampling only
    changes the weights in one pass over the sorted values. Weights of jets are the steps of the distributions; with
    negative ones these are not monotonous.

    Args:
        truth, generated: values of one feature.
        truth_weights, generated_weights: (B, n_jets) each, from
            :func:`cloudchamber.metrics.resampling.bootstrap_weights`.

    Example:
        >>> from cloudchamber.metrics.resampling import Sample
        >>> values, weights = np.arange(4.0), np.ones((2, 4))
        >>> wasserstein_distance(Sample.of_jets(values), Sample.of_jets(values + 3), weights, weights)
        Estimate(value=3.0, uncertainty=0.0)
    """
    sides = truth, generated
    with OrderedEntries(sides) as ordered:
        value, resampled = resampled_distances(ordered, sides, (0, 1), truth_weights, generated_weights)
    return Estimate(value, float(np.std(resampled, ddof=1)))


def resampled_distances(
    ordered: OrderedEntries,
    samples: tuple[JetEntries, JetEntries],
    places: tuple[int, int],
    truth_weights: np.ndarray,
    generated_weights: np.ndarray,
) -> tuple[float, np.ndarray]:
    """Return the distance of two samples and that of each of their resamplings, (B,).

    Args:
        ordered: the entries of these samples, and maybe of others.
        samples: truth and generated.
        places: of the two among the samples of ``ordered``.
        truth_weights, generated_weights: (B, n_jets) each.
    """
    drawn = [np.ascontiguousarray(weights.T) for weights in (truth_weights, generated_weights)]
    of_jets = [np.ones(side.n_jets) if side.weights is None else side.weights for side in samples]
    totals = [
        _totals(of_side, weights, side.entries_of_jets)
        for side, of_side, weights in zip(samples, drawn, of_jets, strict=True)
    ]
    first = [int(ordered.first[place]) for place in places]
    difference, area = np.zeros((2, 1 + len(truth_weights)))
    previous = np.nan
    for values, jets in ordered:
        previous = _add_range(
            values, jets, first[0], first[1], drawn[0], drawn[1], of_jets[0], of_jets[1], totals[0], totals[1],
            previous, difference, area,
        )  # fmt: skip
    return float(area[0]), area[1:]


def mean_distance(found: Sequence[tuple[float, np.ndarray]]) -> Estimate:
    """Return the mean over features of what :func:`resampled_distances` returns of each, and its spread."""
    values, resampled = zip(*found, strict=True)
    return Estimate(float(np.mean(values)), float(np.std(np.mean(resampled, axis=0), ddof=1)))


@njit(cache=True)
def _totals(drawn: np.ndarray, weights: np.ndarray, entries: np.ndarray) -> np.ndarray:
    """Return (1 + B,) sums of the weights of all entries, of the sample and of each resampling."""
    totals = np.zeros(1 + drawn.shape[1])
    for jet in range(len(weights)):
        totals[0] += weights[jet] * entries[jet]
        for b in range(drawn.shape[1]):
            totals[b + 1] += drawn[jet, b] * weights[jet] * entries[jet]
    return totals


@njit(cache=True, error_model="numpy")
def _add_range(
    values: np.ndarray,
    jets: np.ndarray,
    truth_first: int,
    other_first: int,
    truth_drawn: np.ndarray,
    other_drawn: np.ndarray,
    truth_weights: np.ndarray,
    other_weights: np.ndarray,
    truth_totals: np.ndarray,
    other_totals: np.ndarray,
    previous: float,
    difference: np.ndarray,
    area: np.ndarray,
) -> float:
    """Add the area between cumulative distributions, whose steps are the weights of the jets, over a range of values.

    ``difference`` and ``area`` have a number for the samples and one for each resampling; returned is the last value.
    """
    bootstraps = truth_drawn.shape[1]
    for i in range(len(values)):
        of_truth = jets[i] - truth_first
        of_other = jets[i] - other_first
        in_truth = 0 <= of_truth < len(truth_weights)
        if not in_truth and not 0 <= of_other < len(other_weights):
            continue
        gap = values[i] - previous
        if gap > 0:
            for b in range(bootstraps + 1):
                area[b] += abs(difference[b]) * gap
        previous = values[i]
        if in_truth:
            weight = truth_weights[of_truth]
            difference[0] += weight / truth_totals[0]
            for b in range(bootstraps):
                difference[b + 1] += truth_drawn[of_truth, b] * weight / truth_totals[b + 1]
        else:
            weight = other_weights[of_other]
            difference[0] -= weight / other_totals[0]
            for b in range(bootstraps):
                difference[b + 1] -= other_drawn[of_other, b] * weight / other_totals[b + 1]
    return previous
