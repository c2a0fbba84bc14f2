"""N-subjettiness of jets on exclusive-kT axes, for any number of axes and several angular exponents at once.

All particles of a cloud are used: nothing is clustered away first. One kT clustering per jet serves all axes and
exponents, and from one number of axes to the next only particles near the pair that merged look for their axis again.
Conventions are those of the FastJet contrib package Nsubjettiness (KT_Axes, NormalizedMeasure), against which the tests
compare.
"""

import math
from collections.abc import Sequence

import numpy as np

from cloudchamber.compiled_loops import compiled
from cloudchamber.jets.kt_clustering import load_particles, merge_closest, nearest_axis, squared_distance
from cloudchamber.jets.per_jet import in_chunks

__all__ = [
    "ROUNDING",
    "subjettiness",
    "subjettiness_basis",
    "subjettiness_ratio",
]

# Sums of rounding errors: a smaller denominator is the zero of particles that coincide.
ROUNDING = 1e-12


def subjettiness(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, radius: float = 0.8) -> np.ndarray:
    """Return tau_1, tau_2 and tau_3 of each jet (arXiv 1011.2268, equation 2.1, with beta = 1).

    tau_N = sum_i pT_i min_k Delta R_ik / (radius sum_i pT_i). The N axes are the jets of exclusive kT clustering in
    the E scheme, with a radius so large that nothing merges with the beam. Delta R is taken in rapidity and azimuth. A
    jet of at most N particles has tau_N = 0, since each particle is an axis.

    Args:
        pt, eta, phi: (N, P) massless particles, with pt = 0 in slots without a particle.
        radius: R0 of the normalisation, the radius of the jets.

    Returns:
        (N, 3) float64.

    Example:
        >>> pt, eta = np.array([[0.5, 0.5, 0.0]]), np.array([[0.0, 0.4, 0.0]])
        >>> subjettiness(pt, eta, np.zeros((1, 3))).round(3)
        array([[0.25, 0.  , 0.  ]])
    """
    return subjettiness_basis(pt, eta, phi, radius, 3, (1.0,))[:, :, 0]


def subjettiness_basis(
    pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, radius: float, n_axes: int, betas: Sequence[float]
) -> np.ndarray:
    """Return tau_1 to tau_(n_axes) of each jet with every angular exponent (arXiv 1011.2268, 1108.2701).

    tau_N = sum_i pT_i min_k (Delta R_ik)^beta / (radius^beta sum_i pT_i), on the same axes for all exponents; see
    :func:`subjettiness`. tau_1 to tau_M for the exponents 0.5, 1 and 2 are the basis of arXiv 1704.08249.

    Args:
        pt, eta, phi: (N, P) massless particles, with pt = 0 in slots without a particle.
        radius: R0 of the normalisation, the radius of the jets.
        n_axes: the largest N.
        betas: B angular exponents.

    Returns:
        (N, n_axes, B) float64.
    """
    exponents = np.asarray(betas, np.float64)

    def kernel(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, tau: np.ndarray) -> None:
        _subjettiness_kernel(pt, eta, phi, exponents, tau.reshape(len(tau), n_axes, len(exponents)))

    tau = in_chunks("N-subjettiness", kernel, (pt, eta, phi), n_axes * len(exponents))
    return tau.reshape(len(tau), n_axes, len(exponents)) / radius**exponents


def subjettiness_ratio(tau: np.ndarray, n: int) -> np.ndarray:
    """Return tau_n / tau_(n-1) of each jet, zero where the denominator is zero.

    Args:
        tau: (N, 3) from :func:`subjettiness`.
        n: 2 for tau21, 3 for tau32.
    """
    numerator, denominator = tau[:, n - 1], tau[:, n - 2]
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > ROUNDING)


@compiled()
def _subjettiness_kernel(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, betas: np.ndarray, tau: np.ndarray) -> None:
    """Write the mean of (min_k Delta R_ik)^beta to ``tau`` (N, n_axes, B), which holds zeros."""
    n_jets, width = pt.shape
    most = tau.shape[1]
    particles = np.empty((width, 3))
    axes = np.empty((width, 7))
    neighbour = np.empty(width, dtype=np.int64)
    distance = np.empty(width)
    owner = np.empty(width, dtype=np.int64)
    squared = np.empty(width)
    terms = np.empty((width, len(betas)))
    for jet in range(n_jets):
        n_particles = n = load_particles(pt[jet], eta[jet], phi[jet], particles, axes)
        for i in range(n):
            nearest_axis(i, n, axes, neighbour, distance)
        while n > 1:
            n -= 1
            a, b = merge_closest(n, axes, neighbour, distance)
            if n > most:
                continue
            is_first = n == min(most, n_particles - 1)
            for i in range(n_particles):
                if is_first or owner[i] == a or owner[i] == b:
                    _assign(i, n, particles, axes, owner, squared)
                    _weigh(i, particles, squared, betas, terms)
                    continue
                if owner[i] == n:
                    owner[i] = b
                d = squared_distance(particles[i, 1], particles[i, 2], axes[a, 0], axes[a, 1])
                if d < squared[i]:
                    squared[i], owner[i] = d, a
                    _weigh(i, particles, squared, betas, terms)
            _mean(particles[:n_particles], terms, tau[jet, n - 1])


@compiled()
def _assign(i: int, n: int, particles: np.ndarray, axes: np.ndarray, owner: np.ndarray, squared: np.ndarray) -> None:
    """Find the nearest of the first ``n`` axes to particle ``i``."""
    best, where = math.inf, 0
    for k in range(n):
        d = squared_distance(particles[i, 1], particles[i, 2], axes[k, 0], axes[k, 1])
        if d < best:
            best, where = d, k
    squared[i], owner[i] = best, where


@compiled()
def _weigh(i: int, particles: np.ndarray, squared: np.ndarray, betas: np.ndarray, terms: np.ndarray) -> None:
    """Write what particle ``i`` adds to the sum of each exponent."""
    for column in range(len(betas)):
        if betas[column] == 1.0:
            power = math.sqrt(squared[i])
        elif betas[column] == 2.0:
            power = squared[i]
        else:
            power = squared[i] ** (0.5 * betas[column])
        terms[i, column] = particles[i, 0] * power


@compiled()
def _mean(particles: np.ndarray, terms: np.ndarray, means: np.ndarray) -> None:
    """Write the sums of ``terms`` over the particles, divided by that of their pT, to ``means``."""
    weight = 0.0
    for i in range(len(particles)):
        weight += particles[i, 0]
        for column in range(len(means)):
            means[column] += terms[i, column]
    for column in range(len(means)):
        means[column] /= weight
