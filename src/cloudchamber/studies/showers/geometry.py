"""The stack of layers that showers are made in and measured by."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import final

import numpy as np

from cloudchamber.studies.showers.materials import (
    IRON,
    POLYSTYRENE,
    SILICON,
    TUNGSTEN,
    Material,
    Medium,
    medium_of,
)

__all__ = ["GEOMETRIES", "Geometry", "geometry_of"]


@final
@dataclass(frozen=True)
class Plates:
    """The absorber in front of the active material of a layer, thicknesses in mm."""

    absorber: Material
    absorber_mm: float
    active: Material
    active_mm: float

    @cached_property
    def medium(self) -> Medium:
        """What the layer looks like to a shower."""
        return medium_of(self.absorber, self.absorber_mm, self.active, self.active_mm)


@final
@dataclass(frozen=True)
class Geometry:
    """Layers behind each other along z, perpendicular to it.

    Attributes:
        name: of the geometry, stored with every file.
        surface: z where particles enter [mm].
        bottoms: (L,) lower z of the active material of each layer [mm].
        plates: of each layer.
        cells: (L,) width of the square cells [mm].
        thresholds: (L,) energy from which on a cell is read out [MeV].
        sections: name -> first and last layer + 1 of the parts of the calorimeter.
        stated_fraction: sampling fraction of all layers that the data come with; None where it follows from the plates.
    """

    name: str
    surface: float
    bottoms: np.ndarray
    plates: tuple[Plates, ...]
    cells: np.ndarray
    thresholds: np.ndarray
    sections: Mapping[str, tuple[int, int]]
    stated_fraction: float | None = None

    @property
    def layers(self) -> int:
        """L."""
        return len(self.bottoms)

    @cached_property
    def planes(self) -> np.ndarray:
        """(L,) z of the middle of the active material [mm]."""
        return self.bottoms + 0.5 * np.array([plates.active_mm for plates in self.plates])

    @cached_property
    def pitches(self) -> np.ndarray:
        """(L,) length along z of each layer with its gaps, the mean over its section [mm]."""
        pitches = np.empty(self.layers)
        for first, last in self.sections.values():
            pitches[first:last] = (self.bottoms[last - 1] - self.bottoms[first]) / (last - first - 1)
        return pitches

    @cached_property
    def radiation_depths(self) -> np.ndarray:
        """(L + 1,) radiation lengths in front of each layer and behind the last, at normal incidence."""
        return self._depths([plates.medium.radiation_length for plates in self.plates])

    @cached_property
    def interaction_depths(self) -> np.ndarray:
        """(L + 1,) the same in interaction lengths."""
        return self._depths([plates.medium.interaction_length for plates in self.plates])

    def _depths(self, lengths: list[float]) -> np.ndarray:
        material = np.array([plates.absorber_mm + plates.active_mm for plates in self.plates])
        return np.concatenate([[0.0], np.cumsum(material / np.array(lengths))])

    @cached_property
    def sampling_fractions(self) -> np.ndarray:
        """(L,) part of the energy of an electromagnetic shower that is left in the active material of a layer."""
        if self.stated_fraction is not None:
            return np.full(self.layers, self.stated_fraction)
        return np.array([plates.medium.mip_fraction * plates.medium.electron_response for plates in self.plates])

    @cached_property
    def mip_energies(self) -> np.ndarray:
        """(L,) [MeV] that a minimum ionising particle leaves in the active material at normal incidence."""
        return np.array([plates.medium.mip_energy for plates in self.plates])

    def layers_at(self, z: np.ndarray) -> np.ndarray:
        """Return (M,) int64 layers whose active material holds z [mm], give or take a tenth of a millimetre, or -1."""
        place = np.searchsorted(self.bottoms, z + _TOLERANCE, side="right") - 1
        thickness = np.array([plates.active_mm for plates in self.plates])
        inside = (place >= 0) & (z <= (self.bottoms + thickness)[place] + _TOLERANCE)
        return np.where(inside, place, -1)

    def shifts(self, layers: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Return (M, 2) [mm] how far in x and y a straight line has gone at layers (M,), from where it entered.

        Args:
            layers: of each point.
            directions: (M, 3) unit vectors.
        """
        depth = self.planes[layers] - self.surface
        return directions[:, :2] / directions[:, 2:] * depth[:, None]


_TOLERANCE = 0.1


@cache
def geometry_of(name: str) -> Geometry:
    """Return a geometry by its name."""
    return GEOMETRIES[name]()


def _ild_like() -> Geometry:
    """Return 30 layers of tungsten and silicon and 48 of iron and polystyrene (layout of the package showerdata).

    The positions are those of ``showerdata.detector.get_ILD_geometry()``; 20 layers of tungsten of 2.1 mm and 10 of
    4.2 mm follow from the gaps. Thickness of the scintillator, 3 mm, and the absence of electronics are assumptions.
    """
    gaps = np.concatenate([np.tile([3.125, 9.345], 9), [3.125], np.tile([11.45, 5.22], 5)])
    electromagnetic = 1811.34 + np.concatenate([[0.0], np.cumsum(gaps)])
    hadronic = 2081.0 + 26.5 * np.arange(48)
    thin, thick = (Plates(TUNGSTEN, width, SILICON, 0.525) for width in (2.1, 4.2))
    steel = Plates(IRON, 20.0, POLYSTYRENE, 3.0)
    return Geometry(
        name="ild_like",
        surface=1804.0,
        bottoms=np.concatenate([electromagnetic, hadronic]),
        plates=(thin,) * 20 + (thick,) * 10 + (steel,) * 48,
        cells=np.repeat([5.0, 30.0], [30, 48]),
        thresholds=np.repeat([0.1, 0.25], [30, 48]),
        sections={"ECAL": (0, 30), "HCAL": (30, 78)},
    )


def _calo_challenge() -> Geometry:
    """Return the 45 layers of data sets 2 and 3 of CaloChallenge (arXiv 2410.21611).

    A layer of 3.4 mm is two plates of 1.4 mm of tungsten and of 0.3 mm of silicon each. Threshold and sampling fraction
    are those of the challenge: its least energy of a voxel, 15.15 keV, is 0.5 keV in the silicon over 0.033. Cells are
    squares here, as wide as the rings of data set 2.
    """
    return Geometry(
        name="calo_challenge",
        surface=800.0,
        bottoms=800.0 + 2.8 + 3.4 * np.arange(45),
        plates=(Plates(TUNGSTEN, 2.8, SILICON, 0.6),) * 45,
        cells=np.full(45, 4.65),
        thresholds=np.full(45, 5e-4),
        sections={"ECAL": (0, 45)},
        stated_fraction=0.033,
    )


GEOMETRIES = {"ild_like": _ild_like, "calo_challenge": _calo_challenge}
