"""Whole numbers of files that may hold them as any type."""

from pathlib import Path

import numpy as np

from cloudchamber.errors import InputError

__all__ = ["whole_numbers"]


def whole_numbers(path: Path, name: str, values: np.ndarray, first: int) -> np.ndarray:
    """Return numbers of any type as int64.

    Args:
        path: the file.
        name: what they are, such as "branch 'label'".
        values: (n,) one per entry.
        first: entry of the first in the file.

    Raises:
        InputError: one is not whole, NaN or beyond int64; the message names file and entry.
    """
    with np.errstate(invalid="ignore"):
        found = np.asarray(values).astype(np.int64)
    wrong = np.flatnonzero(found != values)
    if len(wrong):
        at = wrong[0]
        raise InputError(f"{path}: {name} is {values[at]} in entry {first + at}, expected a whole number")
    return found
