"""The step from raw files to one file of showers: steps in space become points in layers."""

from pathlib import Path

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.progress import progress
from cloudchamber.readers.equal_weights import refuse_unequal_weights
from cloudchamber.storage import provenance
from cloudchamber.studies.showers.axis_checks import ShowerAxes
from cloudchamber.studies.showers.copies import PARTS, refuse_few, shower_fingerprints, split
from cloudchamber.studies.showers.edm4hep_file import TREE, WEIGHT, read_about, read_steps
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.shower_file import TRUTH, create_showers, refuse_bad_showers, shower_part
from cloudchamber.studies.showers.source_settings import IngestionSettings
from cloudchamber.studies.showers.steps import points_of_steps
from cloudchamber.studies.showers.unit_checks import ShowerUnits
from cloudchamber.wildcards import existing_files

__all__ = ["PARTS", "ingest", "split"]

# Of the energy of a file, in the layers of the stack: of those of another geometry there is less.
_LEAST_KEPT = 0.5


def ingest(
    sources: list[Path],
    settings: IngestionSettings,
    geometry: str,
    seed: int,
    output: Path,
    fewest: int | None = None,
) -> None:
    """Read ROOT files in the layout of EDM4hep and write their showers, with parts.

    Each particle is followed along a straight line to the surface of the stack; where it enters is the origin of x and
    y, and what its direction shifts them by in each layer is undone. Steps without energy, outside of the active
    material or far from the axis are left out and counted. Showers without a point are kept. Copies of a shower are
    counted and in its part.

    Args:
        sources: the files.
        settings: collections, squares, thresholds, parts.
        geometry: name of the stack of layers.
        seed: of the parts.
        output: the file of showers.
        fewest: of :func:`cloudchamber.studies.showers.copies.refuse_few`; by default any number is taken.

    Raises:
        InputError: a file cannot be used, most of its energy is in no layer, or events do not all weigh the same; the
            message names it and the branch.
        StorageError: the output cannot be written.
    """
    stack = geometry_of(geometry)
    sources = existing_files(sources)
    refuse_unequal_weights(sources, TREE, WEIGHT)
    abouts = [read_about(path) for path in sources]
    for path, about in zip(sources, abouts, strict=True):
        if about.get("geometry", geometry) != geometry:
            raise InputError(f"{path}: showers in the geometry '{about['geometry']}', expected '{geometry}'")
    made_by = sorted({str(about.get("source", "files of others")) for about in abouts})
    columns = {path: _has_truth(path, settings) for path in sources}
    truth = all(columns.values())
    left_out = total = 0
    first = 0
    content: list[np.ndarray] = []
    codes: list[np.ndarray] = []
    with create_showers(output, stack, {}, truth) as writer, progress("ingestion", None, "showers") as bar:
        for path in sources:
            energy = kept = 0.0
            units, axes = ShowerUnits(path, stack), ShowerAxes(path, stack)
            for steps in read_steps(path, settings.collections):
                particles, points, owners, lost = points_of_steps(steps, stack, settings, path)
                counts = np.bincount(owners, minlength=len(particles))
                numbers = first + np.arange(len(particles))
                part = shower_part(particles, numbers, points, counts, steps.truth if truth else None)
                refuse_bad_showers(part, stack.layers, str(path))
                units.add(part)
                axes.add(part)
                writer.append(part)
                content.append(shower_fingerprints(part))
                codes.append(particles.pdg)
                energy, kept = energy + float(steps.energy.sum()), kept + float(part.points[:, 3].sum())
                first += len(particles)
                left_out, total = left_out + lost, total + len(steps.energy)
                bar.update(len(particles))
            if kept < _LEAST_KEPT * energy:
                raise InputError(
                    f"{path}: {kept:.3g} of {energy:.3g} GeV are left in the layers of the geometry '{geometry}', "
                    "above the threshold and within half_width: is it the geometry of the file?"
                )
            units.check()
            axes.check()
        parts = split(first, settings, seed, str(output), np.concatenate(content))
        if fewest is not None:
            refuse_few(parts, np.concatenate(codes), fewest, str(output))
        for name, rows in parts.items():
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
