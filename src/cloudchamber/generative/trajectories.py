"""Trajectories of a trained model: its states on the way from noise to data."""

import torch
from torch import Tensor, nn

from cloudchamber import seeds
from cloudchamber.devices import present_device
from cloudchamber.generative.artifact import Artifact
from cloudchamber.generative.objectives import Objective, build_objective
from cloudchamber.generative.sampling import chunk_size
from cloudchamber.generative.solvers import Field, solve
from cloudchamber.networks.linear import for_inference
from cloudchamber.networks.packing import PackedClouds, Packing
from cloudchamber.progress import progress
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP, SamplerSettings

__all__ = ["trajectories", "trajectories_of"]


def trajectories(
    teacher: Artifact, clouds: PackedClouds, rows: Tensor, settings: SamplerSettings, segments: int, seed: int
) -> PackedClouds:
    """Draw one trajectory of a trained model of jets for each chosen cloud; arguments as of :func:`trajectories_of`."""
    objective = build_objective(teacher.settings.objective)
    return trajectories_of(teacher.network, objective, clouds, rows, settings, segments, seed, "jets")


@torch.inference_mode()
def trajectories_of(
    teacher: nn.Module,
    objective: Objective,
    clouds: PackedClouds,
    rows: Tensor,
    settings: SamplerSettings,
    segments: int,
    seed: int,
    unit: str,
) -> PackedClouds:
    """Draw one trajectory for each chosen cloud, which gives its multiplicity and conditions and nothing else.

    Args:
        teacher: the trained network.
        objective: what it predicts.
        clouds: packed clouds.
        rows: (N,) which of them; the same one may come several times, with different noise.
        settings: a solver whose number of steps is a multiple of ``segments``.
        segments: K, of equal parts of the grid of the path, at whose ends the states are kept.
        seed: of the noise; each chunk of clouds has a random stream of its own.
        unit: plural name of the clouds, for the progress.

    Returns:
        Packed clouds on the CPU with values (M, (K + 1) F): the states of a particle, noise first, and the conditions
        that were asked for.
    """
    device = present_device()
    network = for_inference(teacher).to(device)
    every = settings.evaluations // EVALUATIONS_PER_STEP[settings.solver] // segments
    features = clouds.values.shape[1]
    counts = (clouds.offsets[1:] - clouds.offsets[:-1])[rows]
    values = []
    with progress("trajectories", len(rows), unit) as bar:
        for number, some in enumerate(rows.split(chunk_size(device))):
            packing = Packing((clouds.offsets[some + 1] - clouds.offsets[some]).to(device))
            conditions = clouds.conditions[some].to(device)
            generator = torch.Generator(device=device)
            generator.manual_seed(seeds.integer_seed(seed, "trajectories", number))
            start = torch.randn(packing.rows, features, generator=generator, device=device)
            states = [start * objective.path.noise(objective.path.grid(1)[:1]).to(start)]
            field = Field(lambda state, time: network(state, time, conditions, packing), objective)  # noqa: B023
            solve(field, start, settings, generator, states.append)
            values.append(torch.cat(states[::every], dim=1).cpu())
            bar.update(len(some))
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return PackedClouds(torch.cat(values).clone(), offsets, clouds.conditions[rows])
