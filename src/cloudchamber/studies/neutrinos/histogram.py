"""The first baseline: a histogram of muon length and shower energy for each interaction."""

import numpy as np

__all__ = ["histogram_log_probabilities"]


def histogram_log_probabilities(
    train: np.ndarray, interaction: np.ndarray, test: np.ndarray, bins: int, classes: int
) -> np.ndarray:
    """Return (M, K) log probabilities: the share of each class among the training events of a cell, by Laplace's rule.

    Edges are quantiles of the training events, so that slices have equal numbers of them; equal values share a bin.

    Args:
        train, test: (N, 2) and (M, 2) two numbers of training and test events.
        interaction: (N,) class of the training events.
        bins: of each number.
        classes: K.

    Example:
        >>> numbers, kinds = np.array([[1.0, 1.0], [2.0, 1.0]]), np.array([0, 1])
        >>> np.exp(histogram_log_probabilities(numbers, kinds, np.array([[1.1, 1.0]]), 2, 2)).round(2)
        array([[0.67, 0.33]])
    """
    quantiles = np.linspace(0, 1, bins + 1)[1:-1]
    edges = [np.unique(np.quantile(train[:, axis], quantiles)) for axis in (0, 1)]
    counts = np.zeros((bins, bins, classes))
    np.add.at(counts, (*_cells(train, edges), interaction), 1)
    shares = counts + 1
    shares /= shares.sum(axis=2, keepdims=True)
    return np.log(shares[_cells(test, edges)])


def _cells(values: np.ndarray, edges: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.searchsorted(edges[0], values[:, 0], side="right"), np.searchsorted(edges[1], values[:, 1], side="right")
