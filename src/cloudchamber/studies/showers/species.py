"""The particles that begin a shower, in the fixed order that models number them by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.errors import InputError

__all__ = ["LEAST_KINETIC_ENERGY", "SPECIES", "Species", "species_numbers"]

# Of the particles of a gun [GeV].
LEAST_KINETIC_ENERGY = 0.05


@final
@dataclass(frozen=True)
class Species:
    """A species of particles.

    Attributes:
        number: place in the embedding of models, the same whatever species a file holds.
        pdg: its code in the Particle Data Group's scheme.
        symbol: for figures.
        mass: [GeV].
        charge: in units of that of the positron.
        hadronic: whether it showers by nuclear interactions.
        baryons: baryon number.
    """

    number: int
    pdg: int
    symbol: str
    mass: float
    charge: int
    hadronic: bool
    baryons: int = 0

    def available_energy(self, energy: float | np.ndarray) -> float | np.ndarray:
        """Return what is left for the shower [GeV] of a total energy: nucleons keep their mass, antinucleons add it."""
        return energy - self.baryons * self.mass


# The order is that of arXiv 2601.11716: by the size of the code, the positive code first.
SPECIES: Mapping[str, Species] = {
    "electron": Species(0, 11, "$e^-$", 0.000511, -1, False),
    "positron": Species(1, -11, "$e^+$", 0.000511, 1, False),
    "photon": Species(2, 22, r"$\gamma$", 0.0, 0, False),
    "k0_long": Species(3, 130, "$K^0_L$", 0.497611, 0, True),
    "pi_plus": Species(4, 211, r"$\pi^+$", 0.13957, 1, True),
    "pi_minus": Species(5, -211, r"$\pi^-$", 0.13957, -1, True),
    "k_plus": Species(6, 321, "$K^+$", 0.493677, 1, True),
    "k_minus": Species(7, -321, "$K^-$", 0.493677, -1, True),
    "neutron": Species(8, 2112, "$n$", 0.939565, 0, True, 1),
    "antineutron": Species(9, -2112, r"$\bar{n}$", 0.939565, 0, True, -1),
    "proton": Species(10, 2212, "$p$", 0.938272, 1, True, 1),
    "antiproton": Species(11, -2212, r"$\bar{p}$", 0.938272, -1, True, -1),
}
_OF_CODE = {item.pdg: item.number for item in SPECIES.values()}


def species_numbers(pdg: np.ndarray, source: str) -> np.ndarray:
    """Return (N,) int64 places of species in the fixed order of :data:`SPECIES`.

    Args:
        pdg: (N,) codes.
        source: file that they are from, for errors.

    Raises:
        InputError: a code is of no species that is known here.

    Example:
        >>> species_numbers(np.array([22, -211]), "made up")
        array([2, 5])
    """
    codes, places = np.unique(np.asarray(pdg, np.int64), return_inverse=True)
    unknown = [int(code) for code in codes if int(code) not in _OF_CODE]
    if unknown:
        raise InputError(f"{source}: PDG code {unknown[0]} is of no species among {sorted(_OF_CODE)}")
    return np.array([_OF_CODE[int(code)] for code in codes], np.int64)[places.ravel()]
