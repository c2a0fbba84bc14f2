"""Parametrised electromagnetic showers in a sampling calorimeter (Grindhammer and Peters, hep-ex/0001020).

Constants are those of the GFlash headers of Geant4. Two of them may differ from the paper's: 0.0412 in the radius of
the tail and 0.813 in the depth of the spots. Depths t are in radiation lengths, radii in Moliere radii, energies in
GeV.

A shower is a gamma density in depth, f(t) = beta (beta t)^(alpha - 1) exp(-beta t) / Gamma(alpha), whose ln T (the
depth of the maximum, T = (alpha - 1) / beta) and ln alpha are Gaussian and correlated; around the axis a core and a
tail; and spots of equal energy, whose number and own profile give the fluctuations of hits.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import gammainc

from cloudchamber.studies.showers.materials import Medium

__all__ = [
    "RESOLUTION",
    "Profiles",
    "draw_profiles",
    "mean_profile",
    "radial_parameters",
    "spot_number",
    "spread_of_profiles",
    "start_depths",
]

# Sampling resolution at 1 GeV that sets number and energy of the spots.
RESOLUTION = 0.17
_LOWEST_ALPHA, _LOWEST_DEPTH, _LARGEST_SIGMA = 1.1, 1.0, 0.5
_SMALLEST_RATIO = 3.0


@final
@dataclass(frozen=True)
class Profiles:
    """Longitudinal profiles of N showers.

    Attributes:
        peak: (N,) T, depth of the maximum in radiation lengths.
        alpha: (N,) exponent.
        spot_peak, spot_alpha: (N,) the same of the density of spots.
    """

    peak: np.ndarray
    alpha: np.ndarray
    spot_peak: np.ndarray
    spot_alpha: np.ndarray

    def fractions(self, edges: np.ndarray) -> np.ndarray:
        """Return (N, K) parts of the energy between (N, K + 1) depths behind the start; negative ones are before it."""
        return np.diff(_cumulative(edges, self.peak, self.alpha), axis=1)

    def spot_fractions(self, edges: np.ndarray) -> np.ndarray:
        """Return the same of the spots."""
        return np.diff(_cumulative(edges, self.spot_peak, self.spot_alpha), axis=1)


def _cumulative(depths: np.ndarray, peak: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    beta = (alpha - 1) / peak
    return gammainc(alpha[:, None], beta[:, None] * np.maximum(depths, 0.0))


def _log_ratio(energy: np.ndarray, medium: Medium) -> np.ndarray:
    """Return ln y = ln(E / Ec), not so small that a logarithm of it would fail."""
    return np.log(np.maximum(1000 * energy / medium.critical_energy, _SMALLEST_RATIO))


def mean_profile(energy: np.ndarray, medium: Medium) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) T and alpha of the mean shower: exp of the means of their logarithms, corrected for sampling.

    Example:
        >>> from cloudchamber.studies.showers.materials import SILICON, TUNGSTEN, medium_of
        >>> peak, alpha = mean_profile(np.array([10.0]), medium_of(TUNGSTEN, 2.1, SILICON, 0.525))
        >>> peak.round(2), alpha.round(2)
        (array([5.75]), array([3.99]))
    """
    log_y, frequency, response = _log_ratio(energy, medium), medium.sampling_frequency, medium.electron_response
    peak = log_y - 0.812 - 0.55 / frequency - 0.69 * (1 - response)
    alpha = 0.81 + (0.458 + 2.26 / medium.charge) * log_y - 0.476 / frequency
    return np.maximum(peak, _LOWEST_DEPTH), np.maximum(alpha, _LOWEST_ALPHA)


def spread_of_profiles(energy: np.ndarray, medium: Medium) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (N,) standard deviations of ln T and ln alpha, and their correlation, in a sampling calorimeter."""
    log_y = _log_ratio(energy, medium)
    # The fits diverge at low energies, where the deviations are kept at one half.
    of_peak, of_alpha = (
        1 / np.maximum(slope * log_y - offset, 1 / _LARGEST_SIGMA) for offset, slope in ((2.5, 1.25), (0.82, 0.79))
    )
    return of_peak, of_alpha, 0.784 - 0.023 * log_y


def draw_profiles(energy: np.ndarray, medium: Medium, rng: np.random.Generator) -> Profiles:
    """Draw the profile of each of N showers of (N,) energies [GeV]."""
    peak, alpha = mean_profile(energy, medium)
    of_peak, of_alpha, correlation = spread_of_profiles(energy, medium)
    first, second = rng.normal(size=(2, len(energy)))
    plus, minus = np.sqrt((1 + correlation) / 2), np.sqrt((1 - correlation) / 2)
    peak = np.maximum(peak * np.exp(of_peak * (plus * first + minus * second)), _LOWEST_DEPTH)
    alpha = np.maximum(alpha * np.exp(of_alpha * (plus * first - minus * second)), _LOWEST_ALPHA)
    spot_peak = np.maximum(peak * (0.813 + 0.0019 * medium.charge), _LOWEST_DEPTH)
    spot_alpha = np.maximum(alpha * (0.844 + 0.0026 * medium.charge), _LOWEST_ALPHA)
    return Profiles(peak, alpha, spot_peak, spot_alpha)


def spot_number(energy: np.ndarray) -> np.ndarray:
    """Return the (N,) mean number of spots: 10.3 / c E^0.959 with c the sampling resolution."""
    return 10.3 / RESOLUTION * energy**0.959


def radial_parameters(energy: np.ndarray, tau: np.ndarray, medium: Medium) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return radius of the core, radius of the tail and share of the core, for energies and depths t / T alike.

    The density is p 2 r C^2 / (r^2 + C^2)^2 + (1 - p) 2 r D^2 / (r^2 + D^2)^2: a radius is C sqrt(u / (1 - u)), u
    uniform.
    """
    log_energy, charge = np.log(np.maximum(energy, 0.1)), medium.charge
    lack, frequency = 1 - medium.electron_response, medium.sampling_frequency
    core = 0.0251 + 0.00319 * log_energy + (0.1162 - 0.000381 * charge) * tau
    core = core - 0.0203 * lack + 0.0397 / frequency * np.exp(-tau)
    tail = (0.659 - 0.00309 * charge) * (
        np.exp(-2.59 * (tau - 0.645)) + np.exp((0.3585 + 0.0412 * log_energy) * (tau - 0.645))
    )
    tail = tail - 0.14 * lack - 0.495 / frequency * np.exp(-tau)
    scaled = (0.401 + 0.00187 * charge - tau) / (1.313 - 0.0686 * log_energy)
    share = (2.632 - 0.00094 * charge) * np.exp(scaled - np.exp(scaled))
    share = share + lack * (0.348 - 0.642 / frequency * np.exp(-((tau - 1) ** 2)))
    return np.maximum(core, 0.01), np.maximum(tail, 0.05), np.clip(share, 0.0, 1.0)


def start_depths(number: int, photons: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return (N,) depths where showers begin: photons convert after 9/7 radiation lengths, electrons at once.

    Args:
        number: N.
        photons: (N,) bool.
        rng: generator of the depths.
    """
    return np.where(photons, rng.exponential(9 / 7, number), 0.0)
