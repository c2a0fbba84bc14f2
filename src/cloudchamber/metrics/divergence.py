"""Kullback-Leibler divergence between samples, in bins that are equally probable in truth.

The definition is the one of the beyond_kinematics code (arXiv 2312.00123): probabilities, not densities, in bins at
quantiles of truth, and D = sum_k q_k ln(q_k / p_k), with q the generated and p the true probability of bin k. Densities
in bins of unequal width, as in other evaluations, would play down the tails.
"""

import numpy as np
from numba import njit

from cloudchamber.errors import InputError
from cloudchamber.metrics.ordered import OrderedEntries
from cloudchamber.metrics.probable_bins import edges_of_truth
from cloudchamber.metrics.resampling import Estimate, JetEntries

__all__ = [
    "KL_DIRECTION",
    "divergence_in_bins",
    "divergence_of_counts",
    "expected_floor",
    "kl_divergence",
]

KL_DIRECTION = "KL(generated || truth)"


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
    truth: JetEntries, generated: JetEntries, bins: int, truth_weights: np.ndarray, generated_weights: np.ndarray
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
        >>> from cloudchamber.metrics.resampling import Sample, bootstrap_weights
        >>> rng = np.random.default_rng(1)
        >>> truth, generated = (Sample.of_jets(rng.normal(mean, size=5000)) for mean in (0.0, 0.5))
        >>> weights = [bootstrap_weights(5000, 50, rng) for _ in range(2)]
        >>> value, uncertainty = kl_divergence(truth, generated, 20, *weights)
        >>> print(f"{value:.3f} +- {uncertainty:.3f}, floor {expected_floor(20, 5000, 5000):.3f}")
        0.131 +- 0.010, floor 0.004
    """
    with OrderedEntries([truth, generated]) as ordered:
        edges = edges_of_truth(ordered, truth, bins)
        return divergence_in_bins(ordered, (truth, generated), (0, 1), edges, truth_weights, generated_weights)


def divergence_in_bins(
    ordered: OrderedEntries,
    samples: tuple[JetEntries, JetEntries],
    places: tuple[int, int],
    edges: np.ndarray,
    truth_weights: np.ndarray,
    generated_weights: np.ndarray,
) -> Estimate:
    """Return the divergence of two samples in given bins, as :func:`kl_divergence` does.

    Args:
        ordered: the entries of these samples, and maybe of others.
        samples: truth and generated.
        places: of the two among the samples of ``ordered``.
        edges: inner edges of the bins.
        truth_weights, generated_weights: (B, n_jets) each.

    Raises:
        InputError: see :func:`kl_divergence`.
    """
    truth, generated = samples
    found = [
        _counts(ordered, side, int(ordered.first[place]), edges, weights)
        for side, place, weights in zip(samples, places, (truth_weights, generated_weights), strict=True)
    ]
    (of_truth, truth_resampled), (of_generated, generated_resampled) = found
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
        np.compress(entered, generated_resampled, axis=1), np.compress(entered, truth_resampled, axis=1)
    )
    return Estimate(float(value), float(resampled.std(ddof=1)))


def _counts(
    ordered: OrderedEntries, sample: JetEntries, first: int, edges: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (K,) counts of a sample whose first jet is ``first``, or sums of weights, and (B, K) of resamplings."""
    counts = np.zeros((len(edges) + 1, 1 + len(weights)))
    drawn = np.ascontiguousarray(weights.T)
    of_jets = np.ones(sample.n_jets) if sample.weights is None else sample.weights
    for values, jets in ordered:
        _add_counts(np.searchsorted(edges, values), jets, first, drawn, of_jets, counts)
    return counts[:, 0].copy(), np.ascontiguousarray(counts[:, 1:].T)


@njit(cache=True)
def _add_counts(
    cells: np.ndarray, jets: np.ndarray, first: int, drawn: np.ndarray, weights: np.ndarray, counts: np.ndarray
) -> None:
    for i in range(len(cells)):
        jet = jets[i] - first
        if 0 <= jet < len(weights):
            counts[cells[i], 0] += weights[jet]
            for b in range(drawn.shape[1]):
                counts[cells[i], b + 1] += drawn[jet, b] * weights[jet]
