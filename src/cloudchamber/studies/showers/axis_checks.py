"""Whether the showers of a file lie about their axes, by what is typical of them."""

import sys
from pathlib import Path
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.packed_clouds import PackedPart
from cloudchamber.studies.showers.geometry import Geometry

__all__ = ["ShowerAxes"]

# Fewer showers, by chance, are anywhere.
_SHOWERS = 20
# Mean square of the tangent of the angle to the normal: with less, nothing tells a shift with the direction.
_OBLIQUE = 0.01
# Sparse showers may lean by anything.
_LARGEST_LEAN = 2.0
# Of the direction that showers lean by: 0 without the shift of an oblique direction, 1 with it.
_LEANS = 0.5
# The median place of the energy [mm], and that place in units of the median distance from the axis.
_OFF_AXIS, _OFF_AXIS_SHARE = 10.0, 0.5


@final
class ShowerAxes:
    """What is counted of the showers of one file.

    Args:
        path: the file.
        geometry: of its layers.
    """

    def __init__(self, path: Path, geometry: Geometry) -> None:
        self._path, self._planes = path, geometry.planes
        self._centre: list[np.ndarray] = []
        self._radius: list[np.ndarray] = []
        self._oblique = self._along = 0.0
        self._leaning = 0

    def add(self, part: PackedPart) -> None:
        """Count showers."""
        owner, n = part.owners, len(part)
        x, y, layer, energy = part.points.astype(np.float64).T
        z = self._planes[layer.astype(np.int64)]
        total = np.bincount(owner, energy, minlength=n)
        seen = total > 0
        share = energy / total[owner]

        def mean(values: np.ndarray) -> np.ndarray:
            return np.bincount(owner, share * values, minlength=n)

        place = np.stack([mean(x), mean(y)], axis=1)
        depth = z - mean(z)[owner]
        spread = mean(depth**2)
        leans = seen & (spread > 0)
        lean = np.stack([mean(depth * values) for values in (x, y)], axis=1)[leans] / spread[leans, None]
        direction = part.features[leans, 1:4].astype(np.float64)
        tangent = direction[:, :2] / direction[:, 2:]
        self._along += float((tangent * np.clip(lean, -_LARGEST_LEAN, _LARGEST_LEAN)).sum())
        self._oblique += float((tangent**2).sum())
        self._leaning += int(leans.sum())
        self._centre.append(place[seen])
        self._radius.append(mean(np.hypot(x, y))[seen])

    def check(self) -> None:
        """Refuse the file where points follow the directions of their particles, and say where they lie off the axis.

        Raises:
            InputError: places hold the shift of an oblique direction.
        """
        if self._leaning >= _SHOWERS and self._oblique > _OBLIQUE * self._leaning:
            leaning = self._along / self._oblique
            if leaning > _LEANS:
                raise InputError(
                    f"{self._path}: x and y follow the direction of the particle from layer to layer ({leaning:.2g} of "
                    "its tangent): expected without this shift, direction_xy / direction_z times the depth"
                )
        centre = np.concatenate([np.zeros((0, 2)), *self._centre])
        if len(centre) < _SHOWERS:
            return
        x, y = np.median(centre, axis=0)
        if np.hypot(x, y) > max(_OFF_AXIS, _OFF_AXIS_SHARE * float(np.median(np.concatenate(self._radius)))):
            sys.stderr.write(
                f"showers: WARNING: the energy of a shower lies about x = {x:.3g}, y = {y:.3g} mm (median) in "
                f"{self._path}: distances are from the axis at 0, 0\n"
            )
