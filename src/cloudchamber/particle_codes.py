"""Codes of particles (Particle Data Group, Monte Carlo particle numbering scheme) that several rooms have to tell."""

import numpy as np

__all__ = ["INVISIBLE", "NEUTRINOS", "hadronic", "hypothetical"]

NEUTRINOS = (12, 14, 16)
# Stable particles that no detector sees; antiparticles have the codes with a minus. Beside neutrinos: a fourth one,
# dark matter of spin 0, 1/2 and 1, sneutrinos, neutralinos and the gravitino.
INVISIBLE = (
    *NEUTRINOS,
    *(18, 51, 52, 53),
    *(1000012, 1000014, 1000016),
    *(1000022, 1000023, 1000025, 1000035, 1000045, 1000039),
)

# Codes of particles beyond the Standard Model: Higgs and gauge bosons, the graviton and dark matter; partners, hidden
# valleys, excitations and what models call particles of their own. Above are nuclei, between them hadrons.
_NEW_BOSONS, _NEW_PARTICLES = (26, 80), (1_000_000, 999_999_999)
# Below are quarks, leptons and bosons.
_FIRST_HADRON = 100
_PARTONS = (1, 2, 3, 4, 5, 6, 21)


def hadronic(codes: np.ndarray) -> np.ndarray:
    """Return (n,) bool, which of the codes (n,) are of hadrons, or of the quarks and gluons that become some."""
    size = np.abs(codes)
    found: np.ndarray = (size > _FIRST_HADRON) | np.isin(size, _PARTONS)
    return found


def hypothetical(codes: np.ndarray) -> np.ndarray:
    """Return (n,) bool, which of the codes (n,) are of particles beyond the Standard Model."""
    size = np.abs(codes)
    bosons, particles = ((size >= low) & (size <= high) for low, high in (_NEW_BOSONS, _NEW_PARTICLES))
    found: np.ndarray = bosons | particles
    return found
