"""Uncertainties of shares, which are not zero where all entries count, or none: of few entries that may be chance."""

import math

import numpy as np

from cloudchamber.metrics.resampling import Estimate

__all__ = ["mean_share", "of_area", "of_share", "share_error"]

# Sums of weights are one to so many digits.
_ROUNDING = 1e-9


def share_error(values: np.ndarray) -> float:
    """Return the standard error of the mean of numbers from 0 to 1.

    It is that of the values with one more of 0 and one more of 1: where all are 0 or 1, the standard deviation of the
    posterior of their share for a flat prior.

    Args:
        values: (N,) shares of entries that are independent, or whether each counts.

    Example:
        >>> counts = np.arange(100) < 10
        >>> round(share_error(counts), 4), round(share_error(counts[:10]), 4)
        (0.0306, 0.0767)
    """
    numbers = np.asarray(values, np.float64)
    n = len(numbers)
    mean = (numbers.sum() + 1) / (n + 2)
    return math.sqrt(((numbers**2).sum() + 1) / (n + 2) - mean**2) / math.sqrt(n + 3)


def mean_share(values: np.ndarray) -> Estimate:
    """Return the mean of (N,) numbers from 0 to 1, N > 0, and its :func:`share_error`."""
    return Estimate(float(np.mean(values)), share_error(values))


def of_share(found: Estimate, size: float) -> Estimate:
    """Return a share with an uncertainty that a bootstrap does not see where the share is 0 or 1.

    Args:
        found: the share and its uncertainty, of a bootstrap.
        size: how many entries it is a share of, or the effective number of weighted ones.
    """
    return Estimate(found.value, _all_alike(size)) if _is_bound(found.value) else found


def of_area(found: Estimate, signal: float, background: float) -> Estimate:
    """Return the area under a ROC curve with an uncertainty where no entry of one sample is among those of the other.

    Args:
        found: the area and its uncertainty.
        signal, background: how many entries both samples have, or the effective numbers of weighted ones.
    """
    apart = math.hypot(_all_alike(signal), _all_alike(background))
    return Estimate(found.value, apart) if _is_bound(found.value) else found


def _is_bound(value: float) -> bool:
    return abs(value) < _ROUNDING or abs(value - 1) < _ROUNDING


def _all_alike(size: float) -> float:
    """Return what :func:`share_error` is of so many entries that are all 0, or all 1."""
    return math.sqrt((size + 1) / (size + 3)) / (size + 2)
