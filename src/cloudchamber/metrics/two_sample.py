"""The classifier two-sample test: how well one number tells two samples apart (arXiv 1610.06545)."""

import math

import numpy as np
from scipy.stats import rankdata

from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.shares import of_area

__all__ = ["area_under_curve", "chance"]


def area_under_curve(signal: np.ndarray, background: np.ndarray, *, paired: bool = False) -> Estimate:
    """Return the area under the ROC curve: P(signal > background) + P(signal = background) / 2.

    It comes from ranks, so that ties are right. The uncertainty is the one of DeLong et al. 1988, of the shares of the
    other sample below each entry. Where the samples do not overlap these are all alike: see
    :func:`cloudchamber.metrics.shares.of_area`.

    Args:
        signal, background: (N,) and (M,) scores, at least two of each; the larger, the more like signal.
        paired: whether entry i of one sample belongs to entry i of the other, such as two jets from the same noise:
            what both have in common is then no uncertainty of their difference.

    Example:
        >>> area_under_curve(np.array([3.0, 4.0, 5.0, 6.0]), np.array([1.0, 2.0, 3.0, 4.0])).value
        0.875
    """
    n, m = len(signal), len(background)
    ranks = rankdata(np.concatenate([signal, background]))
    below_signal = (ranks[:n] - rankdata(signal)) / m
    above_background = 1 - (ranks[n:] - rankdata(background)) / n
    if paired:
        variance = (below_signal + above_background).var(ddof=1) / n
    else:
        variance = below_signal.var(ddof=1) / n + above_background.var(ddof=1) / m
    return of_area(Estimate(float(below_signal.mean()), math.sqrt(variance)), n, m)


def chance(n: int, m: int) -> Estimate:
    """Return area and standard deviation for scores that say nothing: n and m independent draws of one continuum."""
    return Estimate(0.5, math.sqrt((n + m + 1) / (12 * n * m)))
