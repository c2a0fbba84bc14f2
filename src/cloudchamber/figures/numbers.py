"""Numbers with uncertainties in sensible digits."""

import math

__all__ = ["decimals", "percent", "places_of", "scale_exponent", "with_uncertainty"]


def decimals(value: float, uncertainty: float) -> int:
    """Return the decimal places that show two significant digits of the uncertainty, or three of the value.

    Three of the value is for numbers without an uncertainty.
    """
    known = math.isfinite(uncertainty) and uncertainty > 0
    size, digits = (uncertainty, 2) if known else (abs(value), 3)
    if not math.isfinite(size) or size == 0:
        return 0
    return max(0, digits - 1 - math.floor(math.log10(size)))


def with_uncertainty(value: float, uncertainty: float = math.nan) -> str:
    """Return a value with its uncertainty, if it has one, both with the digits that the uncertainty allows."""
    places = decimals(value, uncertainty)
    text = f"{value:.{places}f}"
    return f"{text} ± {uncertainty:.{places}f}" if math.isfinite(uncertainty) else text


def places_of(uncertainty: float, places: int) -> int:
    """Return as many decimal places as asked for, or more where an uncertainty would be rounded to zero.

    Example:
        >>> places_of(0.4, 1), places_of(0.04, 1), places_of(0.0, 1)
        (1, 2, 1)
    """
    if not math.isfinite(uncertainty) or uncertainty <= 0 or round(uncertainty, places) > 0:
        return places
    return -math.floor(math.log10(uncertainty))


def percent(share: float, uncertainty: float, sign: str = "") -> str:
    """Return a share with its uncertainty in percent, without the sign of percent, to a tenth or finer.

    Args:
        share: of one.
        uncertainty: of the share.
        sign: "+" writes the sign of positive numbers too.
    """
    places = places_of(100 * uncertainty, 1)
    return f"{100 * share:{sign}.{places}f} ± {100 * uncertainty:.{places}f}"


def scale_exponent(values: list[float]) -> int:
    """Return the power of ten, a multiple of three and at most 0, in units of which a column is easy to read.

    It brings the largest value to between 1 and 1000 where that is below 0.1, and leaves other columns as they are.
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest == 0 or largest >= 0.1:
        return 0
    return 3 * math.floor(math.log10(largest) / 3)
