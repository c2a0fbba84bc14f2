"""The exact likelihood of observed stars: the curve of an equation of state, smeared by the noise.

The mass of a star is uniform between the smallest and the maximum one, and unknown. So the density of an observed star
is the integral over the curve of two Gaussians, by the trapezoidal rule in the places s of the curve. With s = sqrt(1 -
uniform) the weight of a place is 2 s ds.
"""

import numpy as np

from cloudchamber.compiled_loops import compiled
from cloudchamber.studies.neutron_stars.quantities import SMALLEST_MASS

__all__ = ["log_likelihood"]

# Of a sum of squares of deviations beyond which a place counts for nothing: a factor of 1e-20 to the peak.
_FAR = 92.0


def log_likelihood(
    stars: np.ndarray, mask: np.ndarray, maximum_mass: np.ndarray, radius: np.ndarray, paired: bool = False
) -> np.ndarray:
    """Return the logarithm of the density of sets of stars [1 / (solar mass km) for each star], summed over stars.

    It is minus infinity where a star is ten standard deviations or more from all of a curve.

    Args:
        stars: (N, P, 4) observed mass, radius and their standard deviations.
        mask: (N, P) bool, true for stars.
        maximum_mass: (E,) [solar masses].
        radius: (E, K) [km] at the places.
        paired: whether set i is compared with equation of state i alone, and not with all.

    Returns:
        (N, E), or (N,) where ``paired``.
    """
    equations = 1 if paired else len(radius)
    total = np.zeros((len(stars), equations))
    with np.errstate(divide="ignore"):
        for slot in range(stars.shape[1]):
            rows = np.flatnonzero(mask[:, slot])
            found = np.empty((len(rows), equations))
            first = rows if paired else np.zeros(len(rows), np.int64)
            _densities(stars[rows, slot], first, maximum_mass, radius, found)
            total[rows] += np.log(found)
    return total[:, 0] if paired else total


@compiled(fastmath=True)
def _densities(
    stars: np.ndarray, first: np.ndarray, maximum_mass: np.ndarray, radius: np.ndarray, found: np.ndarray
) -> None:
    """Fill (n, E) densities of (n, 4) stars, beginning with equation of state ``first`` of each star."""
    last = radius.shape[1] - 1
    for star in range(len(stars)):
        mass, of_radius, sigma_mass, sigma_radius = stars[star]
        for place in range(found.shape[1]):
            equation = first[star] + place
            top = maximum_mass[equation]
            total = 0.0
            for k in range(last + 1):
                s = k / last
                x = (mass - top + s * s * (top - SMALLEST_MASS)) / sigma_mass
                y = (of_radius - radius[equation, k]) / sigma_radius
                squares = x * x + y * y
                if squares < _FAR:
                    weight = s
                    # Ends: half of the point, and the correction of Euler and Maclaurin for the slope of the integrand.
                    if k == 0:
                        weight = 1 / (12 * last)
                    elif k == last:
                        slope_of_x = 2 * (top - SMALLEST_MASS) / sigma_mass
                        slope_of_y = last * (radius[equation, k - 1] - radius[equation, k]) / sigma_radius
                        weight = 0.5 - (1 - x * slope_of_x - y * slope_of_y) / (12 * last)
                    total += np.exp(-0.5 * squares) * weight
            found[star, place] = max(total, 0.0) / (last * np.pi * sigma_mass * sigma_radius)
