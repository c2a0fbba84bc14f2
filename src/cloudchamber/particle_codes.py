"""Codes of particles (Particle Data Group, Monte Carlo particle numbering scheme) that several rooms have to tell."""

__all__ = ["INVISIBLE", "NEUTRINOS"]

NEUTRINOS = (12, 14, 16)
# Stable particles that no detector sees; antiparticles have the codes with a minus. Beside neutrinos: a fourth one,
# dark matter of spin 0, 1/2 and 1, sneutrinos, neutralinos and the gravitino.
INVISIBLE = (
    *NEUTRINOS,
    *(18, 51, 52, 53),
    *(1000012, 1000014, 1000016),
    *(1000022, 1000023, 1000025, 1000035, 1000045, 1000039),
)
