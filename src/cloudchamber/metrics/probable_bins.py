"""Bins that are equally probable in truth, and bins of single values that many entries have."""

from collections.abc import Iterator

import numpy as np

from cloudchamber.metrics.ordered import OrderedEntries
from cloudchamber.metrics.resampling import JetEntries, Sample

__all__ = ["bin_counts", "bin_edges", "edges_of_truth"]


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
