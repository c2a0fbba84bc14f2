"""What NanoAOD knows of the events that were generated: its tree Runs counts them before any selection.

Files of NanoAOD are often skims. Their events are then fewer than those that a cross section is of.
"""

from pathlib import Path

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.readers.root_file import one_line, open_root_tree, trees_of

__all__ = ["generated_sum"]

_TREE = "Runs"
# Older versions have an underscore at the end.
_WEIGHTS = ("genEventSumw", "genEventSumw_")
_EVENTS = ("genEventCount", "genEventCount_")


def generated_sum(path: Path, weighted: bool) -> float | None:
    """Return the sum of the weights of all generated events of a file, or how many they are; None where it is not said.

    Args:
        path: the file.
        weighted: whether the weights are asked for.

    Raises:
        InputError: the tree is damaged, or what it says is no number.
    """
    if not trees_of(path).get(_TREE):
        return None
    with open_root_tree(path, _TREE, recorded=False) as tree:
        name = next((name for name in (_WEIGHTS if weighted else _EVENTS) if name in tree), None)
        if name is None:
            return None
        try:
            total = float(np.sum(tree[name].array(library="np"), dtype=np.float64))
        except Exception as error:  # damaged bytes make uproot raise almost anything
            raise InputError(f"{path}: branch '{_TREE}/{name}' cannot be read: {one_line(error)}") from error
    if not np.isfinite(total):
        raise InputError(f"{path}: branch '{_TREE}/{name}' adds up to {total}")
    return total
