"""Jets with a label and the four-momenta of their constituents: what the readers of public layouts return."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.readers.jagged import Jagged

__all__ = ["LabelledJets", "labelled_jets"]

# No component of a particle's momentum is beyond this [GeV].
_LIMIT = 1e9


@final
@dataclass(frozen=True)
class LabelledJets:
    """Some consecutive jets of a file.

    Attributes:
        entries: (n,) int64, entry numbers in the file.
        momenta: (4, total) float64, px, py, pz and energy of the constituents of all jets [GeV].
        offsets: (n + 1,) int64; jet i has the constituents ``momenta[:, offsets[i]:offsets[i + 1]]``.
        labels: (n,) int64, the class of each jet.
    """

    entries: np.ndarray
    momenta: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray


def labelled_jets(path: Path, first: int, momenta: Mapping[str, Jagged], labels: np.ndarray) -> LabelledJets:
    """Return checked jets.

    Args:
        path: the file.
        first: entry of the first jet in the file.
        momenta: px, py, pz and energy in this order, by their names in the file.
        labels: (n,) int64.

    Raises:
        InputError: the lists of a jet differ in length, or a value is not finite or not physical; the message names
            file, column and entry.
    """
    source, px = next(iter(momenta.items()))
    for position, (name, lists) in enumerate(momenta.items()):
        _refuse(path, first, lists.counts != px.counts, f"'{name}' has not as many values as '{source}'")
        bad = ~(np.abs(lists.values) <= _LIMIT)
        if position == 3:
            bad |= lists.values < 0
        entries = np.zeros(len(lists), bool)
        entries[np.searchsorted(lists.offsets, np.flatnonzero(bad), side="right") - 1] = True
        _refuse(path, first, entries, f"'{name}' is not finite or not physical")
    values = np.stack([lists.values.astype(np.float64) for lists in momenta.values()])
    return LabelledJets(np.arange(first, first + len(labels)), values, px.offsets, labels)


def _refuse(path: Path, first: int, wrong: np.ndarray, fault: str) -> None:
    if wrong.any():
        raise InputError(f"{path}: {fault} in entry {first + int(np.argmax(wrong))}")
