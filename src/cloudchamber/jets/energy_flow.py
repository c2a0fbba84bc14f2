"""Energy flow polynomials of jets: all 36 multigraphs of up to four edges (arXiv 1712.07124, equation 1.1).

EFP_G = sum over particles i_1 ... i_n of z_(i_1) ... z_(i_n) times theta_(i_k i_l) for each edge (k, l) of the graph G,
with z the transverse momentum and theta the distance in pseudorapidity and azimuth. As in jetnet (arXiv 2106.11535,
2211.10295) z is in units of the pT that the momenta refer to and not normalised to the jet's own sum, and beta = 1.

A graph of n vertices costs n nested sums as it stands. Here every connected graph is a sum over one particle, or one
row of the product theta diag(z) theta, of what its branches and cycles add up to; a disconnected one is the product of
its parts.
"""

import math

import numpy as np
from numba import njit

from cloudchamber.jets.per_jet import in_chunks

__all__ = ["EFP_GRAPHS", "energy_flow_polynomials"]

# In the order of EnergyFlow's set "d<=4", which jetnet uses.
EFP_GRAPHS: tuple[tuple[tuple[int, int], ...], ...] = (
    (),
    ((0, 1),),
    ((0, 1), (0, 1)),
    ((0, 1), (0, 1), (0, 1)),
    ((0, 1), (0, 1), (0, 1), (0, 1)),
    ((0, 1), (0, 2)),
    ((0, 1), (0, 2), (0, 2)),
    ((0, 1), (0, 2), (0, 2), (0, 2)),
    ((0, 1), (0, 1), (0, 2), (0, 2)),
    ((0, 1), (0, 2), (1, 2)),
    ((0, 1), (0, 2), (0, 2), (1, 2)),
    ((0, 1), (0, 2), (0, 3)),
    ((0, 1), (0, 2), (0, 2), (0, 3)),
    ((0, 1), (0, 2), (1, 3)),
    ((0, 1), (0, 2), (0, 2), (1, 3)),
    ((0, 1), (0, 1), (0, 2), (1, 3)),
    ((0, 1), (0, 2), (1, 2), (0, 3)),
    ((0, 1), (0, 2), (1, 3), (2, 3)),
    ((0, 1), (0, 2), (0, 3), (0, 4)),
    ((0, 1), (0, 2), (0, 3), (1, 4)),
    ((0, 1), (0, 2), (1, 3), (2, 4)),
    ((0, 1), (2, 3)),
    ((0, 1), (2, 3), (2, 3)),
    ((0, 1), (2, 3), (2, 3), (2, 3)),
    ((0, 1), (0, 1), (2, 3), (2, 3)),
    ((0, 1), (2, 3), (2, 4)),
    ((0, 1), (0, 1), (2, 3), (2, 4)),
    ((0, 1), (2, 3), (2, 4), (2, 4)),
    ((0, 1), (2, 3), (2, 4), (3, 4)),
    ((0, 1), (2, 3), (4, 5)),
    ((0, 1), (2, 3), (2, 4), (2, 5)),
    ((0, 1), (2, 3), (2, 4), (3, 5)),
    ((0, 1), (0, 2), (3, 4), (3, 5)),
    ((0, 1), (2, 3), (4, 5), (4, 5)),
    ((0, 1), (2, 3), (4, 5), (4, 6)),
    ((0, 1), (2, 3), (4, 5), (6, 7)),
)

_FIRST_PRODUCT = 21
# Graphs from _FIRST_PRODUCT on, as the numbers of their parts.
_PRODUCTS = (
    (1, 1),
    (1, 2),
    (1, 3),
    (2, 2),
    (1, 5),
    (2, 5),
    (1, 6),
    (1, 9),
    (1, 1, 1),
    (1, 11),
    (1, 13),
    (5, 5),
    (1, 1, 2),
    (1, 1, 5),
    (1, 1, 1, 1),
)


