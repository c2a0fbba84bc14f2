"""Posteriors on the cells of the box: flat prior, averages, quantiles and density at the truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.studies.neutron_stars.curve_file import grid_of, quantities_of
from cloudchamber.studies.neutron_stars.quantities import LOWER, UPPER, all_quantities, to_box

__all__ = ["Cells", "Posteriors", "log_mean_exp"]


@final
@dataclass(frozen=True)
class Cells:
    """Equal cells of the box of the parameters.

    Attributes:
        quantities: (G,) each, at the centres.
        numbers: cells in lambda_1 and lambda_2.
        maximum_mass: (G,) [solar masses].
        radius: (G, K) [km] of their curves.
    """

    quantities: Mapping[str, np.ndarray]
    numbers: tuple[int, int]
    maximum_mass: np.ndarray
    radius: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the cells that ``solve`` wrote.

        Raises:
            InputError: the file cannot be used.
        """
        clouds, numbers = grid_of(path)
        predicted = quantities_of(clouds)
        return cls(
            all_quantities(predicted), numbers, predicted["maximum_mass"], clouds.point("radius").astype(np.float64)
        )

    @property
    def parameters(self) -> np.ndarray:
        """(G, 2) lambda_1 and lambda_2 at the centres."""
        return np.column_stack([self.quantities[name] for name in ("lambda_1", "lambda_2")])

    @property
    def fractions(self) -> np.ndarray:
        """(G, 2) of the box, from 0 to 1."""
        return to_box(self.parameters)

    @property
    def widths(self) -> dict[str, float]:
        """Widths of a cell in the parameters; other quantities change from cell to cell in small steps."""
        sizes = (UPPER - LOWER) / self.numbers
        return {"lambda_1": float(sizes[0]), "lambda_2": float(sizes[1])}


@final
@dataclass(frozen=True)
class Posteriors:
    """Posteriors of N sets of stars.

    Attributes:
        cells: of the box.
        weights: (N, G) probabilities of the cells.
    """

    cells: Cells
    weights: np.ndarray

    @classmethod
    def of_log(cls, cells: Cells, logarithm: np.ndarray) -> Self:
        """Return the posteriors of (N, G) logarithms of likelihoods or densities, each up to a constant.

        Raises:
            InputError: some stars are far from the curves of all cells.
        """
        lost = int(np.isneginf(logarithm.max(axis=1)).sum())
        if lost:
            raise InputError(f"{lost} sets of stars are ten standard deviations or more from all curves of the box")
        weights = np.exp(logarithm - logarithm.max(axis=1, keepdims=True))
        return cls(cells, weights / weights.sum(axis=1, keepdims=True))

    @property
    def effective_cells(self) -> np.ndarray:
        """(N,) on how many cells each posterior lies: so many equal ones would have the same sum of squares."""
        found: np.ndarray = 1 / np.square(self.weights).sum(axis=1)
        return found

    def means(self) -> dict[str, np.ndarray]:
        """Return the (N,) averages of all quantities."""
        return {name: self.weights @ values for name, values in self.cells.quantities.items()}

    def ranks(self, truth: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the (N,) posterior probabilities of less than the true value, of each quantity.

        They are uniform where posteriors are right (simulation-based calibration, arXiv 1804.06788). A parameter is
        spread evenly over its cell; of another quantity half of what equals the truth counts.

        Args:
            truth: (N,) each.
        """
        found = {}
        for name, values in self.cells.quantities.items():
            distance = truth[name][:, None] - values
            width = self.cells.widths.get(name)
            below = np.clip(distance / width + 0.5, 0.0, 1.0) if width else 0.5 * (1.0 + np.sign(distance))
            found[name] = np.einsum("ng,ng->n", self.weights, below)
        return found


def log_mean_exp(logarithm: np.ndarray) -> np.ndarray:
    """Return the logarithm of the mean over the last axis of what (N, G) are the logarithms of."""
    largest = logarithm.max(axis=1)
    return largest + np.log(np.exp(logarithm - largest[:, None]).mean(axis=1))
