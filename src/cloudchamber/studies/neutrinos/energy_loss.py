"""Mean energy loss of heavy charged particles in iron by ionisation (Review of Particle Physics).

The Bethe equation with the density effect in Sternheimer's form. The small dependence of the largest energy transfer on
the mass is that of a muon, so that the loss is a function of beta gamma alone.
"""

from typing import final

import numpy as np

__all__ = ["IRON", "EnergyLoss"]

_ELECTRON_MASS = 0.51099895e-3
_MUON_MASS = 0.1056583755
# 4 pi N_A r_e^2 m_e c^2 [GeV cm^2/g].
_K = 0.307075e-3
# Z / A, mean excitation energy [GeV], and Sternheimer's plasma term, exponent, slope and limits of the density effect.
_RATIO, _EXCITATION = 26 / 55.845, 286.0e-9
_MINUS_C, _EXPONENT, _SLOPE, _X0, _X1 = 4.2911, 2.9632, 0.14680, -0.0012, 3.1531
_LOWEST, _HIGHEST = 0.05, 1e5


@final
class EnergyLoss:
    """The loss as a table of beta gamma.

    Attributes:
        minimum: the smallest loss [GeV cm^2/g], of a minimum ionising particle.

    Example:
        >>> loss = EnergyLoss()
        >>> round(1e3 * loss.minimum, 2)
        1.45
    """

    def __init__(self) -> None:
        self._grid = np.linspace(np.log(_LOWEST), np.log(_HIGHEST), 2000)
        self._table = _bethe(np.exp(self._grid))
        self.minimum = float(self._table.min())

    def __call__(self, beta_gamma: np.ndarray) -> np.ndarray:
        """Return the loss [GeV cm^2/g]; below beta gamma = 0.05 that at it."""
        return np.interp(np.log(np.maximum(beta_gamma, _LOWEST)), self._grid, self._table)

    def of_kinetic(self, kinetic: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Return the loss at kinetic energies [GeV] of particles with masses [GeV]."""
        gamma = 1 + kinetic / mass
        return self(np.sqrt(np.maximum(gamma**2 - 1, _LOWEST**2)))


def _bethe(beta_gamma: np.ndarray) -> np.ndarray:
    gamma2 = 1 + beta_gamma**2
    beta2 = beta_gamma**2 / gamma2
    ratio = _ELECTRON_MASS / _MUON_MASS
    largest = 2 * _ELECTRON_MASS * beta_gamma**2 / (1 + 2 * np.sqrt(gamma2) * ratio + ratio**2)
    logarithm = 0.5 * np.log(2 * _ELECTRON_MASS * beta_gamma**2 * largest / _EXCITATION**2)
    return _K * _RATIO / beta2 * (logarithm - beta2 - 0.5 * _density_effect(np.log10(beta_gamma)))


def _density_effect(x: np.ndarray) -> np.ndarray:
    """Return delta; below ``_X0`` that of a conductor is nearly zero."""
    high = 2 * np.log(10) * x - _MINUS_C
    between = high + _SLOPE * np.maximum(_X1 - x, 0.0) ** _EXPONENT
    return np.where(x >= _X1, high, np.where(x >= _X0, between, 0.0))


IRON = EnergyLoss()
