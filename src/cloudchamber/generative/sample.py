"""The sampling step: clouds from a trained model, or from the zero-skill baseline, in the layout of real clouds."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from cloudchamber import seeds
from cloudchamber.cloud import Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import CloudWriter, create_clouds
from cloudchamber.devices import device_name, present_device
from cloudchamber.errors import InputError
from cloudchamber.generative.artifact import Artifact, build_sampler, load_artifact
from cloudchamber.generative.constraint import rescaled
from cloudchamber.generative.jet_features import JetFeatures, read_jets
from cloudchamber.generative.sampling import chunk_size
from cloudchamber.generative.shards import JETS, WHOLE, Shard
from cloudchamber.jets.observable_file import read_observables
from cloudchamber.jets.relative import RELATIVE_COLUMNS
from cloudchamber.networks.packing import padded
from cloudchamber.preparation.origin import ORIGIN, origin_of_sample
from cloudchamber.progress import progress
from cloudchamber.settings.generators import MomentumSum, SamplerSettings
from cloudchamber.storage import provenance, read_json

__all__ = ["SAMPLE_FEATURES", "Drawn", "draw_clouds", "sample_marginals", "sample_model"]

# What is drawn before it goes to the file: a sample takes the same memory whatever its size.
_CHUNKS_IN_MEMORY = 64

# Of the drawn jets, beside their particles.
SAMPLE_FEATURES = (Column("jet_pt", "GeV"), Column("jet_eta"), Column("jet_mass", "GeV"))


@final
@dataclass(frozen=True)
class Drawn:
    """Clouds drawn from a model.

    Attributes:
        values: (M, 3) float32 particles of all clouds, in the columns of ``RELATIVE_COLUMNS``; may be not finite.
        evaluations: network evaluations spent on each cloud.
        seconds: elapsed time of the draw.
        device: what it ran on.
    """

    values: np.ndarray
    evaluations: int
    seconds: float
    device: str


def draw_clouds(
    artifact: Artifact,
    jets: JetFeatures,
    settings: SamplerSettings,
    seed: int,
    on_chunk: Callable[[int], None] | None = None,
    first_chunk: int = 0,
) -> Drawn:
    """Draw one cloud for each jet, on a GPU where there is one, and impose the sum of its particles if that is asked.

    Args:
        artifact: the trained model.
        jets: multiplicity and sum of each cloud, and what a conditional model is asked for.
        settings: how to draw.
        seed: the same seed on the same kind of device gives the same clouds.
        on_chunk: called with the number of clouds of each finished chunk.
        first_chunk: number of the first chunk, where the jets are a shard of more.
    """
    device = present_device()
    name = device_name(device) if device.type == "cuda" else "cpu"
    names = artifact.conditions.names
    conditions = artifact.conditions.forward(np.stack([getattr(jets, name) for name in names], axis=1))
    chosen = [names.index(name) for name in artifact.settings.conditions]
    sampler = build_sampler(artifact, settings, device)
    drawn = sampler.draw(
        torch.from_numpy(jets.multiplicity), torch.from_numpy(conditions[:, chosen]), seed, on_chunk, first_chunk
    ).numpy()
    with np.errstate(over="ignore"):
        values = artifact.points.inverse(drawn / np.float32(artifact.settings.objective.data_scale))
    values = _with_sum(values, jets, settings.momentum_sum)
    return Drawn(values, sampler.evaluations, sampler.seconds, name)


def sample_model(
    weights: Path,
    description: Path,
    jets_file: Path,
    settings: SamplerSettings,
    seed: int,
    output: Path,
    shard: Shard = WHOLE,
) -> None:
    """Draw a cloud from a trained model for each jet of ``jets_file`` and write them to ``output``.

    A conditional model is asked for the pT and the mass of the jet; to an unconditional one the pT is only the unit of
    pt_rel, and the mass nothing. The sum of the particles is imposed on both, unless the settings leave it free.
    Solver, evaluations, seed and time per jet are stored with the clouds, as are the asked-for pT and mass. A shard is
    bitwise what it is in a draw of all jets on the same kind of device.

    Raises:
        InputError: the model or the jets cannot be used, the model gave values that are not finite, or there are fewer
            chunks of jets than shards.
    """
    artifact = load_artifact(weights, description)
    all_jets = read_jets(jets_file)
    of_jets = read_observables(jets_file)[1]
    origin = origin_of_sample(jets_file, of_jets, description, read_json(description))
    size = chunk_size(present_device())
    rows = shard.rows(len(all_jets), size)
    n_jets = rows.stop - rows.start
    seconds, negative = 0.0, 0
    with create_clouds(output, all_jets.width, RELATIVE_COLUMNS, SAMPLE_FEATURES) as writer:
        with progress("sampling", n_jets, "jets") as bar:
            for start in range(rows.start, rows.stop, _CHUNKS_IN_MEMORY * size):
                jets = all_jets[slice(start, min(start + _CHUNKS_IN_MEMORY * size, rows.stop))]
                drawn = draw_clouds(artifact, jets, settings, seed, bar.update, start // size)
                if not np.isfinite(drawn.values).all():
                    raise InputError(f"{weights}: the model gave values that are not finite with {settings.solver}")
                negative += _append(writer, drawn.values, jets)
                seconds += drawn.seconds
        meta = {
            "sampler": {
                **settings.model_dump(mode="json"),
                "evaluations_counted": drawn.evaluations,
                "seconds_per_jet": seconds / n_jets,
                "device": drawn.device,
            },
            "shard": str(shard),
            JETS: [rows.start, rows.stop, len(all_jets)],
            ORIGIN: origin,
            "provenance": provenance(
                "sample", settings.model_dump(mode="json"), [weights, description, jets_file], seed
            ),
        }
        _finish(writer, output, meta, negative, int(all_jets.multiplicity[rows].sum()))


def sample_marginals(
    source: Path, jets_file: Path, seed: int, output: Path, momentum_sum: MomentumSum = "imposed"
) -> None:
    """Draw clouds of independent training particles: the baseline without any skill.

    The multiplicity is that of the jets of ``jets_file`` and each particle, as a whole, is drawn from all training
    particles of ``source``, so that every single-particle distribution is right and every correlation within a jet is
    missing. What is imposed on jets of models is imposed on these too: their transverse momenta are then rescaled.

    Raises:
        InputError: a file cannot be used, or ``source`` is not prepared.
    """
    clouds = read_clouds(source)
    jets = read_jets(jets_file)
    of_jets = read_observables(jets_file)[1]
    if "train" not in clouds.indices:
        raise InputError(f"{source}: not prepared: no training part is stored; run 'cloudchamber prepare' on it first")
    train = clouds.part("train")
    particles = train.points[train.mask]
    rng = seeds.generator(seed, "marginals")
    start = time.perf_counter()
    values = _with_sum(rng.choice(particles, size=int(jets.multiplicity.sum()), replace=True), jets, momentum_sum)
    seconds = time.perf_counter() - start
    settings = {"kind": "marginals", "momentum_sum": momentum_sum}
    trained_on = provenance("sample", settings, [source], seed)
    meta = {
        "sampler": {
            "solver": "none",
            "momentum_sum": momentum_sum,
            "evaluations_counted": 0,
            "seconds_per_jet": seconds / len(jets),
            "device": "cpu",
        },
        ORIGIN: origin_of_sample(jets_file, of_jets, source, {"provenance": trained_on}),
        "provenance": provenance("sample", settings, [source, jets_file], seed),
    }
    with create_clouds(output, jets.width, RELATIVE_COLUMNS, SAMPLE_FEATURES) as writer:
        _finish(writer, output, meta, _append(writer, values, jets), len(values))


def _with_sum(values: np.ndarray, jets: JetFeatures, momentum_sum: MomentumSum) -> np.ndarray:
    return values if momentum_sum == "free" else rescaled(values, jets.multiplicity, jets.jet_pt_rel)


def _append(writer: CloudWriter, values: np.ndarray, jets: JetFeatures) -> int:
    """Append packed particles as clouds, with the features of their jets; return how many have no positive pT."""
    points, mask = padded(values, jets.multiplicity, jets.width)
    features = np.stack([getattr(jets, column.name) for column in SAMPLE_FEATURES], axis=1, dtype=np.float32)
    writer.append(points, mask, features, np.zeros((len(points), 0), np.int64))
    return int((values[:, 2] <= 0).sum())


def _finish(writer: CloudWriter, output: Path, meta: dict[str, Any], negative: int, particles: int) -> None:
    if negative:
        sys.stderr.write(f"{output}: {negative} of {particles} particles have no positive transverse momentum\n")
    writer.add_meta({**meta, "particles_without_momentum": negative})
