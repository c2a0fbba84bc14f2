"""The step from a trained model to its estimates for the test sets."""

from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor

from cloudchamber.devices import present_device
from cloudchamber.errors import InputError
from cloudchamber.preparation.origin import say_other_training
from cloudchamber.progress import progress
from cloudchamber.storage import provenance
from cloudchamber.studies.neutron_stars.estimates import (
    Estimates,
    case_of,
    joined,
    of_likelihoods,
    of_posteriors,
    write_case,
    write_estimates,
)
from cloudchamber.studies.neutron_stars.known_conditions import say_unknown_conditions
from cloudchamber.studies.neutron_stars.posterior import Cells, Posteriors, log_mean_exp
from cloudchamber.studies.neutron_stars.quantities import PREDICTED, all_quantities, to_box
from cloudchamber.studies.neutron_stars.star_models import load_model
from cloudchamber.studies.neutron_stars.star_networks import DensityNetwork, PointNetwork, ScannedNetwork
from cloudchamber.studies.neutron_stars.star_sets import StarSets, read_sets

__all__ = ["estimate", "log_on_cells"]

_CHUNK = 50
# Of stars and cells.
_PAIRS = 65_536


def estimate(sets: Path, grid: Path, weights: Path, description: Path, output: Path, case: Path) -> None:
    """Write what a trained model says of the test sets, and its posterior of one of them.

    Args:
        sets, grid: made by ``observe`` and ``solve``.
        weights, description: the model.
        output: file of estimates.
        case: file of the posterior of one set; of a model without densities the weights are zero.

    Raises:
        InputError: a file cannot be used, or sets have more stars than the model was trained with.
        StorageError: a file cannot be written.
    """
    stored, data, cells = load_model(weights, description), read_sets(sets), Cells.read(grid)
    say_other_training("neutron_stars estimate", description, stored.description, sets, "equations of state", data.meta)
    test = data.part("test")
    most = max(stored.settings.stars.numbers)
    if int(test.mask.sum(axis=1).max()) > most:
        raise InputError(f"{sets}: sets of more than {most} stars, with which {description} was trained")
    stars = stored.settings.stars
    say_unknown_conditions("neutron_stars estimate", str(sets), stored.network, stars, test.stars, test.mask)
    estimator = _Estimator(stored.network, cells, most)
    place = case_of(test, stored.settings.stars.reference.key)
    parts, of_case = [], np.zeros(len(cells.radius))
    with torch.inference_mode(), progress("estimates", len(test), "sets") as bar:
        for start in range(0, len(test), _CHUNK):
            some = _slice(test, start)
            found, posteriors = estimator.estimates(some)
            parts.append(found)
            if posteriors is not None and start <= place < start + _CHUNK:
                of_case = posteriors.weights[place - start]
            bar.update(len(some))
    record = provenance(
        "neutron_stars estimate", stored.settings.network.model_dump(mode="json"), [sets, grid, weights, description]
    )
    write_estimates(output, joined(parts), {"provenance": record})
    write_case(case, cells, of_case, {"provenance": record})


def _slice(sets: StarSets, start: int) -> StarSets:
    rows = np.arange(start, min(start + _CHUNK, len(sets)))
    return StarSets(
        sets.stars[rows],
        sets.mask[rows],
        {name: values[rows] for name, values in sets.quantities.items()},
        sets.equation[rows],
        sets.condition[rows],
        sets.conditions,
        {},
    )


@final
class _Estimator:
    """A network, the cells on which it is evaluated, and the width of its sets of stars."""

    def __init__(self, network: torch.nn.Module, cells: Cells, width: int) -> None:
        self._device = present_device()
        self._network, self._cells, self._width = network.to(self._device), cells, width
        self._fractions = self._single(cells.fractions)

    def _single(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self._device)

    def estimates(self, sets: StarSets) -> tuple[Estimates, Posteriors | None]:
        """Return estimates and, where there are densities, posteriors on the cells."""
        stars = np.zeros((len(sets), self._width, sets.stars.shape[2]))
        mask = np.zeros((len(sets), self._width), bool)
        shared = min(self._width, sets.stars.shape[1])
        stars[:, :shared], mask[:, :shared] = sets.stars[:, :shared], sets.mask[:, :shared]
        inputs, there = self._single(stars), torch.from_numpy(mask).to(self._device)
        truth = self._single(to_box(sets.parameters))
        match self._network:
            case PointNetwork():
                values = self._network.quantities(inputs, there).double().cpu().numpy()
                return Estimates(all_quantities(dict(zip(PREDICTED, values.T, strict=True))), {}), None
            case DensityNetwork():
                logarithm = log_on_cells(self._network, inputs, there, self._fractions)
                density = self._network(inputs, there, truth).double().cpu().numpy()
                posteriors = Posteriors.of_log(self._cells, logarithm)
                return of_posteriors(posteriors, sets.quantities, density), posteriors
        return self._scanned(sets, inputs, there, truth)

    def _scanned(self, sets: StarSets, inputs: Tensor, there: Tensor, truth: Tensor) -> tuple[Estimates, Posteriors]:
        assert isinstance(self._network, ScannedNetwork)
        of_set, on_cells = _of_stars(self._network, inputs, there, self._fractions)
        at_truth = self._network(inputs[there], truth[of_set].unsqueeze(1)).squeeze(1).double().cpu().numpy()
        logarithm, at, log_ratio = (np.zeros(shape) for shape in ((len(sets), on_cells.shape[1]), len(sets), len(sets)))
        np.add.at(logarithm, of_set, on_cells)
        np.add.at(at, of_set, at_truth)
        np.add.at(log_ratio, of_set, at_truth - log_mean_exp(on_cells))
        found = of_likelihoods(self._cells, logarithm, at, log_ratio, sets.quantities)
        return found, Posteriors.of_log(self._cells, logarithm)


def log_on_cells(
    network: DensityNetwork | ScannedNetwork, stars: Tensor, there: Tensor, fractions: Tensor
) -> np.ndarray:
    """Return (N, G) logarithms of the posterior over the prior at parameters, each row up to a constant.

    Args:
        network: of densities, on the device of its inputs.
        stars, there: (N, P, 4) observed mass, radius and their deviations, and (N, P) which stars there are.
        fractions: (G, 2) of the box.
    """
    if isinstance(network, DensityNetwork):
        return network(stars, there, fractions[None]).double().cpu().numpy()
    of_set, on_cells = _of_stars(network, stars, there, fractions)
    logarithm = np.zeros((len(stars), len(fractions)))
    np.add.at(logarithm, of_set, on_cells)
    return logarithm


def _of_stars(
    network: ScannedNetwork, inputs: Tensor, there: Tensor, fractions: Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """Return the set (M,) of each star, and the logarithm of its likelihood (M, G)."""
    # As many stars at once as stay in the cache with all cells.
    stars = inputs[there].split(max(_PAIRS // len(fractions), 1))
    on_cells = torch.cat([network(some, fractions[None]) for some in stars]).double().cpu().numpy()
    return there.nonzero()[:, 0].cpu().numpy(), on_cells
