"""Kullback-Leibler divergence between samples, in bins that are equally probable in truth.

The definition is the one of the beyond_kinematics code (arXiv 2312.00123): probabilities, not densities, in bins at
quantiles of truth, and D = sum_k q_k ln(q_k / p_k), with q the generated and p the true probability of bin k. Densities
in bins of unequal width, as in other evaluations, would play down the tails.
"""

from itertools import pairwise

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.metrics.resampling import Estimate, Sample

__all__ = ["KL_DIRECTION", "bin_counts", "bin_edges", "divergence_of_counts", "expected_floor", "kl_divergence"]

KL_DIRECTION = "KL(generated || truth)"
_JETS_PER_PIECE = 8192


def bin_edges(truth: np.ndarray, bins: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the inner edges of bins that are equally probable in ``truth``, and of bins that hold one value alone.

    A bin holds the values above its lower and up to and including its upper edge; the first and the last bin are open,
    so that values outside the range of truth are counted. Edges at quantiles are values of ``truth``, so that a bin
    between two of them holds at least one of them, and equal values stay together.

    A value that as many entries have as belong into a bin is an atom: it has a bin of its own, so that what lies just
    below or above is told from it. Bins beside an atom may hold no value of ``truth``. A feature of no more different
    values than bins, such as the multiplicity, has an atom at least; one without equal values has none.

    Args:
        truth: (M,) finite values of the reference sample, M > 0, in any order.
        bins: number of bins wanted at quantiles.
        weights: (M,) of the values, whose sizes are then alike in all bins; None where all weigh the same.

    Returns:
        (K - 1,) increasing, K <= 3 bins.

    Example:
        >>> edges = bin_edges(np.arange(10.0), bins=5)
        >>> edges
        array([1., 3., 5., 7.])
        >>> bin_counts(np.array([-9.0, 0.5, 8.5, 99.0]), edges)
        array([2, 0, 0, 0, 2])
        >>> bin_counts(np.array([29.0, 30.0, 30.5]), bin_edges(np.full(10, 30.0), bins=5))
        array([1, 1, 1])
    """
    if weights is not None:
        return _weighted_edges(truth[weights != 0], bins, np.abs(weights[weights != 0]))
    values, counts = np.unique(truth, return_counts=True)
    # In whole numbers, since rounding i / bins would move some edges by one value.
    below = (np.arange(1, bins) * len(truth) + bins - 1) // bins
    quantiles = values[np.searchsorted(np.cumsum(counts), below)]
    atoms = values[counts >= max(min(2, len(truth)), len(truth) / bins)]
    return np.unique(np.concatenate([quantiles[quantiles < values[-1]], np.nextafter(atoms, -np.inf), atoms]))


def _weighted_edges(truth: np.ndarray, bins: int, weights: np.ndarray) -> np.ndarray:
    """Return what :func:`bin_edges` does, of positive weights; one heavy entry alone is no atom."""
    values, positions, entries = np.unique(truth, return_inverse=True, return_counts=True)
    sizes = np.bincount(positions, weights)
    cumulative = np.cumsum(sizes)
    # Sums are rounded: what holds a share exactly must not miss it.
    shares = np.arange(1, bins) / bins * (cumulative[-1] * (1 - 1e-12))
    quantiles = values[np.searchsorted(cumulative, shares)]
    filling = sizes >= cumulative[-1] / bins * (1 - 1e-12)
    atoms = values[filling & (entries >= min(2, len(truth)))]
    return np.unique(np.concatenate([quantiles[quantiles < values[-1]], np.nextafter(atoms, -np.inf), atoms]))


def bin_counts(values: np.ndarray, edges: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return (K,) how many of ``values`` lie in each of the K bins between the K - 1 inner ``edges``.

    They are int64, or the float64 sums of ``weights`` of the values.
    """
    return np.bincount(np.searchsorted(edges, values), weights, minlength=len(edges) + 1)


def divergence_of_counts(generated: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return sum_k q_k ln(q_k / p_k) over the last axis, in nats.

    A bin without generated entries adds 0, the limit of q ln q. A bin without true entries, as there are beside atoms
    and in resamplings of truth, counts as half an entry, so that the result stays finite; or as much as one generated
    entry, where that is less, so that no share of entries where truth has none can pass for the right one.

    Args:
        generated, truth: (..., K) counts, or sums of weights that add up to effective numbers. A negative sum, which
            resamplings of negative weights can bring about, counts as no entry.
    """
    entries, others = truth.sum(axis=-1, keepdims=True), generated.sum(axis=-1, keepdims=True)
    p = np.where(truth > 0, truth, np.minimum(0.5, entries / others))
    p = p / p.sum(axis=-1, keepdims=True)
    q = generated / others
    return (q * np.log(np.where(q > 0, q, p) / p)).sum(axis=-1)


def expected_floor(bins: int, n_reference: int, n_generated: int) -> float:
    """Return the mean divergence of two independent samples of one distribution: (K - 1) / 2 (1 / n + 1 / m).

    This is the leading order in the number of entries per bin, for independent values: it holds for features of jets.
    The particles of a jet are not independent, so the floor of particle features has to be measured.
    """
    return (bins - 1) / 2 * (1 / n_reference + 1 / n_generated)


def kl_divergence(
    truth: Sample, generated: Sample, bins: int, truth_weights: np.ndarray, generated_weights: np.ndarray
) -> Estimate:
    """Return the divergence of ``generated`` from ``truth`` in nats and its uncertainty.

    The value contains the bias of finite samples (:func:`expected_floor`), so it is to be read against the same number
    between two samples of truth. The uncertainty is the standard deviation over resamplings of both samples in the
    frozen bins of ``truth``. Resampling adds a bias of the size of the floor, which is why only the spread is used; for
    samples that agree it makes the spread too large by up to sqrt(3), elsewhere it does not matter.

    Bins that neither sample enters, such as those between whole numbers, are left out.

    Args:
        truth, generated: values of one feature.
        bins: number of bins at quantiles of ``truth``.
        truth_weights, generated_weights: (B, n_jets) each, from
            :func:`cloudchamber.metrics.resampling.bootstrap_weights`.

    Raises:
        InputError: the weights of truth or of the generated jets do not add up to more than zero in a bin.

    Example:
        >>> from cloudchamber.metrics.resampling import bootstrap_weights
        >>> rng = np.random.default_rng(1)
        >>> truth, generated = (Sample.of_jets(rng.normal(mean, size=5000)) for mean in (0.0, 0.5))
        >>> weights = [bootstrap_weights(5000, 50, rng) for _ in range(2)]
        >>> value, uncertainty = kl_divergence(truth, generated, 20, *weights)
        >>> print(f"{value:.3f} +- {uncertainty:.3f}, floor {expected_floor(20, 5000, 5000):.3f}")
        0.131 +- 0.010, floor 0.004
    """
    edges = bin_edges(truth.values, bins, truth.entry_weights)
    of_truth, of_generated = (bin_counts(side.values, edges, side.entry_weights) for side in (truth, generated))
    # Sums of negative weights alone come to this.
    if of_truth.min() < 0 or of_generated.min() < 0:
        lowest = min(of_truth.min(), of_generated.min())
        raise InputError(
            f"negative event weights: those of a bin add up to {lowest:.3g}, with {len(of_truth)} bins for what counts "
            f"like {truth.size:.0f} and {generated.size:.0f} jets; it takes more jets or fewer bins"
        )
    entered = (of_generated > 0) | (of_truth > 0)
    value = divergence_of_counts(of_generated[entered], of_truth[entered])
    resampled = divergence_of_counts(
        np.compress(entered, _resampled_counts(generated, edges, generated_weights), axis=1),
        np.compress(entered, _resampled_counts(truth, edges, truth_weights), axis=1),
    )
    return Estimate(float(value), float(resampled.std(ddof=1)))


def _resampled_counts(sample: Sample, edges: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return (B, K) float64 counts of each resampling, as products of weights and the counts of each jet."""
    n_bins = len(edges) + 1
    cells = sample.jets * n_bins + np.searchsorted(edges, sample.values)
    ends = np.searchsorted(sample.jets, np.arange(0, sample.n_jets + _JETS_PER_PIECE, _JETS_PER_PIECE))
    counts = np.zeros((len(weights), n_bins))
    for piece, (start, stop) in enumerate(pairwise(ends)):
        first = piece * _JETS_PER_PIECE
        n_jets = min(_JETS_PER_PIECE, sample.n_jets - first)
        of_jets = np.bincount(cells[start:stop] - first * n_bins, minlength=n_jets * n_bins)
        of_piece = weights[:, first : first + n_jets].astype(np.float64)
        if sample.weights is not None:
            of_piece *= sample.weights[first : first + n_jets]
        counts += of_piece @ of_jets.reshape(n_jets, n_bins)
    return counts