def energy_flow_polynomials(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Return the energy flow polynomials of each jet, in the order of ``EFP_GRAPHS``.

    Args:
        pt, eta, phi: (N, P) massless particles, with pt = 0 in slots without a particle.

    Returns:
        (N, 36) float64; polynomial of n vertices in the unit of ``pt`` to the power n.
    """
    values = in_chunks("energy flow polynomials", _connected_kernel, (pt, eta, phi), len(EFP_GRAPHS))
    for number, parts in enumerate(_PRODUCTS, start=_FIRST_PRODUCT):
        values[:, number] = values[:, parts].prod(axis=1)
    return values


@njit(cache=True)
def _load(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, particles: np.ndarray) -> int:
    """Copy z, eta and phi of the particles of one jet to the rows of ``particles``; return how many there are."""
    n = 0
    for slot in range(len(pt)):
        if pt[slot] > 0:
            particles[0, n], particles[1, n], particles[2, n] = pt[slot], eta[slot], phi[slot]
            n += 1
    return n


@njit(cache=True, fastmath={"reassoc", "contract"})
def _sums_over_neighbours(n: int, particles: np.ndarray, theta: np.ndarray, powers: np.ndarray) -> None:
    """Fill ``theta`` (n, n), and ``powers`` (4, n) with sum_j theta_ij^p z_j for p = 1 to 4."""
    z, eta, phi = particles[0], particles[1], particles[2]
    for i in range(n):
        first = second = third = fourth = 0.0
        for j in range(n):
            delta_phi = phi[i] - phi[j]
            # Without a branch, so that the loop runs on vectors.
            delta_phi -= 2 * math.pi * math.floor(delta_phi / (2 * math.pi) + 0.5)
            square = (eta[i] - eta[j]) ** 2 + delta_phi**2
            distance = math.sqrt(square)
            theta[i, j] = distance
            first += z[j] * distance
            second += z[j] * square
            third += z[j] * square * distance
            fourth += z[j] * square * square
        powers[0, i], powers[1, i], powers[2, i], powers[3, i] = first, second, third, fourth


@njit(cache=True, fastmath={"reassoc", "contract"})
def _sums_over_chains(n: int, z: np.ndarray, theta: np.ndarray, single: np.ndarray, chains: np.ndarray) -> None:
    """Fill ``chains`` (2, n) with sum_j theta_ij^p z_j a_j for p = 1 and 2, a being ``single``."""
    for i in range(n):
        first = second = 0.0
        for j in range(n):
            step = theta[i, j] * z[j] * single[j]
            first += step
            second += step * theta[i, j]
        chains[0, i], chains[1, i] = first, second


@njit(cache=True, fastmath={"reassoc", "contract"})
def _two_steps(i: int, n: int, z: np.ndarray, theta: np.ndarray, paths: np.ndarray) -> None:
    """Fill ``paths`` with M_ij = sum_k theta_ik z_k theta_kj for j up to ``i``."""
    paths[: i + 1] = 0.0
    whole = n - n % 4
    # Four rows at a time, since reading and writing the sums is what takes the time.
    for k in range(0, whole, 4):
        w0, w1 = theta[i, k] * z[k], theta[i, k + 1] * z[k + 1]
        w2, w3 = theta[i, k + 2] * z[k + 2], theta[i, k + 3] * z[k + 3]
        for j in range(i + 1):
            paths[j] += w0 * theta[k, j] + w1 * theta[k + 1, j] + w2 * theta[k + 2, j] + w3 * theta[k + 3, j]
    for k in range(whole, n):
        weight = theta[i, k] * z[k]
        for j in range(i + 1):
            paths[j] += weight * theta[k, j]


@njit(cache=True, fastmath={"reassoc", "contract"})
def _sums_over_cycles(
    n: int, z: np.ndarray, theta: np.ndarray, paths: np.ndarray, triangles: np.ndarray
) -> tuple[float, float]:
    """Fill ``triangles`` with sum_j z_j theta_ij M_ij; return the sums over i and j of z_i z_j theta_ij^2 M_ij and
    z_i z_j M_ij^2. M is symmetric, and theta_ii = 0.
    """
    triangles[:n] = 0.0
    doubled_side = square = 0.0
    for i in range(n):
        _two_steps(i, n, z, theta, paths)
        of_triangles = of_doubled = of_square = 0.0
        for j in range(i):
            corner = theta[i, j] * paths[j]
            triangles[j] += z[i] * corner
            of_triangles += z[j] * corner
            of_doubled += z[j] * corner * theta[i, j]
            of_square += z[j] * paths[j] ** 2
        triangles[i] += of_triangles
        doubled_side += 2 * z[i] * of_doubled
        square += z[i] * (2 * of_square + z[i] * paths[i] ** 2)
    return doubled_side, square


@njit(cache=True)
def _connected_kernel(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, values: np.ndarray) -> None:
    """Write the polynomials of the connected graphs to ``values`` (N, 36), which holds zeros."""
    n_jets, width = pt.shape
    particles = np.empty((3, width))
    theta = np.empty((width, width))
    powers = np.empty((4, width))
    chains = np.empty((2, width))
    paths, triangles = np.empty(width), np.empty(width)
    for jet in range(n_jets):
        n = _load(pt[jet], eta[jet], phi[jet], particles)
        z = particles[0]
        _sums_over_neighbours(n, particles, theta, powers)
        _sums_over_chains(n, z, theta, powers[0], chains)
        values[jet, 10], values[jet, 17] = _sums_over_cycles(n, z, theta, paths, triangles)
        _sum_over_particles(n, z, powers, chains, triangles, values[jet])


@njit(cache=True, fastmath={"reassoc", "contract"})
def _sum_over_particles(
    n: int, z: np.ndarray, powers: np.ndarray, chains: np.ndarray, triangles: np.ndarray, values: np.ndarray
) -> None:
    for i in range(n):
        a, a2, a3, a4 = powers[0, i], powers[1, i], powers[2, i], powers[3, i]
        b, b2 = chains[0, i], chains[1, i]
        values[0] += z[i]
        values[1] += z[i] * a
        values[2] += z[i] * a2
        values[3] += z[i] * a3
        values[4] += z[i] * a4
        values[5] += z[i] * a * a
        values[6] += z[i] * a * a2
        values[7] += z[i] * a * a3
        values[8] += z[i] * a2 * a2
        values[9] += z[i] * triangles[i]
        values[11] += z[i] * a * a * a
        values[12] += z[i] * a * a * a2
        values[13] += z[i] * a * b
        values[14] += z[i] * a2 * b
        values[15] += z[i] * a * b2
        values[16] += z[i] * a * triangles[i]
        values[18] += z[i] * a * a * a * a
        values[19] += z[i] * a * a * b
        values[20] += z[i] * b * b
