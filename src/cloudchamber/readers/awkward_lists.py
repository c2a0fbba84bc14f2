"""Lists of awkward arrays, as uproot reads them, as values and offsets."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.readers.jagged import Jagged, References

__all__ = ["jagged", "one_each", "references_of"]


def jagged(layout: Any) -> Jagged:
    """Return lists of numbers by the layout of their array."""
    layout = layout.to_ListOffsetArray64(True)
    offsets = np.asarray(layout.offsets)
    return Jagged(np.asarray(layout.content.data)[: offsets[-1]], offsets)


def references_of(layout: Any) -> References:
    """Return references by the layout of an array of TRef or TRefArray."""
    layout = layout.to_ListOffsetArray64(True)
    objects = np.asarray(layout.offsets)
    content = layout.content[: objects[-1]]
    if "ref" in content.fields:
        return References(objects, Jagged(np.asarray(content["ref"].data), np.arange(len(content) + 1)))
    return References(objects, jagged(content["refs"]))


def one_each(path: Path, name: str, start: int, array: ak.Array) -> np.ndarray:
    """Return the one number of each event, (n,), also where they are lists of one.

    Args:
        path: the file, for the error.
        name: of the branch.
        start: number of the first event in the file.
        array: of n events.

    Raises:
        InputError: an event has no number or several.
    """
    if array.ndim > 1:
        lists = jagged(array.layout)
        wrong = np.flatnonzero(lists.counts != 1)
        if len(wrong):
            at = wrong[0]
            raise InputError(f"{path}: branch '{name}' has {lists.counts[at]} values in entry {start + at}, not one")
        array = lists.values
    return np.asarray(array)
