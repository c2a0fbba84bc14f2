"""Sums of floats that do not depend on the order in which they are added, nor on how they are grouped."""

from collections.abc import Iterable
from math import fsum

__all__ = ["ExactSum", "exact_sum", "rounded"]

# Floats without digits in common whose sum is exactly that of all that was added.
ExactSum = tuple[float, ...]


def exact_sum(*parts: Iterable[float]) -> ExactSum:
    """Return the exact sum of all floats of all parts, which may be exact sums themselves (Shewchuk 1997).

    Args:
        parts: finite floats.

    Example:
        >>> grouped = exact_sum(exact_sum([0.1] * 3), exact_sum([0.1] * 4))
        >>> rounded(exact_sum([0.1] * 7)) == rounded(grouped)
        True
        >>> rounded(exact_sum([1e16, 1.0, -1e16]))
        1.0
    """
    digits: list[float] = []
    for value in (value for part in parts for value in part):
        rest = float(value)
        kept = []
        for digit in digits:
            small, large = sorted((rest, digit), key=abs)
            total = large + small
            lost = small - (total - large)
            if lost:
                kept.append(lost)
            rest = total
        digits = [*kept, rest]
    return tuple(digits)


def rounded(total: ExactSum) -> float:
    """Return the float that is the nearest to an exact sum."""
    return fsum(total)
