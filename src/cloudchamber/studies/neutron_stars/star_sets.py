"""Sets of observed stars: drawn from curves, and as clouds on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.studies.neutron_stars.curve_file import FEATURES, PARTS, quantities_of, refuse_shared_equations
from cloudchamber.studies.neutron_stars.quantities import SMALLEST_MASS, all_quantities
from cloudchamber.studies.neutron_stars.settings import Condition

__all__ = ["STAR_COLUMNS", "StarSets", "draw_sets", "read_sets", "stars_at"]

STAR_COLUMNS = (
    Column("mass", "Msun"),
    Column("radius", "km"),
    Column("sigma_mass", "Msun"),
    Column("sigma_radius", "km"),
)
LABELS = (Column("equation"), Column("condition"))


@final
@dataclass(frozen=True)
class StarSets:
    """Sets of stars, each of one equation of state.

    Attributes:
        stars: (N, P, 4) float64 observed mass, radius and their standard deviations, zero in empty slots.
        mask: (N, P) bool.
        quantities: (N,) each, the true quantities.
        equation: (N,) which equation of state.
        condition: (N,) which of ``conditions``.
        conditions: names.
        parts: rows of train, validation and test.
        meta: what describes them.
    """

    stars: np.ndarray
    mask: np.ndarray
    quantities: dict[str, np.ndarray]
    equation: np.ndarray
    condition: np.ndarray
    conditions: tuple[str, ...]
    parts: dict[str, np.ndarray]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.stars)

    @property
    def parameters(self) -> np.ndarray:
        """(N, 2) true lambda_1 and lambda_2."""
        return np.column_stack([self.quantities[name] for name in ("lambda_1", "lambda_2")])

    def rows(self, part: str, condition: str) -> np.ndarray:
        """Return the rows of one part and one condition."""
        chosen = self.parts[part]
        return chosen[self.condition[chosen] == self.conditions.index(condition)]

    def part(self, name: str) -> "StarSets":
        """Return the sets of one part, in its order; they have no parts."""
        rows = self.parts[name]
        quantities = {key: values[rows] for key, values in self.quantities.items()}
        return StarSets(
            self.stars[rows],
            self.mask[rows],
            quantities,
            self.equation[rows],
            self.condition[rows],
            self.conditions,
            {},
        )


def stars_at(uniform: np.ndarray, maximum_mass: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return masses and radii of stars whose mass is uniform between the smallest and the maximum one.

    Args:
        uniform: (N, K) in [0, 1).
        maximum_mass: (N,) [solar masses].
        radius: (N, P) [km] at the places of a curve.

    Returns:
        (N, K) each.
    """
    s = np.sqrt(1 - uniform)
    mass = maximum_mass[:, None] - s**2 * (maximum_mass[:, None] - SMALLEST_MASS)
    place = s * (radius.shape[1] - 1)
    left = np.minimum(place.astype(np.int64), radius.shape[1] - 2)
    share = place - left
    lower, upper = (np.take_along_axis(radius, index, axis=1) for index in (left, left + 1))
    return mass, lower + share * (upper - lower)


def draw_sets(curves: Clouds, conditions: Sequence[Condition], rng: np.random.Generator) -> Clouds:
    """Return one set of observed stars for each equation of state and condition, as clouds.

    Args:
        curves: the curves, with their split.
        conditions: numbers of stars and noise.
        rng: of masses and noise.
    """
    radius = curves.point("radius").astype(np.float64)
    maximum = curves.feature("maximum_mass").astype(np.float64)
    width, number = max(condition.stars for condition in conditions), len(curves)
    stars = np.zeros((len(conditions), number, width, 4))
    mask = np.zeros((len(conditions), number, width), bool)
    for place, condition in enumerate(conditions):
        mass, true_radius = stars_at(rng.random((number, condition.stars)), maximum, radius)
        sigma = np.array([condition.noise.mass, condition.noise.radius])
        observed = np.stack([mass, true_radius], axis=2) + sigma * rng.standard_normal((*mass.shape, 2))
        stars[place, :, : condition.stars, :2] = observed
        stars[place, :, : condition.stars, 2:] = sigma
        mask[place, :, : condition.stars] = True
    equation = np.tile(curves.label("equation"), len(conditions))
    labels = np.column_stack([equation, np.repeat(np.arange(len(conditions)), number)])
    shifts = number * np.arange(len(conditions))
    return Clouds(
        stars.reshape(-1, width, 4).astype(np.float32),
        mask.reshape(-1, width),
        np.tile(curves.features, (len(conditions), 1)),
        labels.astype(np.int64),
        STAR_COLUMNS,
        FEATURES,
        LABELS,
        {name: (shifts[:, None] + curves.indices[name]).ravel() for name in PARTS},
        {"conditions": [condition.model_dump(mode="json") for condition in conditions]},
    )


def read_sets(path: Path) -> StarSets:
    """Read sets of stars.

    Raises:
        InputError: the file cannot be used, or stars of one equation of state are in two parts.
    """
    clouds = read_clouds(path)
    if clouds.point_columns != STAR_COLUMNS or clouds.feature_columns != FEATURES or clouds.label_columns != LABELS:
        raise InputError(f"{path}: not a file of sets of stars")
    missing = [name for name in PARTS if not len(clouds.indices.get(name, ()))]
    if missing:
        raise InputError(f"{path}: no sets in the part '{missing[0]}'")
    refuse_shared_equations(path, clouds)
    try:
        conditions = tuple(Condition.model_validate(item).key for item in clouds.meta["conditions"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: no conditions in its meta data") from error
    condition = clouds.label("condition")
    if condition.min() < 0 or condition.max() >= len(conditions):
        raise InputError(f"{path}: sets of conditions that its meta data do not name")
    return StarSets(
        clouds.points.astype(np.float64),
        clouds.mask,
        all_quantities(quantities_of(clouds)),
        clouds.label("equation"),
        condition,
        conditions,
        {name: clouds.indices[name] for name in PARTS},
        clouds.meta,
    )
