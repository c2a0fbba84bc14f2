"""What is compared: the methods that are not trained, bins in the number of jets, published numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from cloudchamber.studies.assignment.settings import ChiSquareForm

__all__ = ["BINS", "CHI_SQUARES", "PUBLISHED", "STRONGEST", "ChiSquareMethod"]


@final
@dataclass(frozen=True)
class ChiSquareMethod:
    """One chi-square: what it is called, which form, and whether only tagged jets may be b."""

    title: str
    form: ChiSquareForm
    b_tags: bool


CHI_SQUARES: Mapping[str, ChiSquareMethod] = {
    "chi_square_equal_masses": ChiSquareMethod(title="χ², equal masses", form="equal_masses", b_tags=True),
    "chi_square_top_mass": ChiSquareMethod(title="χ², top mass", form="top_mass", b_tags=True),
    "chi_square_equal_masses_no_tags": ChiSquareMethod(
        title="χ², equal masses, no b-tags", form="equal_masses", b_tags=False
    ),
    "chi_square_top_mass_no_tags": ChiSquareMethod(title="χ², top mass, no b-tags", form="top_mass", b_tags=False),
}
# Those that the network has to beat.
STRONGEST = ("chi_square_equal_masses", "chi_square_top_mass")
# Number of jets in words -> least and most of them.
BINS: Mapping[str, tuple[int, int]] = {
    "6 jets": (6, 6),
    "7 jets": (7, 7),
    "8 and more jets": (8, 1000),
    "all": (0, 1000),
}
# The slides (Baldi), which are those of arXiv 2010.09206 version 5: event, eps_2^top and eps_1^top of each bin. Another
# sample, and eps_1^top is known not to agree with what these definitions give (docs/studies/assignment.md).
PUBLISHED: Mapping[str, Mapping[str, tuple[float, float, float]]] = {
    "chi_square_equal_masses": {
        "6 jets": (0.618, 0.650, 0.242),
        "7 jets": (0.408, 0.504, 0.246),
        "8 and more jets": (0.232, 0.355, 0.202),
        "all": (0.377, 0.470, 0.230),
    },
    "network": {
        "6 jets": (0.807, 0.841, 0.567),
        "7 jets": (0.668, 0.757, 0.562),
        "8 and more jets": (0.523, 0.662, 0.529),
        "all": (0.637, 0.735, 0.552),
    },
}
