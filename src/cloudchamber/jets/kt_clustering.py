"""Exclusive kT clustering of the particles of a jet, compiled: axes for n-subjettiness and for the alignment of jets.

Conventions are those of KT_Axes of the FastJet contrib package Nsubjettiness, against which the tests compare.
"""

import math

import numpy as np
from numba import njit

from cloudchamber.jets.per_jet import in_chunks

__all__ = ["exclusive_axes", "load_particles", "merge_closest", "nearest_axis", "squared_distance"]


def exclusive_axes(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, n_axes: int) -> np.ndarray:
    """Return the jets that exclusive kT clustering makes of each jet: the axes of :func:`subjettiness`, by their pT.

    Args:
        pt, eta, phi: (N, P) massless particles, with pt = 0 in slots without a particle.
        n_axes: how many are left of each jet.

    Returns:
        (N, n_axes, 3) float64 transverse momentum, rapidity and azimuth [rad], the hardest first; zeros where a jet has
        fewer particles.
    """

    def kernel(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, axes: np.ndarray) -> None:
        _axes_kernel(pt, eta, phi, axes.reshape(len(axes), n_axes, 3))

    axes = in_chunks("axes", kernel, (pt, eta, phi), 3 * n_axes).reshape(len(pt), n_axes, 3)
    order = np.argsort(-axes[:, :, 0], axis=1, kind="stable")
    return np.take_along_axis(axes, order[:, :, None], axis=1)


@njit(cache=True)
def squared_distance(eta_a: float, phi_a: float, eta_b: float, phi_b: float) -> float:
    delta_phi = abs(phi_a - phi_b)
    if delta_phi > math.pi:
        delta_phi = abs(delta_phi - 2 * math.pi * round(delta_phi / (2 * math.pi)))
    return (eta_a - eta_b) ** 2 + delta_phi**2


@njit(cache=True)
def nearest_axis(i: int, n: int, axes: np.ndarray, neighbour: np.ndarray, distance: np.ndarray) -> None:
    """Find the nearest of the first ``n`` axes to axis ``i``, geometrically."""
    best, where = math.inf, -1
    for j in range(n):
        if j != i:
            d = squared_distance(axes[i, 0], axes[i, 1], axes[j, 0], axes[j, 1])
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
def load_particles(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, particles: np.ndarray, axes: np.ndarray) -> int:
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
            nearest_axis(i, n, axes, neighbour, distance)
            continue
        if neighbour[i] == n:
            neighbour[i] = b
        d = squared_distance(axes[i, 0], axes[i, 1], axes[a, 0], axes[a, 1])
        if d < distance[i]:
            distance[i] = d
            neighbour[i] = a


@njit(cache=True)
def merge_closest(n: int, axes: np.ndarray, neighbour: np.ndarray, distance: np.ndarray) -> tuple[int, int]:
    """Merge two of ``n`` + 1 axes; return where the sum is now, and where the last axis is, if it was not merged."""
    a, b = _closest(n + 1, axes, neighbour, distance)
    _merge(a, b, axes)
    axes[b] = axes[n]
    neighbour[b] = neighbour[n]
    distance[b] = distance[n]
    _repair(a, b, n, axes, neighbour, distance)
    return a, b


@njit(cache=True)
def _axes_kernel(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, found: np.ndarray) -> None:
    """Write pT, rapidity and azimuth of the axes to ``found`` (N, n_axes, 3), which holds zeros."""
    n_jets, width = pt.shape
    particles = np.empty((width, 3))
    axes = np.empty((width, 7))
    neighbour = np.empty(width, dtype=np.int64)
    distance = np.empty(width)
    for jet in range(n_jets):
        n = load_particles(pt[jet], eta[jet], phi[jet], particles, axes)
        for i in range(n):
            nearest_axis(i, n, axes, neighbour, distance)
        while n > found.shape[1]:
            n -= 1
            merge_closest(n, axes, neighbour, distance)
        for k in range(n):
            found[jet, k, 0] = math.sqrt(axes[k, 2])
            found[jet, k, 1], found[jet, k, 2] = axes[k, 0], axes[k, 1]
