"""Events of ROOT files that no step weighs: they have to weigh the same, in one file and in all."""

from collections.abc import Sequence
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError

__all__ = ["refuse_unequal_weights"]

# Equal weights may differ by the rounding of float32.
_ROUNDING = 1e-6


def refuse_unequal_weights(paths: Sequence[Path], tree: str, branch: str) -> None:
    """Refuse files whose events do not all weigh the same.

    Args:
        paths: files that are read together. Those without the tree or the branch say nothing.
        tree: name of the tree.
        branch: name of the weights, a number or a list of one per event, in whatever case.

    Raises:
        InputError: a file cannot be read, or two weights differ or are no numbers; the message names file and branch.
    """
    known: tuple[Path, float] | None = None
    for path in paths:
        name, weights = _weights(path, tree, branch)
        if not len(weights):
            continue
        known = known or (path, float(weights[0]))
        first, usual = known
        if not (np.abs(weights - usual) <= _ROUNDING * abs(usual)).all():
            others = f" as those of {first}" if first != path else ""
            raise InputError(f"{path}: branch '{name}': events do not all weigh the same{others}, which no step takes")


def _weights(path: Path, tree: str, branch: str) -> tuple[str, np.ndarray]:
    """Return the name of the branch and the weights of a file; none where it has none."""
    with readable_as(path, "a ROOT file"), uproot.open(path) as file:
        there = file[tree].keys(recursive=True) if tree in file else []
        for name in there:
            short = name.rpartition("/")[2]
            if short.lower() == branch.lower():
                values = ak.flatten(file[tree][name].array(), axis=None)
                return short, ak.to_numpy(values).astype(np.float64)
    return branch, np.zeros(0)
