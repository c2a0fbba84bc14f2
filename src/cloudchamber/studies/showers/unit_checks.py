"""Whether the showers of a file are in the units and layers that they are taken for, and whole, by what is typical."""

import sys
from pathlib import Path
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.packed_clouds import PackedPart
from cloudchamber.preparation.alike import cut_at
from cloudchamber.studies.showers.geometry import Geometry

__all__ = ["ShowerUnits"]

# The median incident energy [GeV]; particles of published showers have at most a few TeV.
_LARGEST_ENERGY = 5e3
# The median distance of the energy of a shower from its axis [mm]: 10 to 20 in iron and tungsten for all particles.
_RADIUS = (3.0, 1000.0)
# Photons leave nothing in the first layer of six in a hundred showers here, hadrons in nearly none.
_SHOWERS = 200
# The median of the energy over the sampling fractions, in units of that of the particle: 0.1 to 2 of slow nucleons and
# antinucleons, and 30 where the file has it over the sampling fraction already.
_RESPONSE = (0.05, 3.0)


@final
class ShowerUnits:
    """What is counted of the showers of one file.

    Args:
        path: the file.
        geometry: of its layers.
    """

    def __init__(self, path: Path, geometry: Geometry) -> None:
        self._path, self._geometry = path, geometry
        self._response: list[np.ndarray] = []
        self._energy: list[np.ndarray] = []
        self._radius: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []
        self._filled = 0
        self._first_layer = False

    def add(self, part: PackedPart) -> None:
        """Count showers."""
        x, y, layer, energy = part.points.astype(np.float64).T
        owner, n = part.owners, len(part)
        total = np.bincount(owner, energy, minlength=n)
        seen = total > 0
        weighted = np.bincount(owner, energy * np.hypot(x, y), minlength=n)
        self._radius.append(weighted[seen] / total[seen])
        self._energy.append(part.features[:, 0])
        deposited = np.bincount(owner, energy / self._geometry.sampling_fractions[layer.astype(np.int64)], minlength=n)
        self._response.append(deposited[seen] / part.features[seen, 0])
        self._filled += int(seen.sum())
        self._first_layer |= bool((layer == 0).any())

    def add_stored(self, counts: np.ndarray) -> None:
        """Count showers, (n,) by the points that the file has of them, before any are left out."""
        self._counts.append(counts)

    def say_cut(self) -> None:
        """Say that many showers have the largest number of points, as where their writer had no room for more."""
        counts = np.bincount(np.concatenate([np.zeros(0, np.int64), *self._counts]))
        most = cut_at(counts) if len(counts) else None
        if most is not None:
            sys.stderr.write(
                f"showers: WARNING: {counts[most]} of {counts.sum()} showers in {self._path} have {most} points and "
                "none has more: were they cut?\n"
            )

    def check(self) -> None:
        """Refuse the file where energies, places or layers are others than expected.

        Raises:
            InputError: by the medians of incident energies and of distances from the axis, or as no shower of many has
                a point in the first layer.
        """
        if not self._filled:
            return
        energy, radius = (float(np.median(np.concatenate(values))) for values in (self._energy, self._radius))
        if energy > _LARGEST_ENERGY:
            raise InputError(f"{self._path}: the median energy of a particle is {energy:.3g} GeV: is its unit right?")
        if not _RADIUS[0] < radius < _RADIUS[1]:
            raise InputError(
                f"{self._path}: the energy of a shower lies {radius:.3g} mm from its axis (median): are x and y in mm?"
            )
        if self._filled >= _SHOWERS and not self._first_layer:
            raise InputError(
                f"{self._path}: none of {self._filled} showers has a point in layer 0: are layers counted from 0?"
            )
        response = float(np.median(np.concatenate(self._response)))
        if not _RESPONSE[0] < response < _RESPONSE[1]:
            sys.stderr.write(
                f"showers: WARNING: the points of a shower in {self._path} make {response:.2g} times the energy of its "
                f"particle over the sampling fractions of '{self._geometry.name}' (median): response and start layer "
                "are of energies that are left in the active material\n"
            )
