"""Cross sections at low energy where Geant4's own tables are not there: formulas, and constants of a few elements.

They are substitutes. Bremsstrahlung is that of Tsai (Rev. Mod. Phys. 46 (1974) 815), which is good above some 10 MeV;
what neutrons do below 20 MeV has the right size and no resonances. Photoelectric cross sections need no formula here:
Geant4 has coefficients of them compiled in (:mod:`.substitute_tables`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["ELEMENTS", "Element", "bremsstrahlung", "neutron_capture", "neutron_elastic", "neutron_inelastic"]

_ELECTRON_MASS = 0.51099895  # MeV
_FINE_STRUCTURE = 1 / 137.035999
# 16/3 alpha r_e^2 [mb]
_BREMSSTRAHLUNG_UNIT = 16 / 3 * _FINE_STRUCTURE * 79.407877
# Radiation logarithms of light elements, elastic and inelastic (Tsai, table B.2).
_LIGHT = {1: (5.31, 6.144), 2: (4.79, 5.621), 3: (4.74, 5.805), 4: (4.71, 5.924)}
# Least value, as a part of that without any screening by the energy: towards the tip of the spectrum at low energy the
# formula turns negative, which the cross section does not.
_TIP = 0.1
# Energies [MeV] up to which inelastic cross sections follow a threshold, and from which elastic ones are half of these.
_GEOMETRIC, _DIFFRACTIVE = 20.0, 1000.0
_THERMAL = 2.53e-8  # MeV


@final
@dataclass(frozen=True)
class Element:
    """An element as slow neutrons see it.

    Attributes:
        charge, mass: atomic number and mass.
        capture: cross section of thermal neutrons [mb].
        threshold: energy [MeV] of the neutron that excites the first level; of hydrogen that of pion production.
    """

    charge: int
    mass: float
    capture: float
    threshold: float


ELEMENTS: Mapping[int, Element] = {
    1: Element(1, 1.008, 332.6, 290.0),
    6: Element(6, 12.011, 3.53, 4.8),
    14: Element(14, 28.0855, 171.0, 1.84),
    26: Element(26, 55.845, 2560.0, 0.86),
    74: Element(74, 183.84, 18300.0, 0.10),
}


def bremsstrahlung(charge: int, energy: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the scaled cross section beta^2/Z^2 k dsigma/dk [mb] of bremsstrahlung.

    Args:
        charge: atomic number Z.
        energy: (E, 1) kinetic energies of the electron [MeV].
        share: (S,) k over the kinetic energy.

    Returns:
        (E, S), by Tsai's equations 3.38 to 3.41 and 3.83 with the correction for Coulomb scattering.
    """
    total = energy + _ELECTRON_MASS
    part = share * energy / total
    shape, flat = 1 - part + 0.75 * part**2, 1 - part
    correction, log = _coulomb_correction(charge), np.log(charge)
    if charge in _LIGHT:
        elastic, inelastic = _LIGHT[charge]
        screened = shape * (elastic - correction + inelastic / charge) + flat * (1 + 1 / charge) / 12
        complete = screened
    else:
        ratio = 100 * _ELECTRON_MASS * part / (total - share * energy)
        gamma, epsilon = ratio / charge ** (1 / 3), ratio / charge ** (2 / 3)
        phi = 16.863 - 2 * np.log(1 + 0.311877 * gamma**2) + 2.4 * np.exp(-0.9 * gamma) + 1.6 * np.exp(-1.5 * gamma)
        psi = (
            24.34 - 2 * np.log(1 + 13.111641 * epsilon**2) + 2.8 * np.exp(-8 * epsilon) + 1.2 * np.exp(-29.2 * epsilon)
        )
        phi_less, psi_less = (2 / (3 + 19.5 * gamma + 18 * gamma**2), 2 / (3 + 120 * epsilon + 1200 * epsilon**2))
        nuclear, electronic = 0.25 * phi - log / 3 - correction, (0.25 * psi - 2 * log / 3) / charge
        screened = shape * (nuclear + electronic) + 0.125 * flat * (phi_less + psi_less / charge)
        complete = shape * (np.log(184.15) - log / 3 - correction + (np.log(1194.0) - 2 * log / 3) / charge)
    beta_squared = energy * (energy + 2 * _ELECTRON_MASS) / total**2
    return beta_squared * _BREMSSTRAHLUNG_UNIT * np.maximum(screened, _TIP * complete)


def _coulomb_correction(charge: int) -> float:
    """Return f(Z) of Davies, Bethe and Maximon (Phys. Rev. 93 (1954) 788)."""
    square = (_FINE_STRUCTURE * charge) ** 2
    return square * (1 / (1 + square) + 0.20206 - 0.0369 * square + 0.0083 * square**2 - 0.002 * square**3)


def neutron_inelastic(element: Element, energy: np.ndarray) -> np.ndarray:
    """Return the inelastic cross section [mb] of neutrons of kinetic energies [MeV].

    Above 20 MeV by Letaw, Silberberg and Tsao (ApJ Suppl. 51 (1983) 271); below it rises with the logarithm of the
    energy from the threshold on. That of hydrogen is a constant above its threshold.
    """
    if element.charge == 1:
        return np.where(energy > 2 * element.threshold, 30.0, 0.0)
    return _letaw(element.mass, np.maximum(energy, _GEOMETRIC)) * np.clip(
        np.log(energy / element.threshold) / np.log(_GEOMETRIC / element.threshold), 0.0, 1.0
    )


def _letaw(mass: float, energy: np.ndarray) -> np.ndarray:
    high = 45 * mass**0.7 * (1 + 0.016 * np.sin(5.3 - 2.63 * np.log(mass)))
    return high * (1 - 0.62 * np.exp(-energy / 200) * np.sin(10.9 * energy**-0.28))


def neutron_elastic(element: Element, energy: np.ndarray) -> np.ndarray:
    """Return the elastic cross section [mb] of neutrons of kinetic energies [MeV].

    A disk of radius 1.4 fm A^(1/3) below 20 MeV, half of the inelastic cross section from 1 GeV on, and a power of the
    energy between; of hydrogen the formula of Gammel (in Fast Neutron Physics, 1963), but never below 10 mb.
    """
    if element.charge == 1:
        triplet = 1.206 * energy + (-1.86 + 0.09415 * energy + 0.0001306 * energy**2) ** 2
        singlet = 1.206 * energy + (0.4223 + 0.13 * energy) ** 2
        return np.maximum(1000 * np.pi * (3 / triplet + 1 / singlet), 10.0)
    low = 10 * np.pi * 1.4**2 * element.mass ** (2 / 3)
    high = 0.5 * float(_letaw(element.mass, np.array(_DIFFRACTIVE)))
    way = np.clip(np.log(energy / _GEOMETRIC) / np.log(_DIFFRACTIVE / _GEOMETRIC), 0.0, 1.0)
    return low * (high / low) ** way


def neutron_capture(element: Element, energy: np.ndarray) -> np.ndarray:
    """Return the cross section [mb] of the capture of neutrons of kinetic energies [MeV]: inverse to their speed."""
    return element.capture * np.sqrt(_THERMAL / energy)
