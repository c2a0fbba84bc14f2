"""Energy correlation functions of jets and D2.

All particles of a cloud are used: nothing is clustered away first. Conventions are those of the FastJet contrib package
EnergyCorrelator, against which the tests compare.
"""

import math

import numpy as np

from cloudchamber.compiled_loops import compiled
from cloudchamber.jets.kt_clustering import squared_distance
from cloudchamber.jets.n_subjettiness import ROUNDING
from cloudchamber.jets.per_jet import in_chunks

__all__ = ["d2", "energy_correlations"]


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
    return np.divide(e3, e2**3, out=np.zeros_like(e3), where=e2 > ROUNDING)


@compiled(fastmath={"reassoc", "contract"})
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
                distance[i, j] = math.sqrt(squared_distance(y[i], azimuth[i], y[j], azimuth[j]))
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
