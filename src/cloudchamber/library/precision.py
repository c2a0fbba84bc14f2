"""In which precision numbers are given, and the same numbers in a lower one."""

from typing import Any

import numpy as np

from cloudchamber.library.checks import as_array

__all__ = ["BFLOAT16", "precision_of", "rounded", "step_at_one"]

# Half precision of networks, which numpy does not have: arrays of it are single precision to numpy.
BFLOAT16 = "bfloat16"
_BFLOAT16_STEP = 2.0**-7


def precision_of(values: Any, name: str) -> str | None:
    """Return the floating-point type of an array-like, None of whole numbers.

    Args:
        values: array, list or tensor, on any device.
        name: of the argument, for errors.

    Raises:
        InputError: it is none.
    """
    if str(getattr(values, "dtype", "")) == f"torch.{BFLOAT16}":
        return BFLOAT16
    found = as_array(values, name).dtype
    return found.name if found.kind == "f" else None


def step_at_one(precision: str) -> float:
    """Return the distance from one to the next larger number."""
    return _BFLOAT16_STEP if precision == BFLOAT16 else float(np.finfo(precision).eps)


def rounded(values: np.ndarray, precision: str) -> np.ndarray:
    """Return numbers in double precision with no more digits than another has, infinite where they are too large."""
    with np.errstate(over="ignore"):
        if precision != BFLOAT16:
            return values.astype(precision).astype(np.float64)
        bits = values.astype(np.float32).view(np.uint32)
        # The upper half of the bits, to the nearest and of two to the even one, as torch rounds.
        nearest = (bits + (0x7FFF + (bits >> 16 & 1))) & 0xFFFF0000
        return nearest.view(np.float32).astype(np.float64)
