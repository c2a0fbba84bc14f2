"""Jet substructure: N-subjettiness on exclusive-kT axes, energy correlation functions and D2.

All particles of a cloud are used: nothing is clustered away first. The compiled kernels make one kT clustering per jet
serve all axes. Conventions are those of the FastJet contrib packages Nsubjettiness (KT_Axes, NormalizedMeasure) and
EnergyCorrelator, against which the tests compare.
"""

import math

import numpy as np
from numba import njit

from cloudchamber.evaluation.per_jet import in_chunks

__all__ = ["d2", "energy_correlations", "subjettiness", "subjettiness_ratio"]

MAX_AXES = 3
# Sums of rounding errors: a smaller denominator is the zero of particles that coincide.
_ROUNDING = 1e-12


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
    """
    return in_chunks("N-subjettiness", _subjettiness_kernel, (pt, eta, phi), MAX_AXES) / radius


def subjettiness_ratio(tau: np.ndarray, n: int) -> np.ndarray:
    """Return tau_n / tau_(n-1) of each jet, zero where the denominator is zero.

    Args:
        tau: (N, 3) from :func:`subjettiness`.
        n: 2 for tau21, 3 for tau32.
    """
    numerator, denominator = tau[:, n - 1], tau[:, n - 2]
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > _ROUNDING)


def energy_correlations(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the normalised energy correlation functions e2 and e3 of each jet (arXiv 1305.0007, with beta = 1).

    e2 = sum_(i<j) z_i z_j R_ij and e3 = sum_(i<j<k) z_i z_j z_k R_ij R_ik R_jk, where z_i = pT_i / sum pT: the
    correlation functions ECF(2) and ECF(3) divided by (sum pT)^2 and (sum pT)^3. A jet with fewer than two (three)
    particles has e2 = 0 (e3 = 0).

    Args:
        pt, eta, phi: (N, P) massless particles, with pt = 0 in slots without a particle.

    Returns:
        e2 and e3, each (N,) float64.
    """
    correlations = in_chunks("energy correlations", _correlation_kernel, (pt, eta, phi), 2)
    return correlations[:, 0], correlations[:, 1]


def d2(e2: np.ndarray, e3: np.ndarray) -> np.ndarray:
    """Return D2 = e3 / e2^3 of each jet (arXiv 1409.6298), zero where e2 is zero."""
    return np.divide(e3, e2**3, out=np.zeros_like(e3), where=e2 > _ROUNDING)


@njit(cache=True)
def _squared_distance(eta_a: float, phi_a: float, eta_b: float, phi_b: float) -> float:
    delta_phi = abs(phi_a - phi_b)
    if delta_phi > math.pi:
        delta_phi = abs(delta_phi - 2 * math.pi * round(delta_phi / (2 * math.pi)))
    return (eta_a - eta_b) ** 2 + delta_phi**2


@njit(cache=True)
def _nearest(i: int, n: int, axes: np.ndarray, neighbour: np.ndarray, distance: np.ndarray) -> None:
    """Find the nearest of the first ``n`` axes to axis ``i``, geometrically."""
    best, where = math.inf, -1
    for j in range(n):
        if j != i:
            d = _squared_distance(axes[i, 0], axes[i, 1], axes[j, 0], axes[j, 1])
            if d < best:
                best, where = d, j
    distance[i] = best
    neighbour[i] = where


@njit(cache=True)
def _merge(a: int, b: int, axes: np.ndarray) -> None:
    """Put the sum of four-momenta ``a`` and ``b`` in place of ``a``. Columns: y, phi, pT^2, px, py, p+, p-."""
    for column in range(3, 7):
        axes[a, column] += axes[b, column]
    px, py, plus, minus = axes[a, 3], axes[a, 4], axes[a, 5], axes[a, 6]
    axes[a, 0] = 0.5 * math.log(plus / minus)
    axes[a, 1] = math.atan2(py, px)
    axes[a, 2] = px * px + py * py


@njit(cache=True)
def _load(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, particles: np.ndarray, axes: np.ndarray) -> int:
    """Copy the particles of one jet, which are the first axes, and return how many there are."""
    n = 0
    for slot in range(len(pt)):
        z, y, azimuth = pt[slot], eta[slot], phi[slot]
        if z > 0:
            particles[n, 0], particles[n, 1], particles[n, 2] = z, y, azimuth
            axes[n, 0], axes[n, 1], axes[n, 2] = y, azimuth, z * z
            axes[n, 3], axes[n, 4] = z * math.cos(azimuth), z * math.sin(azimuth)
            axes[n, 5], axes[n, 6] = z * math.exp(y), z * math.exp(-y)
            n += 1
    return n


