"""Momenta of padded jet clouds, and the transverse momentum and mass of the jets they make up."""

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError

__all__ = ["MASS_ROUNDING", "SUM_DECIMALS", "has_momentum", "jet_kinematics", "momenta", "relative_sum"]

# Particles are stored in single precision, so that jets that lost none add up to one up to 1e-7. Compared beyond that,
# they would differ from each other, and generated jets from them, by rounding alone.
SUM_DECIMALS = 6
# Beyond it products of two energies, exp(2 |eta|), do not fit into double precision.
_FARTHEST = 350.0
# The mass squared is a difference of large numbers. Below this share of them it is their rounding: the mass of a jet of
# one particle, which would be zero for some of these jets and not for others.
MASS_ROUNDING = 1e-14


def has_momentum(clouds: Clouds) -> np.ndarray:
    """Return (N, P) bool: real particles with a positive transverse momentum.

    A generative model may give a particle a negative ``pt_rel``, which is no momentum. Such particles count for
    nothing in the observables and in the comparison of particle features.
    """
    return clouds.mask & (clouds.point("pt_rel") > 0)


def momenta(clouds: Clouds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the transverse momenta, pseudorapidities and azimuths of the particles, each (N, P) float64.

    They are relative to the jet: ``pt_rel`` in units of the jet pT, ``eta_rel`` and ``phi_rel`` measured from the jet
    axis [rad]. All three are zero for padded slots and for particles that :func:`has_momentum` refuses.

    Raises:
        InputError: the clouds have no such columns, or a particle is so far from its jet that its energy is no number.
    """
    kept = has_momentum(clouds)
    pt, eta, phi = (
        np.where(kept, clouds.point(name), 0.0).astype(np.float64) for name in ("pt_rel", "eta_rel", "phi_rel")
    )
    far = np.count_nonzero((np.abs(eta) > _FARTHEST).any(axis=1))
    if far:
        beyond = f"a particle beyond |eta_rel| = {_FARTHEST:g}"
        raise InputError(f"{far} of {len(eta)} jets have {beyond}: far outside of any jet")
    return pt, eta, phi


def jet_kinematics(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the transverse momentum and the mass of each jet, the sum of its massless particles.

    The mass squared is taken as (E + p_z)(E - p_z) - pT^2 with both factors summed on their own, which loses no digits
    where a jet lies off the transverse plane. Below ``MASS_ROUNDING`` of the product it is zero. It is infinite where a
    particle lies beyond |eta| of about 700.

    Args:
        pt, eta, phi: (N, P), with pt = 0 in slots without a particle.

    Returns:
        jet pT and jet mass, each (N,) float64, in the unit of ``pt``.

    Example:
        >>> eta = np.array([[0.5, -0.5]])
        >>> pt, mass = jet_kinematics(np.full((1, 2), 50.0), eta, np.zeros((1, 2)))
        >>> pt, mass.round(2)
        (array([100.]), array([52.11]))
    """
    jet_pt = np.hypot((pt * np.cos(phi)).sum(axis=1), (pt * np.sin(phi)).sum(axis=1))
    with np.errstate(over="ignore"):
        product = (pt * np.exp(eta)).sum(axis=1) * (pt * np.exp(-eta)).sum(axis=1)
    mass_squared = product - jet_pt**2
    massless = (mass_squared <= MASS_ROUNDING * product) & np.isfinite(product)
    return jet_pt, np.sqrt(np.where(massless, 0.0, mass_squared))


def relative_sum(clouds: Clouds) -> np.ndarray:
    """Return (N,) the transverse momentum of the sum of the particles in units of the jet pT, to ``SUM_DECIMALS``.

    Raises:
        InputError: the clouds lack a column of :func:`momenta`.
    """
    return np.round(jet_kinematics(*momenta(clouds))[0], SUM_DECIMALS)
