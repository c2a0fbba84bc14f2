"""Capacities of families of Boolean functions, each with an upper bound and a number of parameters.

The capacity of a family is the logarithm to base 2 of its number of functions, in bits (arXiv 2202.08371). That two
gates have at most twice the capacity of one is counted from the pairs. Cover's bound is published (IEEE Transactions on
Electronic Computers EC-14, 1965, page 326). The numbers of linear threshold functions are published (OEIS A000609). All
other numbers of functions are counted here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb, log2
from typing import Any, Literal, final, get_args

from cloudchamber.studies.gating.gated_functions import gated_functions
from cloudchamber.studies.gating.threshold_functions import linear_threshold_functions, threshold_functions

__all__ = ["FAMILIES", "STORED", "Capacity", "Family", "Origin", "capacities", "counts", "cover_bound", "parameters"]

# By capacity, which rises in this order for every number of inputs here.
Family = Literal["linear_threshold", "gated_zero_one", "gated_signs", "quadratic_threshold", "all"]
Origin = Literal["counted", "stored", "formula", "not done"]

FAMILIES: tuple[Family, ...] = get_args(Family)

# Of five inputs, by :func:`cloudchamber.studies.gating.count.count_five_inputs`, which does not count degree 2.
STORED: Mapping[Family, int] = {
    "linear_threshold": 94_572,
    "gated_signs": 387_698_944,
    "gated_zero_one": 44_642_388,
}


@final
@dataclass(frozen=True)
class Capacity:
    """Size of one family of Boolean functions.

    Attributes:
        family: which functions.
        inputs: n.
        functions: how many there are, exactly; None where that is not known here.
        bound: upper bound of the capacity [bit].
        bound_name: which bound it is.
        parameters: numbers that describe one gate or pair of gates.
        origin: where the number of functions is from.
    """

    family: Family
    inputs: int
    functions: int | None
    bound: float
    bound_name: str
    parameters: int
    origin: Origin

    @property
    def bits(self) -> float | None:
        """The capacity [bit]."""
        return None if self.functions is None else log2(self.functions)

    def row(self) -> dict[str, Any]:
        """Return the line of a table; what is not known is empty."""
        return {
            "family": self.family,
            "inputs": self.inputs,
            "functions": self.functions,
            "capacity": self.bits,
            "bound": self.bound,
            "bound_name": self.bound_name,
            "parameters": self.parameters,
            "origin": self.origin,
        }


def parameters(family: Family, inputs: int) -> int:
    """Return the number of parameters: of weights and thresholds, or of entries of the truth table for all functions.

    A gate of degree 2 has one weight for each pair of different inputs beside those of a linear one.
    """
    linear = inputs + 1
    return {
        "linear_threshold": linear,
        "gated_signs": 2 * linear,
        "gated_zero_one": 2 * linear,
        "quadratic_threshold": linear + comb(inputs, 2),
        "all": 2**inputs,
    }[family]


def cover_bound(points: int, width: int) -> float:
    """Return log2 of the dichotomies of ``points`` vectors of length ``width`` by planes through the origin.

    Vectors in general position have 2 sum_{k < width} binom(points - 1, k) of them, and no others have more (Cover
    1965). The monomials of all inputs are not in general position, so that for them this is an upper bound.
    """
    return log2(2 * sum(comb(points - 1, k) for k in range(width)))


def counts(inputs: int) -> dict[Family, int]:
    """Return the number of functions of each family, counted.

    Args:
        inputs: n, from 1 to 4.
    """
    linear = linear_threshold_functions(inputs)
    return {
        "linear_threshold": len(linear),
        "gated_signs": len(gated_functions(linear, inputs, "signs")),
        "gated_zero_one": len(gated_functions(linear, inputs, "zero_one")),
        "quadratic_threshold": len(threshold_functions(inputs, degree=2)),
    }


def capacities(largest: int, stored: bool = True) -> list[Capacity]:
    """Return the capacities of all families, by inputs and then in the order of ``FAMILIES``.

    Args:
        largest: number of inputs up to which functions are counted, from 1 to 4.
        stored: whether the stored numbers of five inputs follow.
    """
    found = [item for inputs in range(1, largest + 1) for item in _of(inputs, counts(inputs), "counted")]
    return found + (_of(5, STORED, "stored") if stored else [])


def _of(inputs: int, functions: Mapping[Family, int], origin: Origin) -> list[Capacity]:
    cover = "Cover's count of dichotomies"
    pairs = ("twice the capacity of one linear threshold gate", 2 * log2(functions["linear_threshold"]))
    bounds: dict[Family, tuple[str, float]] = {
        "linear_threshold": (cover, cover_bound(2**inputs, parameters("linear_threshold", inputs))),
        "gated_signs": pairs,
        "gated_zero_one": pairs,
        "quadratic_threshold": (cover, cover_bound(2**inputs, parameters("quadratic_threshold", inputs))),
        "all": ("entries of the truth table", float(2**inputs)),
    }
    items = []
    for family in FAMILIES:
        name, bound = bounds[family]
        number = 2**2**inputs if family == "all" else functions.get(family)
        from_where: Origin = "formula" if family == "all" else "not done" if number is None else origin
        items.append(Capacity(family, inputs, number, bound, name, parameters(family, inputs), from_where))
    return items
