"""Generative training: a network, an objective and prepared jets as a task for the training loop."""

import math
from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from cloudchamber import seeds
from cloudchamber.cloud import Clouds
from cloudchamber.evaluation.kinematics import jet_kinematics
from cloudchamber.generation.objectives import Objective, draw_times
from cloudchamber.generation.sampling import Sampler
from cloudchamber.networks.packing import PackedClouds, Packing, padded
from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.settings import SamplerSettings
from cloudchamber.training.task import Task

__all__ = ["GenerationTask", "pack"]

# Validation draws this many jets with this sampler: enough to see the mass converge, cheap beside the training.
_VALIDATION_JETS = 1000
_VALIDATION_SAMPLER = SamplerSettings(solver="midpoint", evaluations=20)


def pack(
    clouds: Clouds,
    points: Standardisation,
    conditions: Standardisation,
    names: Sequence[str],
    data_scale: float,
) -> PackedClouds:
    """Return the network's input: standardised particles times ``data_scale`` and the conditions called ``names``."""
    values = np.zeros(clouds.points.shape, np.float32)
    values[clouds.mask] = points.forward(clouds.points[clouds.mask]) * np.float32(data_scale)
    columns = np.stack([clouds.feature(name) for name in conditions.names], axis=1)
    chosen = [conditions.names.index(name) for name in names]
    return PackedClouds.from_padded(values, clouds.mask, conditions.forward(columns)[:, chosen])


@final
class GenerationTask(Task):
    """Training of a generative model on jets.

    Args:
        network: maps (particles, time, conditions, packing) to the prediction.
        objective: path and loss.
        train, validation: packed jets.
        to_physical: maps packed particles (M, 3) back to (eta_rel, phi_rel, pt_rel).
        seed: of the random numbers of validation, which are the same at each call.
    """

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        train: PackedClouds,
        validation: PackedClouds,
        to_physical: Callable[[np.ndarray], np.ndarray],
        seed: int,
    ) -> None:
        self.network = network
        self.size = len(train)
        self._objective = objective
        self._train, self._validation = train, validation
        self._to_physical = to_physical
        self._seed = seed
        rows = torch.arange(min(_VALIDATION_JETS, len(validation)))
        values, packing, _ = validation.take(rows)
        self._truth = self._kinematics(values, packing)

    def to(self, device: torch.device) -> None:
        self._train, self._validation = self._train.to(device), self._validation.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        values, packing, conditions = self._train.take(rows)
        time = draw_times(len(rows), generator, values.device)
        noise = torch.randn(values.shape, generator=generator, device=values.device)
        whole = share == slice(0, len(rows))
        if whole:
            return self._batch_loss(network, values, noise, time, conditions, packing) / packing.rows
        ends = torch.cat([packing.counts.new_zeros(1), packing.counts.cumsum(0)])
        particles = slice(int(ends[share.start]), int(ends[share.stop]))
        total = self._batch_loss(
            network, values[particles], noise[particles], time[share], conditions[share], Packing(packing.counts[share])
        )
        # Processes average their gradients, so that each share counts as often as there are processes.
        processes = len(rows) / (share.stop - share.start)
        return total * processes / packing.rows

    def _batch_loss(
        self,
        network: Callable[..., Tensor],
        clean: Tensor,
        noise: Tensor,
        time: Tensor,
        conditions: Tensor,
        packing: Packing,
    ) -> Tensor:
        noisy = self._objective.noisy(clean, noise, time, packing)
        prediction = network(noisy, time, conditions, packing)
        return self._objective.loss(prediction.float(), clean, noise, time, packing)

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the validation loss and the Wasserstein-1 distances of jet mass and jet pT (relative to the jet)."""
        device = self._validation.values.device
        generator = torch.Generator(device=device).manual_seed(seeds.integer_seed(self._seed, "validation"))
        rows = torch.arange(len(self._validation), device=device)
        total, particles = 0.0, 0
        for some in rows.split(512):
            values, packing, conditions = self._validation.take(some)
            time = draw_times(len(some), generator, device)
            noise = torch.randn(values.shape, generator=generator, device=device)
            total += float(self._batch_loss(network, values, noise, time, conditions, packing))
            particles += packing.rows
        values, packing, conditions = self._validation.take(rows[:_VALIDATION_JETS])
        sampler = Sampler(network, self._objective, _VALIDATION_SAMPLER, values.shape[1])
        drawn = sampler.draw(packing.counts, conditions, self._seed)
        generated = self._kinematics(drawn, packing)
        distances = {
            f"w1_{name}": _equal_size_distance(self._truth[name], generated[name]) for name in ("jet_mass", "jet_pt")
        }
        return {"validation_loss": total / particles, **distances}

    def _kinematics(self, values: Tensor, packing: Packing) -> dict[str, np.ndarray]:
        counts = packing.counts.cpu().numpy()
        points, mask = padded(self._to_physical(values.cpu().numpy()), counts, int(counts.max()))
        pt = np.where(mask, np.maximum(points[:, :, 2], 0.0), 0.0)
        jet_pt, jet_mass = jet_kinematics(pt, points[:, :, 0], points[:, :, 1])
        return {"jet_pt": jet_pt, "jet_mass": jet_mass}


def _equal_size_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Wasserstein-1 distance of two samples of one size, infinite where a value is not a number."""
    distance = float(np.abs(np.sort(first) - np.sort(second)).mean())
    return distance if math.isfinite(distance) else math.inf
