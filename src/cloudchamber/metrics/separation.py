"""The separation power of two histograms, as CaloChallenge defines it (arXiv 2410.21611, section 5)."""

import numpy as np

from cloudchamber.metrics.resampling import Estimate, Sample

__all__ = ["separation", "separation_power"]


def separation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return 1/2 sum (h1 - h2)^2 / (h1 + h2) over the last axis, of histograms (..., K) that are scaled to sum to one.

    It is 0 for equal histograms and 1 for those without a bin in common; empty bins count for nothing.

    Example:
        >>> separation(np.array([1.0, 1.0]), np.array([2.0, 0.0])).round(4)
        np.float64(0.3333)
    """
    first = first / np.maximum(first.sum(axis=-1, keepdims=True), 1e-300)
    second = second / np.maximum(second.sum(axis=-1, keepdims=True), 1e-300)
    total = first + second
    terms = np.divide((first - second) ** 2, total, out=np.zeros_like(total), where=total > 0)
    result: np.ndarray = 0.5 * terms.sum(axis=-1)
    return result


def separation_power(
    truth: Sample, generated: Sample, edges: np.ndarray, truth_weights: np.ndarray, generated_weights: np.ndarray
) -> Estimate:
    """Return the separation of two samples of one feature in bins of equal width or other ones, and its uncertainty.

    Values beyond the edges have a bin of their own on each side: in the first and last one they would be taken for true
    ones, all of them where truth has one value. The uncertainty is the standard deviation over resamplings
    of both samples; resampling adds a bias, which is why only the spread is used.

    Args:
        truth, generated: values of one feature.
        edges: (K + 1,) of the bins.
        truth_weights, generated_weights: (B, n) each, from
            :func:`cloudchamber.metrics.resampling.bootstrap_weights`.
    """
    sides = [_counts(sample, edges) for sample in (truth, generated)]
    value = separation(*(counts.sum(axis=0) for counts in sides))
    resampled = separation(truth_weights @ sides[0], generated_weights @ sides[1])
    return Estimate(float(value), float(resampled.std(ddof=1)))


def _counts(sample: Sample, edges: np.ndarray) -> np.ndarray:
    """Return (n, K + 2) entries of each jet or shower below the edges, in each bin, and above."""
    bins = len(edges) + 1
    place = np.searchsorted(edges, sample.values, side="right")
    counts = np.bincount(sample.jets * bins + place, minlength=sample.n_jets * bins)
    return counts.reshape(sample.n_jets, bins).astype(np.float64)
