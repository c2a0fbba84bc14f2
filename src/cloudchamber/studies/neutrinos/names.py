"""What interactions, prongs and views are called, in files, settings and figures."""

from collections.abc import Mapping

__all__ = ["CEILING", "HISTOGRAM", "INTERACTIONS", "PRONGS", "STAND_IN", "VIEWS", "prong_class"]

# Interaction -> how figures write it; the position is the label in files.
INTERACTIONS: Mapping[str, str] = {
    "numu_cc": r"$\nu_\mu$ CC",
    "nue_cc": r"$\nu_e$ CC",
    "nc": "NC",
}
# Class of a prong -> how figures write it; the position is the label in files.
PRONGS: Mapping[str, str] = {
    "muon": r"$\mu$",
    "electron": "e",
    "photon": r"$\gamma$",
    "proton": "p",
    "pion": r"$\pi^\pm$",
    "other": "other",
}
# What is judged beside the models of the settings, under names of their own.
CEILING, HISTOGRAM = "ceiling", "histogram"
# Of a plane, first the one whose strips measure x.
VIEWS = ("XZ", "YZ")
# Said wherever a number or a picture of the study stands.
STAND_IN = "stand-in: Pythia 8 DIS on a free proton, toy detector; not NOvA"

_CLASS_OF_PDG = {13: "muon", 11: "electron", 22: "photon", 2212: "proton", 211: "pion"}


def prong_class(pdg: int) -> str:
    """Return the class of a prong that a particle began.

    Args:
        pdg: code of the particle; antiparticles count as particles.

    Example:
        >>> prong_class(-13), prong_class(321)
        ('muon', 'other')
    """
    return _CLASS_OF_PDG.get(abs(pdg), "other")
