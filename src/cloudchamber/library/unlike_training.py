"""What a trained model is asked for, beside what it was trained with."""

import sys
from collections.abc import Sequence

import numpy as np

__all__ = ["say_unlike_training"]

# In standard deviations of the training: other units, other columns, or jets of another kind.
_FAR = 5.0
_FEWEST = 20


def say_unlike_training(standardised: np.ndarray, names: Sequence[str], source: str) -> None:
    """Say on standard error which numbers lie where a model saw nothing, as masses in MeV do.

    Args:
        standardised: (N, F) numbers, of mean zero and deviation one in the training. Of fewer than twenty rows nothing
            is said.
        names: of the F columns.
        source: argument that they are from.
    """
    if len(standardised) < _FEWEST:
        return
    for name, typical in zip(names, np.median(standardised, axis=0).tolist(), strict=True):
        if abs(typical) > _FAR:
            sys.stderr.write(
                f"{source}: WARNING: the median of {name} is {abs(typical):.0f} standard deviations from the mean of "
                "the training: is it another unit or column, or are these other jets?\n"
            )
