"""Trained models of neutron stars: observed stars to the parameters of the equation of state."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from cloudchamber import seeds
from cloudchamber.devices import present_device
from cloudchamber.errors import InputError
from cloudchamber.library.checks import booleans, numbers, whole_number
from cloudchamber.storage import read_json
from cloudchamber.studies.neutron_stars.estimate import log_on_cells
from cloudchamber.studies.neutron_stars.known_conditions import say_unknown_conditions
from cloudchamber.studies.neutron_stars.quantities import LOWER, PREDICTED, UPPER, from_box, to_box
from cloudchamber.studies.neutron_stars.settings import StarSettings
from cloudchamber.studies.neutron_stars.star_models import load_model
from cloudchamber.studies.neutron_stars.star_networks import (
    DensityNetwork,
    PointNetwork,
    ScannedNetwork,
    StarSetNetwork,
)

__all__ = ["StarEstimator", "StarPosterior", "load_stars"]

# What the median of observed stars is within, in the units of the columns: others are far outside.
_TYPICAL = (("mass", "solar masses", 0.1, 10.0), ("radius", "km", 1.0, 100.0))
# Sets of stars that are evaluated at once.
_CHUNK = 50


def load_stars(weights: Path, description: Path) -> "StarEstimator | StarPosterior":
    """Return a trained model of neutron stars.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """
    stored = load_model(weights, description)
    network, trained_with = stored.network.to(present_device()), stored.settings.stars
    if isinstance(network, PointNetwork):
        return StarEstimator(network, trained_with, read_json(description))
    assert isinstance(network, DensityNetwork | ScannedNetwork), "there are no other networks of stars"
    return StarPosterior(network, trained_with, read_json(description))


@final
class StarEstimator:
    """A network with point estimates.

    Attributes:
        description: what its files say.
        quantities: names of what it estimates; radii in km, masses in solar masses.
    """

    quantities: tuple[str, ...] = PREDICTED

    def __init__(self, network: PointNetwork, trained_with: StarSettings, description: Mapping[str, Any]) -> None:
        self.network, self._trained_with, self.description = network, trained_with, description

    def predict(self, stars: Any, mask: Any = None) -> dict[str, np.ndarray]:
        """Return the (N,) estimates of each quantity.

        A line says where the noise is outside of that of the training, a set has fewer stars than any of it, or a star
        is lighter.

        Args:
            stars: (N, P, 4) observed mass [solar masses], radius [km] and their standard deviations, zero in empty
                slots.
            mask: (N, P), true for stars; without it those with a mass.

        Raises:
            InputError: an array is empty or has another shape, a number is not finite or positive, masses or radii are
                in other units, or a set has no star or more than the model was trained with.
        """
        values, there = _stars(stars, mask, self.network, self._trained_with)
        with torch.inference_mode():
            found = self.network.quantities(values, there).double().cpu().numpy()
        return dict(zip(PREDICTED, found.T, strict=True))


@final
class StarPosterior:
    """A network of densities: of the posterior, of the likelihood or of its ratios. The prior is flat within a box.

    Attributes:
        description: what its files say.
        parameters: names of the two parameters.
        lower, upper: (2,) limits of the box.
    """

    parameters: tuple[str, ...] = ("lambda_1", "lambda_2")

    def __init__(
        self, network: DensityNetwork | ScannedNetwork, trained_with: StarSettings, description: Mapping[str, Any]
    ) -> None:
        self.network, self._trained_with, self.description = network, trained_with, description
        self.lower, self.upper = LOWER.copy(), UPPER.copy()

    def log_density(self, stars: Any, parameters: Any, mask: Any = None) -> np.ndarray:
        """Return the (N, G) logarithms of the posterior over the prior, each row up to a constant.

        Args:
            stars, mask: as of :meth:`StarEstimator.predict`, as are the errors.
            parameters: (G, 2) within the box.
        """
        points = to_box(numbers(parameters, "parameters", ("G", 2)).astype(np.float64))
        if (points < 0).any() or (points > 1).any():
            raise InputError(f"parameters: outside of the box from {self.lower} to {self.upper}")
        values, there = _stars(stars, mask, self.network, self._trained_with)
        fractions = torch.from_numpy(points.astype(np.float32)).to(values.device)
        with torch.inference_mode():
            pairs = zip(values.split(_CHUNK), there.split(_CHUNK), strict=True)
            return np.concatenate([log_on_cells(self.network, some, mask, fractions) for some, mask in pairs])

    def draw(self, stars: Any, n: int, mask: Any = None, *, seed: int = 1, cells: int = 100) -> np.ndarray:
        """Return (N, n, 2) parameters, drawn from the posterior of each set of stars.

        A cell of a regular grid is drawn by its density, and a place in it evenly.

        Args:
            stars, mask: as of :meth:`StarEstimator.predict`, as are the errors.
            n: draws of each set.
            seed: of the draws.
            cells: of the grid, in each direction.
        """
        number, cells = whole_number(n, "n", 1), whole_number(cells, "cells", 2)
        centres = (np.arange(cells) + 0.5) / cells
        fractions = np.stack(np.meshgrid(centres, centres, indexing="ij"), axis=2).reshape(-1, 2)
        logarithm = self.log_density(stars, from_box(fractions), mask)
        rng = seeds.generator(seed, "neutron_stars", "draw")
        drawn = np.empty((len(logarithm), number, 2))
        for place, row in enumerate(logarithm):
            weights = np.exp(row - row.max())
            chosen = rng.choice(len(weights), number, p=weights / weights.sum())
            drawn[place] = from_box(fractions[chosen] + (rng.random((number, 2)) - 0.5) / cells)
        return drawn


def _stars(
    stars: Any, mask: Any, network: StarSetNetwork, trained_with: StarSettings
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return stars (N, most, 4) and their mask on the device of networks."""
    most = max(trained_with.numbers)
    values = numbers(stars, "stars", ("N", "P", 4)).astype(np.float32)
    there = values[:, :, 0] > 0 if mask is None else booleans(mask, "mask", values.shape[:2])
    number = there.sum(axis=1)
    if not number.all() or number.max() > most:
        raise InputError(f"stars: sets of {number.min()} to {number.max()} stars, the model takes 1 to {most}")
    if not (values[there] > 0).all():
        raise InputError("stars: a mass, a radius or a standard deviation is not positive")
    for column, (name, unit, low, high) in enumerate(_TYPICAL):
        median = float(np.median(values[there][:, column]))
        if not low <= median <= high:
            raise InputError(f"stars: the median {name} is {median:.3g}, expected {low:g} to {high:g} {unit}")
    say_unknown_conditions("cloudchamber", "stars", network, trained_with, values, there)
    order = np.argsort(~there, axis=1, kind="stable")[:, :most]
    width = order.shape[1]
    padded, mask_of = np.zeros((len(values), most, 4), np.float32), np.zeros((len(values), most), bool)
    mask_of[:, :width] = np.take_along_axis(there, order, axis=1)
    padded[:, :width] = np.take_along_axis(values, order[:, :, None], axis=1)
    padded[~mask_of] = 0.0
    device = present_device()
    return torch.from_numpy(padded).to(device), torch.from_numpy(mask_of).to(device)
