"""Kullback-Leibler divergence between samples, in bins that are equally probable in truth.

The definition is the one of the beyond_kinematics code (arXiv 2312.00123): probabilities, not densities, in bins at
quantiles of truth, and D = sum_k q_k ln(q_k / p_k), with q the generated and p the true probability of bin k. Densities
in bins of unequal width, as in other evaluations, would play down the tails.
"""

from collections.abc import Iterator

import numpy as np
from numba import njit

from cloudchamber.errors import InputError
from cloudchamber.metrics.ordered import OrderedEntries
from cloudchamber.metrics.resampling import Estimate, JetEntries, Sample

__all__ = [
    "KL_DIRECTION",
    "bin_counts",
    "bin_edges",
    "divergence_in_bins",
    "divergence_of_counts",
    "edges_of_truth",
    "expected_floor",
    "kl_divergence",
]

KL_DIRECTION = "KL(generated || truth)"


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
    sample = Sample(truth, np.arange(len(truth)), len(truth), weights)
    with OrderedEntries([sample]) as ordered:
        return edges_of_truth(ordered, sample, bins)


def edges_of_truth(ordered: OrderedEntries, truth: JetEntries, bins: int) -> np.ndarray:
    """Return what :func:`bin_edges` does, of entries in their order.

    Args:
        ordered: the entries of truth, which is the first of its samples, and maybe of others.
        truth: the reference sample.
        bins: number of bins wanted at quantiles.
    """
    if truth.weights is None:
        entries = truth.n_entries
        # In whole numbers, since rounding i / bins would move some edges by one value.
        shares: np.ndarray = (np.arange(1, bins) * entries + bins - 1) // bins
        filling = max(min(2, entries), entries / bins)
        least = 0
    else:
        entries, total = 0, 0.0
        for _, counts, sizes in _different_values(ordered, truth):
            entries += int(counts.sum())
            total = float(np.cumsum([total, *sizes])[-1])
        # Sums are rounded: what holds a share exactly must not miss it.
        shares = np.arange(1, bins) / bins * (total * (1 - 1e-12))
        filling = total / bins * (1 - 1e-12)
        # One heavy entry alone is no atom.
        least = min(2, entries)
    quantiles, atoms = [np.zeros(0)], [np.zeros(0)]
    before: float = 0
    highest = -np.inf
    for values, counts, sizes in _different_values(ordered, truth):
        cumulative = np.cumsum(np.concatenate([[before], sizes]).astype(sizes.dtype))[1:]
        inside = shares[(shares > before) & (shares <= cumulative[-1])]
        quantiles.append(values[np.searchsorted(cumulative, inside)])
        atoms.append(values[(sizes >= filling) & (counts >= least)])
        before, highest = cumulative[-1], values[-1]
    at_quantiles, at_atoms = np.concatenate(quantiles), np.concatenate(atoms)
    found = [at_quantiles[at_quantiles < highest], np.nextafter(at_atoms, -np.inf), at_atoms]
    return np.unique(np.concatenate(found))


def _different_values(
    ordered: OrderedEntries, truth: JetEntries
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the different values of truth in each range, how many entries have them, and the size of these entries.

    The size is the number of entries, or the sum of the sizes of their weights, without those that are zero.
    """
    for values, jets in ordered:
        kept = jets < truth.n_jets
        if truth.weights is not None:
            weights = np.abs(truth.weights[jets[kept]])
            kept[kept] = weights > 0
            weights = weights[weights > 0]
        of_truth = values[kept]
        if not len(of_truth):
            continue
        starts = np.flatnonzero(np.concatenate([[True], of_truth[1:] != of_truth[:-1]]))
        counts = np.diff(np.append(starts, len(of_truth)))
        sizes = counts
        if truth.weights is not None:
            sizes = np.bincount(np.repeat(np.arange(len(counts)), counts), weights)
        yield of_truth[starts], counts, sizes


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
        >>> from cloudchamber.metrics.resampling import bootstrap_weights
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
