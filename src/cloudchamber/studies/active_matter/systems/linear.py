"""Closed forms of linear systems: dz = -K z dt + sqrt(2 D) dW with the covariance C, so that the score is -C^-1 z.

The velocity is v = Q C^-1 z with Q = D - K C, which is antisymmetric, and the entropy production tr(D^-1 Q C^-1 Q^T).
"""

import numpy as np

from cloudchamber.studies.active_matter.systems.system import Exact

__all__ = ["discrete_covariance", "entropy_production", "gaussian", "linear_score"]


def linear_score(covariance: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Return the score -C^-1 z of states (M, N, C), whose covariance is that of their flattened coordinates."""
    flat = state.reshape(len(state), -1)
    return -np.linalg.solve(covariance, flat.T).T.reshape(state.shape)


def entropy_production(drift: np.ndarray, diffusions: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return the entropy production of each coordinate, E[v_i^2 / D_i], from K, the diagonal of D, and C.

    Args:
        drift: (n, n) K.
        diffusions: (n,) diagonal of D.
        covariance: (n, n) C.
    """
    antisymmetric = np.diag(diffusions) - drift @ covariance
    squares = np.einsum("ij,jk,ik->i", antisymmetric, np.linalg.inv(covariance), antisymmetric)
    return squares / diffusions


def gaussian(
    origin: str, drift: np.ndarray, diffusions: np.ndarray, covariance: np.ndarray, positions: np.ndarray
) -> Exact:
    """Return what is known of a linear system.

    Args:
        origin: how the covariance is known.
        drift, diffusions, covariance: K (n, n), diagonal of D (n,), C (n, n) in the order of a flattened state.
        positions: (n,) whether a coordinate is one of a position.
    """
    rates = entropy_production(drift, diffusions, covariance)
    divergences = np.diag(np.diag(diffusions) @ np.linalg.inv(covariance) - drift)
    return Exact(
        origin,
        float(rates.sum()),
        float(rates[positions].sum()),
        None if positions.all() else float(divergences[positions].sum()),
        lambda state: linear_score(covariance, state),
    )


def discrete_covariance(propagator: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """Return the stationary covariance of the chain z' = M z + diag(s) xi, by doubling the number of steps.

    It is what an integrator with a finite step samples; its distance from C is the bias of the integrator.
    """
    covariance, power = np.diag(np.square(deviations)), propagator
    for _ in range(60):
        covariance = covariance + power @ covariance @ power.T
        power = power @ power
        if not power.any():
            break
    return covariance
