"""The step ``sample-parametrised``: the parametrisation, asked for the same particles as the models."""

import time
from pathlib import Path

import numpy as np

from cloudchamber import seeds
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.progress import progress
from cloudchamber.storage import provenance
from cloudchamber.studies.showers.geometry import Geometry
from cloudchamber.studies.showers.parametrised import simulate_showers
from cloudchamber.studies.showers.shower_file import (
    create_showers,
    geometry_in,
    open_showers,
    particles_of,
    shower_part,
)
from cloudchamber.studies.showers.source_settings import IngestionSettings
from cloudchamber.studies.showers.steps import points_of_steps, steps_of

__all__ = ["parametrised_points", "sample_parametrised"]

_PIECE = 512


def sample_parametrised(source: Path, settings: IngestionSettings, seed: int, output: Path) -> None:
    """Draw parametrised showers, read as raw files are.

    Args:
        source: file of showers.
        settings: squares and thresholds of the reading.
        seed: of everything random.
        output: file of showers, of the particles of the part "asked".

    Raises:
        InputError: the showers cannot be used.
        StorageError: the output cannot be written.
    """
    rng = seeds.generator(seed, "showers", "parametrised sample")
    with open_showers(source, ("asked",)) as showers:
        geometry, asked = geometry_in(showers), showers.part("asked")
        record = provenance("showers sample-parametrised", settings.model_dump(mode="json"), [source], seed)
        seconds = 0.0
        with create_showers(output, geometry, {}) as writer, progress("sampling", len(asked), "showers") as bar:
            for start in range(0, len(asked), _PIECE):
                rows = asked[start : start + _PIECE]
                begin = time.perf_counter()
                points, counts = parametrised_points(showers, rows, geometry, settings, rng)
                seconds += time.perf_counter() - begin
                writer.append(shower_part(particles_of(showers, rows), rows, points, counts))
                bar.update(len(rows))
            sampler = {"solver": "none", "evaluations_counted": 0, "seconds_per_shower": seconds / len(asked)}
            writer.add_meta({"geometry": geometry.name, "provenance": record, "sampler": sampler})


def parametrised_points(
    showers: PackedCloudFile,
    rows: np.ndarray,
    geometry: Geometry,
    settings: IngestionSettings,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (M, 4) points and (n,) how many each shower has, for the particles of (n,) rows."""
    particles = particles_of(showers, rows)
    deposits, _ = simulate_showers(particles, geometry, rng)
    steps = steps_of(particles, deposits, geometry, np.zeros((len(rows), 0)))
    along = settings.model_copy(update={"depth_axis": "z"})
    _, points, owners, _ = points_of_steps(steps, geometry, along, showers.path)
    return points, np.bincount(owners, minlength=len(rows))
