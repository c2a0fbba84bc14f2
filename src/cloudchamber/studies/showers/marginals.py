"""The step ``sample-marginals``: showers of independent points, the baseline without any skill."""

import time
from pathlib import Path

import numpy as np

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.progress import progress
from cloudchamber.storage import provenance
from cloudchamber.studies.showers.geometry import Geometry
from cloudchamber.studies.showers.layer_counts import layer_counts
from cloudchamber.studies.showers.shower_file import (
    create_showers,
    geometry_in,
    open_showers,
    particles_of,
    shower_part,
)

__all__ = ["sample_marginals"]


def sample_marginals(source: Path, seed: int, output: Path) -> None:
    """Draw showers of independent points: the baseline without any skill.

    For each layer by itself the number of points is that of a training shower of the species, drawn at random, and
    each point is one of all training points of the species in that layer. So neither the energy of the particle nor
    what layers and points of a shower have in common is known.

    Args:
        source: file of showers.
        seed: of everything random.
        output: file of showers, of the particles of the part "asked".

    Raises:
        InputError: the showers cannot be used, or a species is not in the training part.
        StorageError: the output cannot be written.
    """
    rng = seeds.generator(seed, "showers", "marginals")
    with open_showers(source, ("train", "asked")) as showers:
        geometry, asked, train = geometry_in(showers), showers.part("asked"), showers.part("train")
        meta = {"provenance": provenance("showers sample-marginals", {}, [source], seed)}
        seconds = 0.0
        with create_showers(output, geometry, meta) as writer, progress("marginals", len(asked), "showers") as bar:
            codes = showers.label("pdg")
            for code in np.unique(codes[asked]):
                known = train[codes[train] == code]
                if not len(known):
                    raise InputError(f"{source}: no shower of PDG code {code} in the part 'train'")
                counts, rows = layer_counts(showers, known), asked[codes[asked] == code]
                begin = time.perf_counter()
                points, numbers = _independent(showers, known, counts, len(rows), geometry, rng)
                seconds += time.perf_counter() - begin
                writer.append(shower_part(particles_of(showers, rows), rows, points, numbers))
                bar.update(len(rows))
            sampler = {"solver": "none", "evaluations_counted": 0, "seconds_per_shower": seconds / len(asked)}
            writer.add_meta({**meta, "geometry": geometry.name, "sampler": sampler})


def _independent(
    showers: PackedCloudFile,
    train: np.ndarray,
    counts: np.ndarray,
    number: int,
    geometry: Geometry,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (M, 4) points of so many showers and (number,) how many each has."""
    layers = geometry.layers
    drawn = np.stack([counts[rng.integers(len(counts), size=number), layer] for layer in range(layers)], axis=1)
    # One reservoir for each layer, of the points of showers in random order.
    pool = np.concatenate([part.points for _, part in showers.pieces(np.sort(train))])
    order = np.argsort(pool[:, 2], kind="stable")
    pool = pool[order]
    ends = np.searchsorted(pool[:, 2], np.arange(layers + 1))
    layer = np.repeat(np.tile(np.arange(layers), number), drawn.ravel())
    chosen = ends[layer] + (rng.random(len(layer)) * (ends[layer + 1] - ends[layer])).astype(np.int64)
    return pool[chosen], drawn.sum(axis=1)
