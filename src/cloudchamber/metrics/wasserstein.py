"""The 1-Wasserstein distance between samples of one feature."""

import numpy as np
from numba import njit

from cloudchamber.metrics.resampling import Estimate, Sample

__all__ = ["wasserstein_distance"]


def wasserstein_distance(
    truth: Sample, generated: Sample, truth_weights: np.ndarray, generated_weights: np.ndarray
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
        >>> values, weights = np.arange(4.0), np.ones((2, 4))
        >>> wasserstein_distance(Sample.of_jets(values), Sample.of_jets(values + 3), weights, weights)
        Estimate(value=3.0, uncertainty=0.0)
    """
    values = np.concatenate([truth.values, generated.values])
    order = np.argsort(values, kind="stable")
    gaps = np.diff(values[order])
    jets = np.concatenate([truth.jets, truth.n_jets + generated.jets])[order]
    entries = np.bincount(jets, minlength=truth.n_jets + generated.n_jets)

    def distance(truth_row: np.ndarray, generated_row: np.ndarray) -> float:
        if truth.weights is not None:
            truth_row = truth_row * truth.weights
        if generated.weights is not None:
            generated_row = generated_row * generated.weights
        of_truth = truth_row / (truth_row @ entries[: truth.n_jets])
        of_generated = generated_row / (generated_row @ entries[truth.n_jets :])
        return _area(gaps, jets, np.concatenate([of_truth, -of_generated]))

    value = distance(np.ones(truth.n_jets), np.ones(generated.n_jets))
    resampled = [distance(*rows) for rows in zip(truth_weights, generated_weights, strict=True)]
    return Estimate(value, float(np.std(resampled, ddof=1)))


@njit(cache=True)
def _area(gaps: np.ndarray, jets: np.ndarray, weights: np.ndarray) -> float:
    """Return the area between two cumulative distributions, whose steps are the weights of the jets."""
    difference = 0.0
    area = 0.0
    for i in range(len(gaps)):
        difference += weights[jets[i]]
        area += abs(difference) * gaps[i]
    return area
