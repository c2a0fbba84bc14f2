"""The sum of the particles as a constraint: generated jets are rescaled to the one that the jet level gives them.

Sums over a cloud are what networks of particles learn last. The transverse momenta of a jet times one number change
neither its shape nor its substructure, and its mass in proportion.
"""

import numpy as np

from cloudchamber.jets.relative import RELATIVE_COLUMNS

__all__ = ["IMPOSED_FEATURES", "rescaled"]

# Features of jets that are then given and not generated; the multiplicity always is.
IMPOSED_FEATURES = ("jet_pt", "jet_pt_rel")

_PHI_REL, _PT_REL = ([column.name for column in RELATIVE_COLUMNS].index(name) for name in ("phi_rel", "pt_rel"))


def rescaled(particles: np.ndarray, multiplicity: np.ndarray, jet_pt_rel: np.ndarray) -> np.ndarray:
    """Return jets whose particles add up to a given transverse momentum.

    It is that of the vector sum: the scalar sum is larger, by how much depends on the width of the jet. Particles
    without a positive pT count for nothing, and a jet of such particles alone stays as it is.

    Args:
        particles: (M, 3) packed, jet after jet, in the columns of ``RELATIVE_COLUMNS``; may be not finite.
        multiplicity: (N,) particles of each jet, at least 1, M in all.
        jet_pt_rel: (N,) wanted transverse momentum of the sum, in units of the jet pT.

    Returns:
        (M, 3) in the type of ``particles``.
    """
    first = np.cumsum(multiplicity) - multiplicity
    pt, phi = (particles[:, column].astype(np.float64) for column in (_PT_REL, _PHI_REL))
    counted = np.where(pt > 0, pt, 0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        total = np.hypot(*(np.add.reduceat(counted * of_phi(phi), first) for of_phi in (np.cos, np.sin)))
        factor = np.divide(jet_pt_rel, total, out=np.ones_like(total), where=total > 0)
        scaled = particles.copy()
        scaled[:, _PT_REL] = pt * np.repeat(factor, multiplicity)
    return scaled
