"""The step from raw files to one file of showers: steps in space become points in layers."""

from pathlib import Path

import numpy as np

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.progress import progress
from cloudchamber.storage import provenance
from cloudchamber.studies.showers.edm4hep_file import read_about, read_steps
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.shower_file import TRUTH, create_showers, refuse_bad_showers, shower_part
from cloudchamber.studies.showers.source_settings import IngestionSettings
from cloudchamber.studies.showers.steps import points_of_steps

__all__ = ["PARTS", "ingest", "split"]

PARTS = ("train", "validation", "test", "asked")


def ingest(sources: list[Path], settings: IngestionSettings, geometry: str, seed: int, output: Path) -> None:
    """Read ROOT files in the layout of EDM4hep and write their showers, with parts.

    Each particle is followed along a straight line to the surface of the stack; where it enters is the origin of x and
    y, and what its direction shifts them by in each layer is undone. Steps without energy, outside of the active
    material or far from the axis are left out and counted. Showers without a point are kept.

    Args:
        sources: the files.
        settings: collections, squares, thresholds, parts.
        geometry: name of the stack of layers.
        seed: of the parts.
        output: the file of showers.

    Raises:
        InputError: a file cannot be used; the message names it and the branch.
        StorageError: the output cannot be written.
    """
    stack = geometry_of(geometry)
    abouts = [read_about(path) for path in sources]
    for path, about in zip(sources, abouts, strict=True):
        if about.get("geometry", geometry) != geometry:
            raise InputError(f"{path}: showers in the geometry '{about['geometry']}', expected '{geometry}'")
    made_by = sorted({str(about.get("source", "files of others")) for about in abouts})
    columns = {path: _has_truth(path, settings) for path in sources}
    truth = all(columns.values())
    left_out = total = 0
    first = 0
    with create_showers(output, stack, {}, truth) as writer, progress("ingestion", None, "showers") as bar:
        for path in sources:
            for steps in read_steps(path, settings.collections):
                particles, points, owners, lost = points_of_steps(steps, stack, settings, path)
                counts = np.bincount(owners, minlength=len(particles))
                numbers = first + np.arange(len(particles))
                part = shower_part(particles, numbers, points, counts, steps.truth if truth else None)
                refuse_bad_showers(part, stack.layers, str(path))
                writer.append(part)
                first += len(particles)
                left_out, total = left_out + lost, total + len(steps.energy)
                bar.update(len(particles))
        for name, rows in split(first, settings, seed, str(output)).items():
            writer.add_indices(name, rows)
        writer.add_meta(
            {
                "geometry": geometry,
                "source": ", ".join(made_by),
                "steps": {"read": total, "left_out": left_out},
                "provenance": provenance("showers ingest", settings.model_dump(mode="json"), sources, seed),
            }
        )


def _has_truth(path: Path, settings: IngestionSettings) -> bool:
    steps = next(iter(read_steps(path, settings.collections, "10 kB")))
    return steps.truth.shape[1] == len(TRUTH)


def split(showers: int, settings: IngestionSettings, seed: int, source: str) -> dict[str, np.ndarray]:
    """Return the rows of the parts, in random order, each shower an event of its own.

    "asked" is as large as "test": models are asked for its particles, and its showers, which are as independent of the
    test as those of a perfect model, give the floor of every metric.

    Raises:
        InputError: a part would be empty.
    """
    order = seeds.generator(seed, "showers", "parts").permutation(showers)
    train, validation = (round(share * showers) for share in (settings.train, settings.validation))
    rest = (showers - train - validation) // 2
    ends = np.cumsum([train, validation, rest])
    parts = dict(zip(PARTS, np.split(order, ends), strict=True))
    for name, rows in parts.items():
        if not len(rows):
            raise InputError(f"{source}: the part '{name}' of {showers} showers is empty")
    # A shower more would have no partner in the test.
    return {**parts, "asked": parts["asked"][:rest]}
