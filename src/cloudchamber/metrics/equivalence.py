"""Whether two models are equal, up to what another training of the same model would change."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.stats import t as student_t

__all__ = ["Equivalence", "equivalence"]

_LEVEL = 0.05
_DEVIATIONS = 2.0


@final
@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests of a difference against a margin.

    Attributes:
        difference: mean over seeds of the value of the model less that of its reference.
        error: standard error of this mean.
        margin: twice the standard deviation of the difference between two trainings of the reference.
        bound: largest size of the difference that the seeds allow, at a level of 5 % on each side.
        trainings: seeds of both.
    """

    difference: float
    error: float
    margin: float
    bound: float
    trainings: int

    @property
    def equal(self) -> bool:
        """Whether the difference is shown to be smaller than the margin."""
        return self.bound < self.margin


def equivalence(model: np.ndarray, reference: np.ndarray) -> Equivalence:
    """Test whether a model equals its reference, such as a flow map its teacher (two one-sided tests, Schuirmann 1987).

    Args:
        model, reference: (n,) one value per seed, of the same seeds in the same order, n at least two.

    Raises:
        ValueError: fewer than two seeds, which have no spread, or not as many of both.

    Example:
        >>> found = equivalence(np.array([1.01, 1.11, 0.91]), np.array([1.0, 1.1, 0.9]))
        >>> round(found.difference, 3), round(found.margin, 3), found.equal
        (0.01, 0.283, True)
    """
    if len(model) != len(reference) or len(model) < 2:
        raise ValueError("a model and its reference need the same two seeds or more")
    differences = np.asarray(model, np.float64) - np.asarray(reference, np.float64)
    mean, number = float(differences.mean()), len(differences)
    error = float(differences.std(ddof=1)) / math.sqrt(number)
    margin = _DEVIATIONS * math.sqrt(2) * float(np.std(reference, ddof=1))
    bound = abs(mean) + float(student_t.ppf(1 - _LEVEL, number - 1)) * error
    return Equivalence(mean, error, margin, bound, number)
