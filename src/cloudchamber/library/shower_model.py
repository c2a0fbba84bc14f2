"""Trained models of calorimeter showers: particles to numbers of points, and to the points of showers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.library.checks import numbers
from cloudchamber.packed_clouds import PackedPart
from cloudchamber.settings.base import parse
from cloudchamber.storage import read_json
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.model_settings import ShowerSampler
from cloudchamber.studies.showers.sample import draw_counts, draw_points, pieces_of
from cloudchamber.studies.showers.seen_particles import refuse_unseen
from cloudchamber.studies.showers.shower_file import shower_part
from cloudchamber.studies.showers.shower_models import load_counts, load_points
from cloudchamber.studies.showers.species import species_numbers

__all__ = ["ShowerCountModel", "ShowerModel"]


@final
class ShowerCountModel:
    """A trained flow of the numbers of points per layer, such as ``showers train-counts`` writes.

    Attributes:
        description: what its files say.
        layers: L, of the calorimeter.
    """

    def __init__(self, weights: Path, description: Path) -> None:
        self.description: Mapping[str, Any] = read_json(description)
        self._model = load_counts(weights, description)
        self.network, self.layers = self._model.network, self._model.geometry.layers

    def sample(self, energy: Any, direction: Any, pdg: Any, *, seed: int = 1) -> np.ndarray:
        """Draw the (N, L) numbers of points of showers; a shower has one point at least.

        Args:
            energy, direction, pdg, seed: as of :meth:`ShowerModel.sample`, as are the errors.
        """
        particles = _particles(energy, direction, pdg)
        refuse_unseen(self._model.seen, particles, "showers")
        drawn = [
            draw_counts(self._model, particles[piece], of_piece) for piece, of_piece in pieces_of(len(particles), seed)
        ]
        return np.concatenate(drawn)


@final
class ShowerModel:
    """A trained flow, or flow map, of the points of showers, such as ``showers train`` and ``showers train-map`` write.

    Attributes:
        description: what its files say.
        layers: L, of the calorimeter.
    """

    def __init__(self, weights: Path, description: Path) -> None:
        self.description: Mapping[str, Any] = read_json(description)
        self._model = load_points(weights, description)
        self.network, self.layers = self._model.network, self._model.geometry.layers

    def sample(
        self,
        energy: Any,
        direction: Any,
        pdg: Any,
        counts: Any,
        *,
        seed: int = 1,
        solver: str | None = None,
        evaluations: int | None = None,
    ) -> PackedPart:
        """Draw a shower for each particle, as ``cloudchamber showers sample`` does with the same seed.

        Args:
            energy: (N,) total energy [GeV].
            direction: (N, 3) unit vectors, the last component positive: into the stack of layers.
            pdg: (N,) codes of the particles.
            counts: (N, L) points of each layer, one at least of each shower; or the model that draws them.
            seed: of everything random.
            solver, evaluations: docs/settings; by default midpoint with 32 evaluations of the network, of a flow map as
                many steps as it has.

        Returns:
            ``points`` (M, 4): x, y [mm], layer, energy [GeV], shower after shower; ``counts`` (N,); ``features`` (N, 4)
            energy and direction; ``labels`` (N, 2) pdg and number of the shower.

        Raises:
            InputError: an array is empty or has another shape, a number is not finite or impossible, a particle is
                unknown or none of the training, the two models are of other geometries, or the model gives values that
                are not finite.
            SettingsError: the evaluations do not suit the solver.
        """
        particles = _particles(energy, direction, pdg)
        if isinstance(counts, ShowerCountModel):
            of_counts, own = counts._model.geometry.name, self._model.geometry.name
            if of_counts != own:
                raise InputError(f"counts: a model of the geometry '{of_counts}', that of points is of '{own}'")
        for model in (self, counts) if isinstance(counts, ShowerCountModel) else (self,):
            refuse_unseen(model._model.seen, particles, "showers")
        map_steps = self._model.segments
        given = {
            "solver": solver or ("flow_map" if map_steps else "midpoint"),
            "evaluations": (map_steps or 32) if evaluations is None else evaluations,
        }
        settings = parse(ShowerSampler, given, "sample").settings
        fixed = None if isinstance(counts, ShowerCountModel) else self._counts(counts, len(particles))
        found, numbers_of_points = [], []
        for piece, of_piece in pieces_of(len(particles), seed):
            some = particles[piece]
            drawn = draw_counts(counts._model, some, of_piece) if fixed is None else fixed[piece]
            found.append(draw_points(self._model, some, drawn, settings, of_piece)[0])
            numbers_of_points.append(drawn)
        points, per_layer = np.concatenate(found), np.concatenate(numbers_of_points)
        if not np.isfinite(points).all():
            raise InputError(f"the model gave values that are not finite with {settings.solver}")
        return shower_part(particles, np.arange(len(particles)), points, per_layer.sum(axis=1))

    def _counts(self, counts: Any, showers: int) -> np.ndarray:
        values = numbers(counts, "counts", (showers, self.layers), "iu").astype(np.int64)
        if (values < 0).any() or not values.sum(axis=1).all():
            raise InputError("counts: a number of points is negative, or a shower has none")
        return values


def _particles(energy: Any, direction: Any, pdg: Any) -> Particles:
    energies = numbers(energy, "energy", ("N",)).astype(np.float64)
    directions = numbers(direction, "direction", (len(energies), 3)).astype(np.float64)
    codes = numbers(pdg, "pdg", (len(energies),), "iu").astype(np.int64)
    if not (energies > 0).all():
        raise InputError("energy: a value is not positive")
    size = np.linalg.norm(directions, axis=1)
    if not ((np.abs(size - 1) < 1e-3) & (directions[:, 2] > 0)).all():
        raise InputError("direction: not a unit vector into the stack")
    species_numbers(codes, "pdg")
    return Particles(energies, directions, codes)
