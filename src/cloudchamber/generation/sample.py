"""The sampling step: clouds from a trained model, or from the zero-skill baseline, in the layout of real clouds."""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cloudchamber import seeds
from cloudchamber.cloud import Clouds, read_clouds, write_clouds
from cloudchamber.errors import InputError
from cloudchamber.generation.artifact import load_artifact
from cloudchamber.generation.objectives import build_objective
from cloudchamber.generation.sampling import Sampler
from cloudchamber.networks.packing import padded
from cloudchamber.preparation.prepare import CONDITIONS
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

    Multiplicity, jet pT and jet mass are drawn from their joint distribution in the training part of ``source``;
    nothing of its test part is read. A conditional model is asked for this pT and mass; to an unconditional one the pT
    is only the unit of pt_rel, and the mass nothing. Solver, evaluations, seed and time per jet are stored with the
    clouds, as are the drawn pT and mass.

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
    sampler = Sampler(artifact.network.to(device), build_objective(objective_settings), settings, len(RELATIVE_COLUMNS))
    with progress("sampling", jets, "jets") as bar:
        drawn = sampler.draw(
            torch.from_numpy(counts),
            torch.from_numpy(artifact.conditions.forward(conditions)[:, chosen]),
            seed,
            bar.update,
        )
    with np.errstate(over="ignore"):
        values = artifact.points.inverse(drawn.numpy() / np.float32(objective_settings.data_scale))
    if not np.isfinite(values).all():
        raise InputError(f"{weights}: the model gave values that are not finite with {settings.solver}")
    meta = {
        "sampler": {
            **settings.model_dump(mode="json"),
            "evaluations_counted": sampler.evaluations,
            "seconds_per_jet": sampler.seconds / jets,
            "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        },
        "provenance": provenance("sample", settings.model_dump(mode="json"), [weights, description, source], seed),
    }
    _write(output, values, clouds, rows, meta)


def sample_marginals(source: Path, jets: int, seed: int, output: Path) -> None:
    """Draw ``jets`` clouds of independent training particles: the baseline without any skill.

    The multiplicity is drawn from the training jets and each particle, as a whole, from all training particles, so
    that every single-particle distribution is right and every correlation within a jet is missing.
    """
    clouds = read_clouds(source)
    rows = _drawn_rows(clouds, source, jets, seed)
    counts = clouds.multiplicity[rows]
    start = time.perf_counter()
    train = clouds.part("train")
    particles = train.points[train.mask]
    values = seeds.generator(seed, "marginals").choice(particles, size=int(counts.sum()), replace=True)
    seconds = time.perf_counter() - start
    meta = {
        "sampler": {"solver": "none", "evaluations_counted": 0, "seconds_per_jet": seconds / jets, "device": "cpu"},
        "provenance": provenance("sample", {"kind": "marginals"}, [source], seed),
    }
    _write(output, values, clouds, rows, meta)


def _write(output: Path, values: np.ndarray, source: Clouds, rows: np.ndarray, meta: dict[str, Any]) -> None:
    """Write packed particles as clouds with the multiplicity, jet pT, eta and mass of the ``rows`` of ``source``."""
    points, mask = padded(values, source.multiplicity[rows], source.points.shape[1])
    negative = int((values[:, 2] <= 0).sum())
    if negative:
        sys.stderr.write(f"{output}: {negative} of {len(values)} particles have no positive transverse momentum\n")
    columns = tuple(column for column in source.feature_columns if column.name in (*CONDITIONS, "jet_eta"))
    clouds = Clouds(
        points=points,
        mask=mask,
        features=np.stack([source.feature(column.name)[rows] for column in columns], axis=1),
        labels=np.zeros((len(points), 0), np.int64),
        point_columns=RELATIVE_COLUMNS,
        feature_columns=columns,
        meta={**meta, "particles_without_momentum": negative},
    )
    write_clouds(output, clouds)
