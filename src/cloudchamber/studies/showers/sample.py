"""The step ``sample``: a shower of a trained model for each particle of the part "asked"."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cloudchamber import seeds
from cloudchamber.devices import device_name, present_device
from cloudchamber.errors import InputError
from cloudchamber.generative.sampling import Sampler, chunk_size
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.packed_cloud_writer import PackedCloudWriter
from cloudchamber.preparation.origin import say_other_training
from cloudchamber.progress import progress
from cloudchamber.settings.entries import entries, need
from cloudchamber.settings.generators import SamplerSettings
from cloudchamber.storage import provenance, read_json
from cloudchamber.studies.showers.allshowers import FEATURES
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.layer_counts import layer_counts
from cloudchamber.studies.showers.model_settings import ShowerSampler
from cloudchamber.studies.showers.seen_particles import refuse_unseen
from cloudchamber.studies.showers.shower_file import (
    create_showers,
    geometry_in,
    open_showers,
    particles_of,
    shower_part,
)
from cloudchamber.studies.showers.shower_models import CountModel, PointModel, load_counts, load_points
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["draw_counts", "draw_points", "pieces_of", "sample"]

# Chunks that are drawn before they go to the file: a sample takes the same memory whatever its size.
_CHUNKS_IN_MEMORY = 8


def sample(source: Path, files: Mapping[str, Any], settings: ShowerSampler, seed: int, output: Path) -> None:
    """Draw a shower for each particle of the part "asked", whose row in the source is the number of the shower.

    Args:
        source: file of showers; their own points are used only where the settings take true numbers of points.
        files: "models", a list of flows of points with "species" (an empty list for all), "weights" and "description";
            and "counts", a flow of their numbers, with "weights" and "description".
        settings: solver, evaluations, where numbers of points come from.
        seed: of everything random.
        output: file of showers, those of one model after those of another.

    Raises:
        InputError: a file cannot be used, a model is of another geometry, or gives values that are not finite.
        SettingsError: a key is missing.
        StorageError: the output cannot be written.
    """
    listed = entries(files, "models", ("species", "weights", "description"))
    described = [need(files, "counts"), *listed]
    paths = [Path(need(item, key)) for item in described for key in ("weights", "description")]
    counter = load_counts(paths[0], paths[1])
    models = [load_points(paths[place], paths[place + 1]) for place in range(2, len(paths), 2)]
    for description in paths[1::2]:
        say_other_training("showers sample", description, read_json(description), source, "showers")
    with open_showers(source, ("asked",)) as showers:
        geometry = geometry_in(showers)
        trained: list[CountModel | PointModel] = [counter, *models]
        for model in trained:
            if model.geometry.name != geometry.name:
                raise InputError(f"{source}: geometry '{geometry.name}', a model is of '{model.geometry.name}'")
        for item, model in zip(listed, models, strict=True):
            asked = particles_of(showers, _asked(showers, item["species"]))
            for trained_with, description in ((model, item["description"]), (counter, described[0]["description"])):
                refuse_unseen(trained_with.seen, asked, f"{source}, asked of {description}")
        with create_showers(output, geometry, {}) as writer:
            spent = {"seconds": 0.0, "evaluations": 0.0}
            with progress("sampling", len(showers.part("asked")), "showers") as bar:
                for number, (item, model) in enumerate(zip(listed, models, strict=True)):
                    rows = _asked(showers, item["species"])
                    for piece, of_piece in pieces_of(len(rows), seed, number):
                        _append(writer, showers, rows[piece], model, counter, settings, of_piece, spent, bar.update)
            meta = {
                "geometry": geometry.name,
                "sampler": {
                    **settings.model_dump(mode="json"),
                    "seconds_per_shower": spent["seconds"] / max(writer.clouds, 1),
                    "evaluations_counted": int(spent["evaluations"]),
                    "device": device_name(present_device()),
                },
                "provenance": provenance("showers sample", settings.model_dump(mode="json"), [source, *paths], seed),
            }
            writer.add_meta(meta)


def pieces_of(showers: int, seed: int, model: int = 0) -> Iterator[tuple[slice, int]]:
    """Yield which showers are drawn at once, and with which seed.

    Args:
        showers: that a model is asked for.
        seed: of the whole sample.
        model: its number among the models of the sample.
    """
    of_model = seeds.integer_seed(seed, "showers", "model", model)
    size = _CHUNKS_IN_MEMORY * chunk_size(present_device())
    for start in range(0, showers, size):
        yield slice(start, min(start + size, showers)), seeds.integer_seed(of_model, "piece", start)


def _asked(showers: PackedCloudFile, species: list[str]) -> np.ndarray:
    rows = showers.part("asked")
    if not species:
        return rows
    return rows[np.isin(showers.label("pdg")[rows], [SPECIES[name].pdg for name in species])]


def _append(
    writer: PackedCloudWriter,
    showers: PackedCloudFile,
    rows: np.ndarray,
    model: PointModel,
    counter: CountModel,
    settings: ShowerSampler,
    seed: int,
    spent: dict[str, float],
    on_chunk: Callable[[int], None],
) -> None:
    """Draw the showers of some rows, write them, and add up what they took."""
    particles = particles_of(showers, rows)
    start = time.perf_counter()
    if settings.counts == "truth":
        counts = layer_counts(showers, rows)
        # A shower without a point is none that a model can be asked for.
        kept = counts.sum(axis=1) > 0
        particles, rows, counts = particles[kept], rows[kept], counts[kept]
    else:
        counts = draw_counts(counter, particles, seed)
    points, evaluations = draw_points(model, particles, counts, settings.settings, seed, on_chunk)
    spent["seconds"] += time.perf_counter() - start
    spent["evaluations"] = evaluations
    if not np.isfinite(points).all():
        raise InputError(f"the model gave values that are not finite with {settings.solver}")
    writer.append(shower_part(particles, rows, points, counts.sum(axis=1)))


def draw_counts(model: CountModel, particles: Particles, seed: int) -> np.ndarray:
    """Return (N, L) int64 points of each layer, drawn for particles; a shower has one point at least."""
    sampling = SamplerSettings(solver=model.settings.solver, evaluations=model.settings.evaluations)
    sampler = Sampler(model.network.to(present_device()), model.objective, sampling, features=model.geometry.layers)
    conditions = torch.from_numpy(model.scales.conditions(particles))
    ones = torch.ones(len(particles), dtype=torch.int64)
    return model.scales.numbers(sampler.draw(ones, conditions, seeds.integer_seed(seed, "counts")).numpy())


def draw_points(
    model: PointModel,
    particles: Particles,
    counts: np.ndarray,
    settings: SamplerSettings,
    seed: int,
    on_chunk: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, int]:
    """Return (M, 4) points of showers, shower after shower and ordered by layer, and the evaluations of a shower.

    Args:
        model: a flow or a flow map of points.
        particles: N of them.
        counts: (N, L) points of each layer, at least one of each shower.
        settings: solver and evaluations.
        seed: of the noise.
        on_chunk: called with the number of showers of each finished chunk.
    """
    sampler = Sampler(model.network.to(present_device()), model.objective, settings, FEATURES)
    conditions = np.concatenate([model.scales.conditions(particles), counts], axis=1, dtype=np.float32)
    totals = torch.from_numpy(counts.sum(axis=1))
    drawn = sampler.draw(totals, torch.from_numpy(conditions), seeds.integer_seed(seed, "points"), on_chunk).numpy()
    with np.errstate(over="ignore"):
        values = model.scales.measured(drawn)
    layers = np.repeat(np.tile(np.arange(counts.shape[1]), len(counts)), counts.ravel())
    return np.column_stack([values[:, :2], layers, values[:, 2]]), sampler.evaluations
