"""Counts of the jets that a file has: those that were taken, and those that lack some of their constituents."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cloudchamber.preparation.exact_sum import ExactSum, exact_sum, rounded

__all__ = ["StoredCounts"]


@final
@dataclass(frozen=True)
class StoredCounts:
    """Counts of stored jets; those of several steps or files are added.

    Closure is the pT of the vector sum of a jet's constituents over the pT that is stored for the jet.

    Attributes:
        resolved, dangling: constituents found through references, and references that lead nowhere, of all jets.
        chosen: jets within the windows.
        empty: chosen jets without any constituent.
        incomplete: chosen jets that lack some of theirs.
        not_closing: chosen jets that have all their constituents, whose sum is another jet.
        closure_sum, closure_lowest, closure_highest: of the closure of the jets that were taken.
    """

    resolved: int = 0
    dangling: int = 0
    chosen: int = 0
    empty: int = 0
    incomplete: int = 0
    not_closing: int = 0
    closure_sum: ExactSum = ()
    closure_lowest: float = np.inf
    closure_highest: float = -np.inf

    def __add__(self, other: "StoredCounts") -> "StoredCounts":
        return StoredCounts(
            self.resolved + other.resolved,
            self.dangling + other.dangling,
            self.chosen + other.chosen,
            self.empty + other.empty,
            self.incomplete + other.incomplete,
            self.not_closing + other.not_closing,
            exact_sum(self.closure_sum, other.closure_sum),
            min(self.closure_lowest, other.closure_lowest),
            max(self.closure_highest, other.closure_highest),
        )

    @property
    def left_out(self) -> int:
        """Chosen jets that were not taken."""
        return self.empty + self.incomplete + self.not_closing

    @property
    def closure(self) -> dict[str, float] | None:
        """Mean, lowest and highest closure of the jets that were taken; None where there is none."""
        taken = self.chosen - self.left_out
        if not taken:
            return None
        return {
            "mean": rounded(self.closure_sum) / taken,
            "lowest": self.closure_lowest,
            "highest": self.closure_highest,
        }

    def meta(self) -> dict[str, Any]:
        return {
            "references": {
                "resolved": self.resolved,
                "dangling": self.dangling,
                "jets_incomplete": self.incomplete,
                "jets_without_constituents": self.empty,
            },
            "closure": {"jets_not_closing": self.not_closing, "of_jets": self.closure},
        }

    def summary(self) -> str:
        """Return in words what became of the jets."""
        text = (
            f"{self.resolved} references resolved, {self.dangling} dangling ({self.incomplete} jets left out that lack"
            f" constituents, {self.empty} without any, {self.not_closing} that are not the sum of theirs)"
        )
        if closure := self.closure:
            text += (
                f"; pT of the constituents over stored pT: mean {closure['mean']:.3f}, "
                f"{closure['lowest']:.3f} to {closure['highest']:.3f}"
            )
        return text
