"""Values that many entries of truth share, and that another sample has but for the last digits."""

import sys
from collections.abc import Sequence

import numpy as np

__all__ = ["say_other_digits"]

# Entries of truth, and the share of them, that make a value one of a grid. Even in half precision no feature without a
# grid has so many on one.
_SHARED, _FEWEST = 0.002, 10
# Steps of the precision at the largest value of the grid that sums and products of it may be apart.
_STEPS = 8
_MANY = 0.01


def say_other_digits(sides: Sequence[np.ndarray], precision: float) -> None:
    """Say how many values of other samples are those of a grid of truth but for the last digits.

    The centres of cells, or a charge of a third, computed in another way are other numbers: a divergence takes them for
    values that truth never has.

    Args:
        sides: (M,) values each: truth, generated and maybe the floor.
        precision: the step at one of the lowest precision of all.
    """
    values, counts = np.unique(sides[0], return_counts=True)
    grid = values[counts >= max(_FEWEST, _SHARED * len(sides[0]))]
    if not len(grid):
        return
    near = _STEPS * precision * np.abs(grid).max()
    for name, side in zip(("generated", "floor"), sides[1:], strict=False):
        above = np.searchsorted(grid, side).clip(0, len(grid) - 1)
        apart = np.minimum(np.abs(side - grid[above]), np.abs(side - grid[(above - 1).clip(0)]))
        number = int(((apart > 0) & (apart <= near)).sum())
        if number > _MANY * len(side):
            sys.stderr.write(
                f"cloudchamber: WARNING: {number} of {len(side)} values of '{name}' are values that many of 'truth' "
                "have but for the last digits, and count as others: round both alike\n"
            )
