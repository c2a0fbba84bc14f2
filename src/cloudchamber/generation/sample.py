"""The sampling step: clouds from a trained model, or from the zero-skill baseline, in the layout of real clouds."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cloudchamber import seeds
from cloudchamber.cloud import Clouds, Column, read_clouds, write_clouds
from cloudchamber.errors import InputError
from cloudchamber.generation.artifact import load_artifact
from cloudchamber.generation.objectives import build_objective
from cloudchamber.generation.sampling import Sampler
from cloudchamber.networks.packing import padded
from cloudchamber.preparation.relative import RELATIVE_COLUMNS
from cloudchamber.progress import progress
from cloudchamber.settings import SamplerSettings
from cloudchamber.storage import provenance

__all__ = ["sample_marginals", "sample_model"]


def _drawn_rows(clouds: Clouds, source: Path, jets: int, seed: int) -> np.ndarray:
    """Draw training jets whose multiplicity and conditions the generated ones take over, with replacement."""
    train = clouds.indices.get("train")
    if train is None:
        raise InputError(f"{source}: not prepared: no training part is stored; run 'cloudchamber prepare' on it first")
    return seeds.generator(seed, "conditions").choice(train, size=jets, replace=True)


def sample_model(
    weights: Path, description: Path, source: Path, settings: SamplerSettings, jets: int, seed: int, output: Path
) -> None:
    """Draw ``jets`` clouds from a trained model and write them to ``output``.

    Multiplicities, and for conditional models jet pT and mass with them, are drawn from the joint distribution of the
    training part of ``source``; nothing of its test part is read. Solver, evaluations, seed and time per jet are
    stored with the clouds, as are the requested conditions.

    Raises:
        InputError: the model or the prepared jets cannot be used, or the model gave values that are not finite.
    """
    artifact = load_artifact(weights, description)
    clouds = read_clouds(source)
    rows = _drawn_rows(clouds, source, jets, seed)
    names = artifact.settings.conditions
    conditions = np.stack([clouds.feature(name)[rows] for name in artifact.conditions.names], axis=1)
    chosen = [artifact.conditions.names.index(name) for name in names]
    counts = clouds.multiplicity[rows]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    objective_settings = artifact.settings.objective
    sampler = Sampler(
        artifact.network.to(device), build_objective(objective_settings), settings, len(RELATIVE_COLUMNS)
    )
    with progress("sampling", jets, "jets") as bar:
        drawn = sampler.draw(
            torch.from_numpy(counts),
            torch.from_numpy(artifact.conditions.forward(conditions)[:, chosen]),
            seed,
            bar.update,
        )
    if not torch.isfinite(drawn).all():
        raise InputError(f"{weights}: the model gave values that are not finite with {settings.solver}")
    values = artifact.points.inverse(drawn.numpy() / np.float32(objective_settings.data_scale))
    meta = {
        "sampler": {
            **settings.model_dump(mode="json"),
            "evaluations_counted": sampler.evaluations,
            "seconds_per_jet": sampler.seconds / jets,
            "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        },
        "provenance": provenance("sample", settings.model_dump(mode="json"), [weights, description, source], seed),
    }
    columns = [Column(column.name, column.unit) for column in clouds.feature_columns if column.name in names]
    requested = conditions[:, [artifact.conditions.names.index(column.name) for column in columns]]
    _write(output, values, counts, clouds.points.shape[1], requested, columns, meta)


def sample_marginals(source: Path, jets: int, seed: int, output: Path) -> None:
    """Draw ``jets`` clouds of independent training particles: the baseline without any skill.

    The multiplicity is drawn from the training jets and each particle, as a whole, from all training particles, so
    that every single-particle distribution is right and every correlation within a jet is missing.
    """
    clouds = read_clouds(source)
    counts = clouds.multiplicity[_drawn_rows(clouds, source, jets, seed)]
    start = time.perf_counter()
    train = clouds.part("train")
    particles = train.points[train.mask]
    values = seeds.generator(seed, "marginals").choice(particles, size=int(counts.sum()), replace=True)
    seconds = time.perf_counter() - start
    meta = {
        "sampler": {"solver": "none", "evaluations_counted": 0, "seconds_per_jet": seconds / jets, "device": "cpu"},
        "provenance": provenance("sample", {"kind": "marginals"}, [source], seed),
    }
    no_conditions = np.zeros((jets, 0), np.float32)
    _write(output, values, counts, clouds.points.shape[1], no_conditions, [], meta)


def _write(
    output: Path,
    values: np.ndarray,
    counts: np.ndarray,
    width: int,
    features: np.ndarray,
    feature_columns: Sequence[Column],
    meta: dict[str, Any],
) -> None:
    points, mask = padded(values, counts, width)
    negative = int((values[:, 2] <= 0).sum())
    if negative:
        sys.stderr.write(f"{output}: {negative} of {len(values)} particles have no positive transverse momentum\n")
    clouds = Clouds(
        points=points,
        mask=mask,
        features=features.astype(np.float32),
        labels=np.zeros((len(points), 0), np.int64),
        point_columns=RELATIVE_COLUMNS,
        feature_columns=tuple(feature_columns),
        meta={**meta, "particles_without_momentum": negative},
    )
    write_clouds(output, clouds)
