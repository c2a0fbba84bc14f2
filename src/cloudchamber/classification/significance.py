"""Whether one tagger is better than another on the same test jets, beyond what those jets can say by chance."""

import math

import numpy as np
from scipy import stats

from cloudchamber.classification.measures import estimate
from cloudchamber.metrics.resampling import Estimate

__all__ = ["mcnemar", "normal_p_value", "paired_difference"]

# Up to so many jets on which two taggers disagree the binomial distribution is summed up.
_EXACT = 1000


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value that two taggers are right equally often (McNemar 1947).

    Of the jets that only one of them gets right, each has half of them if that is so: the binomial distribution up to
    1,000 such jets, beyond that chi squared with the continuity correction of Edwards 1948. Weights have no place in
    it: every jet counts one.

    Args:
        only_first, only_second: jets that only the first or only the second gets right.

    Example:
        >>> mcnemar(1, 9)
        0.021484375
    """
    n = only_first + only_second
    if n == 0:
        return 1.0
    if n <= _EXACT:
        return float(stats.binomtest(only_first, n).pvalue)
    corrected = max(0, abs(only_first - only_second) - 1)
    return float(stats.chi2.sf(corrected**2 / n, 1))


def paired_difference(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> Estimate:
    """Return the accuracy of the first less that of the second, on resamplings that are the same for both.

    Args:
        first, second: (N,) bool, which jets each gets right.
        weights: (R, N) from :func:`cloudchamber.classification.measures.balanced`.
    """
    return estimate(weights @ (first.astype(np.float64) - second))


def normal_p_value(difference: Estimate) -> float:
    """Return the two-sided p-value of a difference, if zero were the truth and its fluctuations normal."""
    if difference.uncertainty == 0:
        return 1.0 if difference.value == 0 else 0.0
    return math.erfc(abs(difference.value) / difference.uncertainty / math.sqrt(2))
