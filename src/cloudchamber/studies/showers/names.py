"""Names that settings and files use; nothing is imported for them."""

from typing import Literal

__all__ = ["FEWEST_JUDGED", "GeometryName", "SpeciesName"]

# Showers that classifiers need of each side; metrics need half as many of each species.
FEWEST_JUDGED = 20

GeometryName = Literal["ild_like", "calo_challenge"]
SpeciesName = Literal[
    "electron", "positron", "photon", "k0_long", "pi_plus", "pi_minus",
    "k_plus", "k_minus", "neutron", "antineutron", "proton", "antiproton",
]  # fmt: skip