@njit(cache=True)
def _closest(n: int, axes: np.ndarray, neighbour: np.ndarray, distance: np.ndarray) -> tuple[int, int]:
    """Return the pair of axes of smallest kT distance, the lower index first.

    One of the two is the geometric nearest neighbour of the other, the one of lower pT (hep-ph/0512210).
    """
    smallest, a = math.inf, 0
    for i in range(n):
        d = distance[i] * min(axes[i, 2], axes[neighbour[i], 2])
        if d < smallest:
            smallest, a = d, i
    return min(a, neighbour[a]), max(a, neighbour[a])


@njit(cache=True)
def _repair(a: int, b: int, n: int, axes: np.ndarray, neighbour: np.ndarray, distance: np.ndarray) -> None:
    """Restore the neighbours of the ``n`` axes after ``b`` went into ``a`` and axis ``n`` took the place of ``b``."""
    for i in range(n):
        if i == a or neighbour[i] == a or neighbour[i] == b:
            _nearest(i, n, axes, neighbour, distance)
            continue
        if neighbour[i] == n:
            neighbour[i] = b
        d = _squared_distance(axes[i, 0], axes[i, 1], axes[a, 0], axes[a, 1])
        if d < distance[i]:
            distance[i] = d
            neighbour[i] = a


@njit(cache=True)
def _subjettiness_kernel(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, tau: np.ndarray) -> None:
    """Write sum_i z_i min_k Delta R_ik for 1, 2 and 3 axes to ``tau`` (N, 3), which holds zeros."""
    n_jets, width = pt.shape
    particles = np.empty((width, 3))
    axes = np.empty((width, 7))
    neighbour = np.empty(width, dtype=np.int64)
    distance = np.empty(width)
    for jet in range(n_jets):
        n_particles = n = _load(pt[jet], eta[jet], phi[jet], particles, axes)
        for i in range(n):
            _nearest(i, n, axes, neighbour, distance)
        while n > 1:
            a, b = _closest(n, axes, neighbour, distance)
            n -= 1
            _merge(a, b, axes)
            axes[b] = axes[n]
            neighbour[b] = neighbour[n]
            distance[b] = distance[n]
            _repair(a, b, n, axes, neighbour, distance)
            if n <= MAX_AXES:
                tau[jet, n - 1] = _mean_distance(particles[:n_particles], axes[:n])


@njit(cache=True)
def _mean_distance(particles: np.ndarray, axes: np.ndarray) -> float:
    """Return the mean over particles, weighted with pT, of the distance to the nearest axis."""
    total = weight = 0.0
    for i in range(len(particles)):
        best = math.inf
        for k in range(len(axes)):
            best = min(best, _squared_distance(particles[i, 1], particles[i, 2], axes[k, 0], axes[k, 1]))
        total += particles[i, 0] * math.sqrt(best)
        weight += particles[i, 0]
    return total / weight


@njit(cache=True, fastmath={"reassoc", "contract"})
def _correlation_kernel(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, correlations: np.ndarray) -> None:
    """Write e2 and e3 to ``correlations`` (N, 2)."""
    n_jets, width = pt.shape
    z, y, azimuth = np.empty(width), np.empty(width), np.empty(width)
    distance = np.empty((width, width))
    weighted = np.empty((width, width))
    for jet in range(n_jets):
        n = 0
        total = 0.0
        for slot in range(width):
            if pt[jet, slot] > 0:
                z[n], y[n], azimuth[n] = pt[jet, slot], eta[jet, slot], phi[jet, slot]
                total += z[n]
                n += 1
        e2 = e3 = 0.0
        for i in range(n):
            z[i] /= total
            for j in range(i):
                distance[i, j] = math.sqrt(_squared_distance(y[i], azimuth[i], y[j], azimuth[j]))
                weighted[i, j] = z[j] * distance[i, j]
        for i in range(n):
            for j in range(i):
                over_k = 0.0
                for k in range(j):
                    over_k += distance[i, k] * weighted[j, k]
                pair = z[i] * weighted[i, j]
                e2 += pair
                e3 += pair * over_k
        correlations[jet, 0] = e2
        correlations[jet, 1] = e3
