"""The HDF5 layout of CaloChallenge (arXiv 2410.21611): voxels in rings, for its data sets 1, 2 and 3.

``incident_energies`` (N, 1) and ``showers`` (N, voxels), both in MeV. Voxels go layer by layer, in a layer ring by
angle: (layer, alpha, r) with the radius fastest. Edges are those of the binning files of the challenge. Energies of
voxels are those in the active material over the sampling fraction, so that they add up to about the incident energy.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import final

import h5py
import numpy as np

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.hdf5 import create_hdf5
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.shower_file import refuse_bad_energies

__all__ = ["BINNINGS", "Binning", "binning_of", "points_to_voxels", "read_calo_challenge", "voxels_to_points",
           "write_calo_challenge"]  # fmt: skip

BINNINGS = ("1_photons", "1_pions", "2", "3")
_KIND = "a file of CaloChallenge"
_GEOMETRY = "calo_challenge"
_SHOWERS = 1000
_MEV = 1e-3
# Of the energy, outside of all rings.
_SAID = 1e-3
# The median incident energy [MeV]; data sets 2 and 3 begin at 1 GeV.
_TYPICAL_ENERGY = 100.0
_SAMPLING = (0, 5, 10, 30, 50, 100, 200, 400, 600)
_BARREL = (0, 10, 20, 30, 50, 80, 100, 130, 160, 200, 250, 300, 350, 400)
_PHOTONS = (
    (_SAMPLING, 1),
    ((0, 2, 4, 6, 8, 10, 12, 15, 20, 30, 40, 50, 70, 90, 120, 150, 200), 10),
    ((0, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 130, 160, 200, 250, 300, 350, 400), 10),
    ((0, 50, 100, 200, 400, 600), 1),
    ((0, 100, 200, 400, 1000, 2000), 1),
)
_PIONS = (
    (_SAMPLING, 1),
    ((0, 1, 4, 7, 10, 15, 30, 50, 90, 150, 200), 10),
    ((0, 5, 10, 20, 30, 50, 80, 130, 200, 300, 400), 10),
    ((0, 50, 100, 200, 400, 600), 1),
    ((*_BARREL, 1000, 2000), 10),
    ((*_BARREL, 600, 1000, 2000), 10),
    ((0, 50, 100, 150, 200, 250, 300, 400, 600, 1000, 2000), 1),
)


@final
@dataclass(frozen=True)
class Binning:
    """Voxels of a data set.

    Attributes:
        edges: of the radius in each layer [mm].
        angles: number of bins of the angle in each layer.
    """

    edges: tuple[np.ndarray, ...]
    angles: tuple[int, ...]

    @property
    def starts(self) -> np.ndarray:
        """(L + 1,) first voxel of each layer, and behind the last."""
        sizes = [(len(edges) - 1) * angles for edges, angles in zip(self.edges, self.angles, strict=True)]
        return np.concatenate([[0], np.cumsum(sizes)])

    @property
    def voxels(self) -> int:
        """How many there are."""
        return int(self.starts[-1])


@cache
def binning_of(name: str) -> Binning:
    """Return the voxels of a data set.

    Example:
        >>> [binning_of(name).voxels for name in BINNINGS]
        [368, 533, 6480, 40500]
    """
    match name:
        case "1_photons":
            layers: tuple[tuple[tuple[float, ...], int], ...] = _PHOTONS
        case "1_pions":
            layers = _PIONS
        case "2":
            layers = ((tuple(4.65 * np.arange(10)), 16),) * 45
        case _:
            layers = ((tuple(2.325 * np.arange(19)), 50),) * 45
    return Binning(tuple(np.array(edges, float) for edges, _ in layers), tuple(angles for _, angles in layers))


def voxels_to_points(
    voxels: np.ndarray, binning: Binning, rng: np.random.Generator | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return (M, 4) points x, y [mm], layer, energy [GeV] of the voxels that hold energy, and (M,) their showers.

    Args:
        voxels: (N, V) energies [MeV].
        binning: of the voxels.
        rng: places points uniformly in radius and angle within their voxels; None puts them in the middle.
    """
    shower, voxel = np.nonzero(voxels)
    layer = np.searchsorted(binning.starts, voxel, side="right") - 1
    radius, angle = np.empty(len(voxel)), np.empty(len(voxel))
    shares = np.full((2, len(voxel)), 0.5) if rng is None else rng.random((2, len(voxel)))
    for number, (edges, angles) in enumerate(zip(binning.edges, binning.angles, strict=True)):
        chosen = layer == number
        ring = (voxel[chosen] - binning.starts[number]) % (len(edges) - 1)
        sector = (voxel[chosen] - binning.starts[number]) // (len(edges) - 1)
        radius[chosen] = edges[ring] + shares[0, chosen] * np.diff(edges)[ring]
        angle[chosen] = 2 * np.pi * (sector + shares[1, chosen]) / angles
    energy = _MEV * voxels[shower, voxel]
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), layer, energy]), shower


