"""Negative log posteriors of a classifier that tells generative models, and truth, from each other.

The score of class c is NLP_c = -<ln p(c | jet)> over true jets that neither the classifier nor any model was trained
on (the second metric of arXiv 2310.00049). The lower, the more truth looks like class c. It depends on who competes:
with K classes that are all perfect every score is ln K. With an independent sample of truth as one more class the
scores become absolute: for an ideal classifier NLP_c - NLP_truth = KL(truth || model c) between distributions of whole
jets.
"""

import math
from collections.abc import Sequence

import numpy as np

from cloudchamber.metrics.resampling import Estimate

__all__ = ["ideal_value", "log_ratios", "negative_log_posteriors", "restrict"]


def negative_log_posteriors(log_probabilities: np.ndarray) -> list[Estimate]:
    """Return -<ln p(class | jet)> of each class, with the standard error of the mean.

    Args:
        log_probabilities: (N, K) of N >= 2 true jets, such as from
            :func:`cloudchamber.networks.prediction.predict_log_probabilities`.
    """
    errors = log_probabilities.std(axis=0, ddof=1) / math.sqrt(len(log_probabilities))
    # Subtracted, since the negative of zero would be printed as minus zero.
    return [Estimate(float(0.0 - m), float(e)) for m, e in zip(log_probabilities.mean(axis=0), errors, strict=True)]


def restrict(log_probabilities: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Return (N, len(classes)) log probabilities given that one of ``classes`` is the right one.

    This is the softmax over the logits of ``classes`` alone: p(c | jet) / sum_k p(k | jet) over k in ``classes``. For
    equal numbers of training jets of every class it is the posterior that an ideal classifier of only these classes
    would have, so leaving out truth gives the published form of the score, which has no class of truth. For a trained
    classifier the two agree as far as its training converged.

    Args:
        log_probabilities: (N, K).
        classes: positions of the classes to keep.

    Example:
        >>> np.exp(restrict(np.log([[0.5, 0.3, 0.2]]), [1, 2])).round(2)
        array([[0.6, 0.4]])
    """
    kept = log_probabilities[:, list(classes)]
    return kept - np.logaddexp.reduce(kept, axis=1, keepdims=True)


def log_ratios(log_probabilities: np.ndarray, numerator: int, denominator: int) -> np.ndarray:
    """Return (N,) ln p(numerator | jet) - ln p(denominator | jet).

    For an ideal classifier, trained with equal numbers of both classes, it is the logarithm of their likelihood ratio,
    the best number there is to tell the two apart, whatever other classes there are.

    Args:
        log_probabilities: (N, K).
        numerator, denominator: positions of the two classes.
    """
    return log_probabilities[:, numerator] - log_probabilities[:, denominator]


def ideal_value(n_classes: int) -> float:
    """Return ln K: the score of each of K classes that none can tell apart."""
    return math.log(n_classes)
