"""Files of curves: a cloud for each equation of state, whose points are the stars of its curve.

The layout is that of all clouds (docs/formats.md), so that `cloudchamber inspect` reads them.
"""

from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.studies.neutron_stars.quantities import MASSIVE, PREDICTED

__all__ = [
    "FEATURES",
    "PARTS",
    "curve_clouds",
    "grid_of",
    "quantities_of",
    "read_curves",
    "refuse_shared_equations",
    "write_curves",
]

PARTS = ("train", "validation", "test")
FEATURES = (
    Column("lambda_1"),
    Column("lambda_2"),
    Column("radius_1.3", "km"),
    Column("radius_1.4", "km"),
    Column("maximum_mass", "Msun"),
)
_POINTS = (Column("mass", "Msun"), Column("radius", "km"))
_LABELS = (Column("equation"), Column("below_two"))


def curve_clouds(
    mass: np.ndarray,
    radius: np.ndarray,
    quantities: dict[str, np.ndarray],
    indices: dict[str, np.ndarray],
    meta: dict[str, Any],
) -> Clouds:
    """Return curves as clouds.

    Args:
        mass, radius: (E, P) from the maximum mass down [solar masses, km].
        quantities: (E,) each of :data:`PREDICTED`.
        indices: rows of the parts of a split.
        meta: what describes them.
    """
    features = np.column_stack([quantities[name] for name in PREDICTED])
    below = quantities["maximum_mass"] < MASSIVE
    labels = np.column_stack([np.arange(len(mass)), below])
    points = np.stack([mass, radius], axis=2).astype(np.float32)
    return Clouds(
        points,
        np.ones(points.shape[:2], bool),
        features.astype(np.float32),
        labels.astype(np.int64),
        _POINTS,
        FEATURES,
        _LABELS,
        indices,
        {**meta, "below_two": int(below.sum())},
    )


def write_curves(path: Path, clouds: Clouds) -> None:
    """Write curves.

    Raises:
        StorageError: the file cannot be written.
    """
    write_clouds(path, clouds)


def read_curves(path: Path, split: bool = True) -> Clouds:
    """Read curves.

    Args:
        path: the file.
        split: whether it must have the parts of a split, which share no equation of state.

    Raises:
        InputError: the file cannot be used, or the same equation of state is in two parts.
    """
    clouds = read_clouds(path)
    for expected, found in (
        (_POINTS, clouds.point_columns),
        (FEATURES, clouds.feature_columns),
        (_LABELS, clouds.label_columns),
    ):
        if found != expected:
            raise InputError(f"{path}: not a file of mass-radius curves: columns {[column.name for column in found]}")
    if split:
        missing = [name for name in PARTS if not len(clouds.indices.get(name, ()))]
        if missing:
            raise InputError(f"{path}: no curves in the part '{missing[0]}'")
        refuse_shared_equations(path, clouds)
    return clouds


def refuse_shared_equations(path: Path, clouds: Clouds) -> None:
    """Refuse a split with one equation of state in two parts, by its number or by its parameters.

    Stars of one equation of state have the same truth: what is learned of some of them is known of the others.

    Raises:
        InputError: two parts share an equation of state.
    """
    numbers, parameters = clouds.label("equation"), clouds.features[:, :2]
    names = [name for name in PARTS if name in clouds.indices]
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            rows = [clouds.indices[name] for name in (first, second)]
            same_number = np.isin(numbers[rows[0]], numbers[rows[1]])
            seen = {tuple(values) for values in parameters[rows[1]].tolist()}
            same = same_number | np.array([tuple(values) in seen for values in parameters[rows[0]].tolist()], bool)
            if same.any():
                raise InputError(
                    f"{path}: {int(same.sum())} rows of '{first}' are of equations of state that are in '{second}' "
                    "too: split by equation of state"
                )


def quantities_of(clouds: Clouds) -> dict[str, np.ndarray]:
    """Return the (E,) float64 quantities of :data:`PREDICTED` of curves or of sets of stars."""
    return {name: clouds.feature(name).astype(np.float64) for name in PREDICTED}


def grid_of(path: Path) -> tuple[Clouds, tuple[int, int]]:
    """Read the curves of the cells of the box, and how many cells there are in each direction.

    Raises:
        InputError: the file cannot be used, or is not of cells.
    """
    clouds = read_curves(path, split=False)
    cells = clouds.meta.get("cells")
    if not isinstance(cells, list) or len(cells) != 2 or cells[0] * cells[1] != len(clouds):
        raise InputError(f"{path}: no cells of the box in its meta data")
    return clouds, (int(cells[0]), int(cells[1]))
