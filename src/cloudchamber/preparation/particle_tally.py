"""What is unlikely of the generated particles of a file: kinds that are not there, and codes that nobody knows."""

from typing import final

import numpy as np

from cloudchamber.particle_codes import hadronic, hypothetical

__all__ = ["ParticleTally"]

# Of the visible particles of whole events half are hadrons, most others photons of their decays.
_FEWEST_HADRONS, _ENOUGH_PARTICLES = 0.1, 100
# Of the visible particles of whole events one in seven has less pT [GeV].
_SOFT, _MANY_PARTICLES = 0.1, 1000


@final
class ParticleTally:
    """Counts the visible particles of status 1 of one file."""

    def __init__(self) -> None:
        self._visible = self._hadrons = self._hypothetical = 0
        self._code, self._softest = 0, np.inf

    def add(self, codes: np.ndarray, pt: np.ndarray) -> None:
        """Count particles with these codes (n,) and transverse momenta (n,) [GeV]."""
        self._visible += len(codes)
        self._hadrons += int(hadronic(codes).sum())
        self._softest = min(self._softest, float(pt.min(initial=np.inf, where=pt > 0)))
        new = codes[hypothetical(codes)]
        if len(new):
            self._hypothetical += len(new)
            self._code = int(new[0])

    def unlikely(self) -> list[str]:
        """Say that hardly any of many particles are hadrons, or that none is soft, as where the card has filtered them,
        and that some have codes that models use as they like."""
        said = []
        if self._visible >= _ENOUGH_PARTICLES and self._hadrons < _FEWEST_HADRONS * self._visible:
            said.append(
                f"{self._hadrons} of {self._visible} visible particles of status 1 are hadrons: some cards write "
                "leptons and photons of 'Particle' alone, and jets of these are no jets"
            )
        if self._visible >= _MANY_PARTICLES and self._softest > _SOFT:
            said.append(
                f"none of {self._visible} visible particles of status 1 has less than {self._softest:.3g} GeV of pT: "
                "some cards write harder ones of 'Particle' alone, and jets lack the others"
            )
        if self._hypothetical:
            said.append(
                f"{self._hypothetical} of {self._visible} visible particles of status 1 are of codes beyond the "
                f"Standard Model, such as {self._code}: they are taken as seen by a detector"
            )
        return said
