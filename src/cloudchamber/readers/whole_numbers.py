"""Whole numbers of files that may hold them as any type."""

from pathlib import Path

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.readers.jagged import Jagged

__all__ = ["in_single_precision", "whole_lists", "whole_numbers"]


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


def whole_lists(path: Path, name: str, lists: Jagged, events: np.ndarray) -> np.ndarray:
    """Return the (total,) values of lists of numbers of any type as whole numbers.

    Args:
        path: the file.
        name: of the branch.
        lists: one of each event.
        events: (n_events,) their entries in the file.

    Raises:
        InputError: one is not whole, NaN or beyond int64; the message names file, branch and event.
    """
    if lists.values.dtype.kind in "iub":
        return lists.values
    with np.errstate(invalid="ignore"):
        found: np.ndarray = lists.values.astype(np.int64)
    wrong = np.flatnonzero(found != lists.values)
    if len(wrong):
        event = np.repeat(events, lists.counts)[wrong[0]]
        raise InputError(
            f"{path}: branch '{name}' is {lists.values[wrong[0]]} in event {event}, expected a whole number"
        )
    return found


def in_single_precision(values: np.ndarray) -> np.ndarray:
    """Return numbers as float64 that have gone through single precision, in which clouds hold them."""
    # 64 bits, so that whole numbers of 32 bits are compared as they are.
    return values.astype(np.float32).astype(np.float64)
