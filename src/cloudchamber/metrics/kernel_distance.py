"""The kernel physics distance: the squared maximum mean discrepancy of a quartic polynomial kernel.

The definition is the one of jetnet (arXiv 2211.10295, section 3), where the features are energy flow polynomials.
"""

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.metrics.resampling import Estimate, drawn_rows
from cloudchamber.metrics.rows import Rows
from cloudchamber.preparation.unweighting import effective_size

__all__ = ["kernel_physics_distance", "squared_discrepancy"]

LARGEST_BATCH = 5_000
_FEWEST_JETS = 4
_ROWS = 256
# The central 67.45 percent, which half of is the standard deviation of a normal distribution, as jetnet takes it.
_CENTRAL = (16.275, 83.725)


def squared_discrepancy(x: np.ndarray, y: np.ndarray) -> float:
    """Return the unbiased estimate of the squared maximum mean discrepancy with the kernel (x.y / D + 1)^4.

    It is zero on average for two samples of one distribution, so it may be negative (Gretton et al., JMLR 13 (2012)
    723, equation 3).

    Args:
        x, y: (N, D) and (M, D), at least two rows each.
    """
    between = sum(_kernel_sum(rows, y) for rows in _pieces(x))
    return _mean_within(x) + _mean_within(y) - 2 * between / (len(x) * len(y))


def _mean_within(x: np.ndarray) -> float:
    """Return the mean kernel of two different rows."""
    total = 0.0
    for number, rows in enumerate(_pieces(x)):
        total += _kernel_sum(rows, rows) + 2 * _kernel_sum(rows, x[(number + 1) * _ROWS :])
    with_itself = (((x**2).sum(axis=1) / x.shape[1] + 1) ** 4).sum()
    return (total - with_itself) / (len(x) * (len(x) - 1))


def _pieces(x: np.ndarray) -> list[np.ndarray]:
    """Return the rows in pieces, so that their kernels stay in the cache of the processor."""
    return [x[start : start + _ROWS] for start in range(0, len(x), _ROWS)]


def _kernel_sum(x: np.ndarray, y: np.ndarray) -> float:
    kernel = x @ y.T
    kernel /= x.shape[1]
    kernel += 1
    np.square(kernel, out=kernel)
    return float(np.vdot(kernel, kernel))


def kernel_physics_distance(
    truth: np.ndarray | Rows,
    generated: np.ndarray | Rows,
    rng: np.random.Generator,
    truth_weights: np.ndarray | None = None,
    generated_weights: np.ndarray | None = None,
    largest: int = LARGEST_BATCH,
    batches: int = 10,
) -> Estimate:
    """Return the median of :func:`squared_discrepancy` over batches, and half the range from 16 to 84 percent.

    Batches are drawn with replacement and hold ``largest`` jets, or half of the smaller sample if that is fewer.

    Args:
        truth, generated: (N, D) and (M, D) features, scaled to be comparable.
        rng: generator of the batches.
        truth_weights, generated_weights: (N,) and (M,) not negative, by which jets are drawn; their effective numbers
            are then the sizes of the samples.
        largest: jets of each side in a batch, if the samples are not too small.
        batches: number of batches.

    Raises:
        InputError: fewer than 4 jets on a side, so that half of them have no pair.
    """
    sides = ((truth, truth_weights), (generated, generated_weights))
    fewest = min(len(rows) if weights is None else int(effective_size(weights)) for rows, weights in sides)
    if fewest < _FEWEST_JETS:
        raise InputError(f"the kernel distance needs {_FEWEST_JETS} jets or more of each sample, not {fewest}")
    size = min(largest, fewest // 2)
    drawn: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for _ in range(batches):
        for (rows, weights), of_side in zip(sides, drawn, strict=True):
            of_side.append(drawn_rows(len(rows), size, rng, weights))
    taken = [Rows.of(rows).take(of_side) for (rows, _), of_side in zip(sides, drawn, strict=True)]
    values = [squared_discrepancy(*pair) for pair in zip(*taken, strict=True)]
    low, high = np.percentile(values, _CENTRAL)
    return Estimate(float(np.median(values)), float(high - low) / 2)
