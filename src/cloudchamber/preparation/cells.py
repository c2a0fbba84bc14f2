"""Sizes of calorimeter cells: they tell two cards of Delphes apart whose files have the same collections and leaves."""

from collections.abc import Mapping

import numpy as np

__all__ = ["CellSizes", "cell_sizes", "other_cells"]

# Size in eta and phi, in words -> how many cells have it.
CellSizes = Mapping[str, int]

# All of this is barrel in the cards of ATLAS and CMS; beyond it cells grow, at different places with each sample.
_BARREL = 1.4
_FEWEST_CELLS = 50
_LARGEST_SHARE = 0.1


def cell_sizes(edges: np.ndarray) -> dict[str, int]:
    """Return the sizes of the cells in the barrel and how many have each.

    Args:
        edges: (n, 4) lower and upper eta, lower and upper phi [rad] of each cell. Objects without a cell, as muons
            among the towers, have no width.

    Example:
        >>> cell_sizes(np.array([[0.1, 0.2, 0.0, 0.1746], [0.0, 0.1, 0.0, 0.1746], [0.3, 0.3, 0.2, 0.2]]))
        {'0.100 x 0.175': 2}
    """
    finite = edges[np.isfinite(edges).all(axis=1)].astype(np.float64)
    eta, phi = finite[:, 1] - finite[:, 0], finite[:, 3] - finite[:, 2]
    barrel = (np.abs(finite[:, 0] + finite[:, 1]) < 2 * _BARREL) & (eta > 0) & (phi > 0)
    sizes = np.column_stack([eta, phi])[barrel].round(3)
    found, counts = np.unique(sizes, axis=0, return_counts=True)
    return {f"{one:.3f} x {other:.3f}": int(n) for (one, other), n in zip(found.tolist(), counts, strict=True)}


def other_cells(mine: CellSizes, its: CellSizes) -> tuple[str, str] | None:
    """Return a size that only the first has and one that only the second has, the commonest, or None.

    Both have to have some: where no cell of one kind was hit, as by photons alone, nothing tells.
    """
    if min(sum(mine.values()), sum(its.values())) < _FEWEST_CELLS:
        return None
    found = []
    for one, other in ((mine, its), (its, mine)):
        alone = {size: n for size, n in one.items() if size not in other}
        if sum(alone.values()) <= _LARGEST_SHARE * sum(one.values()):
            return None
        found.append(max(alone, key=lambda size: alone[size]))
    return found[0], found[1]
