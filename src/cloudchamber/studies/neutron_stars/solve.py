"""The step from settings to curves of mass and radius: raw data of the study."""

from pathlib import Path

import numpy as np

from cloudchamber import seeds
from cloudchamber.storage import provenance
from cloudchamber.studies.neutron_stars.curve_file import PARTS, curve_clouds, write_curves
from cloudchamber.studies.neutron_stars.curves import solve_curves
from cloudchamber.studies.neutron_stars.quantities import LOWER, UPPER, from_box
from cloudchamber.studies.neutron_stars.settings import CurveSettings

__all__ = ["cell_centres", "solve"]


def cell_centres(cells: tuple[int, int]) -> np.ndarray:
    """Return the (G, 2) parameters at the centres of equal cells of the box, lambda_2 running fastest."""
    axes = [(np.arange(number) + 0.5) / number for number in cells]
    return from_box(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2))


def solve(settings: CurveSettings, seed: int, curves: Path, grid: Path) -> None:
    """Draw equations of state in the box, solve their stars and write the curves; and those of the cells of the box.

    The parts of the split are of equations of state: each is in one part alone. Those whose maximum mass is below two
    solar masses are labelled and stay.

    Args:
        settings: how many, and how accurately.
        seed: of the parameters.
        curves: clouds with the parts of the split.
        grid: clouds of the cells.

    Raises:
        StorageError: a file cannot be written.
    """
    sizes = [getattr(settings, part) for part in PARTS]
    rng = seeds.generator(seed, "neutron_stars", "curves")
    drawn = rng.uniform(LOWER, UPPER, (sum(sizes), 2))
    ends = np.cumsum([0, *sizes])
    indices = {part: np.arange(ends[i], ends[i + 1]) for i, part in enumerate(PARTS)}
    record = provenance("neutron_stars solve", settings.model_dump(mode="json"), seed=seed)
    for path, parameters, rows, meta in (
        (curves, drawn, indices, {}),
        (grid, cell_centres(settings.grid), {}, {"cells": list(settings.grid)}),
    ):
        made = solve_curves(parameters, settings.points, settings.steps)
        clouds = curve_clouds(made.mass, made.radius, made.quantities, rows, {**meta, "provenance": record})
        write_curves(path, clouds)