def points_to_voxels(points: np.ndarray, owners: np.ndarray, showers: int, binning: Binning) -> np.ndarray:
    """Return (N, V) energies [MeV] of points (M, 4); what lies outside of all rings is left out."""
    voxels = np.zeros((showers, binning.voxels))
    radius = np.hypot(points[:, 0], points[:, 1])
    angle = np.arctan2(points[:, 1], points[:, 0]) % (2 * np.pi)
    layer = points[:, 2].astype(np.int64)
    for number, (edges, angles) in enumerate(zip(binning.edges, binning.angles, strict=True)):
        ring = np.searchsorted(edges, radius, side="right") - 1
        chosen = (layer == number) & (ring < len(edges) - 1)
        sector = np.minimum((angle[chosen] / (2 * np.pi) * angles).astype(np.int64), angles - 1)
        voxel = binning.starts[number] + sector * (len(edges) - 1) + ring[chosen]
        np.add.at(voxels, (owners[chosen], voxel), points[chosen, 3] / _MEV)
    return voxels


def read_calo_challenge(
    path: Path, name: str, pdg: int, threshold: float, rng: np.random.Generator | None
) -> Iterator[tuple[Particles, np.ndarray, np.ndarray]]:
    """Yield particles, (M, 4) points and (M,) their showers, some showers at a time.

    The energy of a point is that left in the active material: of its voxel, times the sampling fraction.

    Args:
        path: the file.
        name: of the binning.
        pdg: of all showers; they go along the axis.
        threshold: voxels below are left out [MeV], in energies of the file.
        rng: of :func:`voxels_to_points`.

    Raises:
        InputError: the file cannot be read or has other voxels, is in another unit, or an energy is none.
    """
    binning, fractions = binning_of(name), geometry_of(_GEOMETRY).sampling_fractions
    with readable_as(path, _KIND), h5py.File(path, "r", locking=False) as file:
        for key in ("incident_energies", "showers"):
            if key not in file:
                raise InputError(f"{path}: no key '{key}' among {sorted(file)}")
        shape = file["showers"].shape
        if len(shape) != 2 or shape[1] != binning.voxels or len(file["incident_energies"]) != shape[0]:
            raise InputError(f"{path}: key 'showers' is {shape}, data set {name} has {binning.voxels} voxels")
        typical = float(np.median(file["incident_energies"][()])) if shape[0] else _TYPICAL_ENERGY
        if not typical >= _TYPICAL_ENERGY:
            raise InputError(f"{path}: key 'incident_energies': the median is {typical:.3g}, expected MeV")
        for start in range(0, shape[0], _SHOWERS):
            rows = slice(start, start + _SHOWERS)
            voxels = file["showers"][rows].astype(np.float64)
            refuse_bad_energies(voxels.ravel(), start + np.arange(voxels.size) // voxels.shape[1], str(path))
            voxels[voxels < threshold] = 0.0
            points, owners = voxels_to_points(voxels, binning, rng)
            points[:, 3] *= fractions[points[:, 2].astype(np.int64)]
            energy = file["incident_energies"][rows].reshape(-1).astype(np.float64) * _MEV
            directions = np.tile([0.0, 0.0, 1.0], (len(energy), 1))
            yield Particles(energy, directions, np.full(len(energy), pdg, np.int64)), points, owners


def write_calo_challenge(showers: PackedCloudFile, name: str, path: Path) -> None:
    """Write all showers of a file as voxels, and say how much of the energy lies outside of their rings.

    Raises:
        InputError: the showers have other layers.
        StorageError: the file cannot be written.
    """
    binning, number = binning_of(name), len(showers)
    fractions = geometry_of(_GEOMETRY).sampling_fractions
    whole = written = 0.0
    with create_hdf5(path) as output:
        data = output.file.create_dataset(
            "showers", (number, binning.voxels), "f4", chunks=(1, binning.voxels), compression="gzip"
        )
        for rows, part in showers.pieces(np.arange(number), 200_000):
            if len(part.points) and part.points[:, 2].max() >= len(binning.edges):
                raise InputError(f"{showers.path}: has more than the {len(binning.edges)} layers of data set {name}")
            points = part.points.astype(np.float64)
            points[:, 3] /= fractions[points[:, 2].astype(np.int64)]
            voxels = points_to_voxels(points, part.owners, len(part), binning)
            data[rows[0] : rows[-1] + 1] = voxels
            whole, written = whole + float(points[:, 3].sum()) / _MEV, written + float(voxels.sum())
            output.check()
        output.file["incident_energies"] = (showers.feature("energy")[:, None] / _MEV).astype(np.float32)
    if written < (1 - _SAID) * whole:
        sys.stderr.write(
            f"showers: WARNING: {100 * (1 - written / whole):.2g} % of the energy lies outside of the rings of data "
            f"set {name} and is left out\n"
        )
