"""Generative training: a network, an objective and prepared jets as a task for the training loop."""

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from cloudchamber import seeds
from cloudchamber.cloud import Clouds
from cloudchamber.generative.jet_task import JetTask
from cloudchamber.generative.objectives import PathObjective
from cloudchamber.generative.sampling import Sampler
from cloudchamber.networks.packing import PackedClouds, Packing
from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.settings.generators import SamplerSettings

__all__ = ["GenerationTask", "pack"]

# Cheap beside the training, and enough to see the mass converge.
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
class GenerationTask(JetTask):
    """Training on a Gaussian path; arguments as of :class:`JetTask`, and the ``objective``: path and loss."""

    def __init__(
        self,
        network: nn.Module,
        objective: PathObjective,
        train: PackedClouds,
        validation: PackedClouds,
        to_physical: Callable[[np.ndarray], np.ndarray],
        seed: int,
    ) -> None:
        super().__init__(network, train, validation, to_physical, seed)
        self._objective = objective

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        values, packing, conditions = self._train.take(rows)
        time = self._objective.draw_times(len(rows), generator, values.device)
        noise = torch.randn(values.shape, generator=generator, device=values.device)
        whole = share == slice(0, len(rows))
        if whole:
            return self._batch_loss(network, values, noise, time, conditions, packing) / packing.rows
        particles, part = packing.part(share)
        total = self._batch_loss(network, values[particles], noise[particles], time[share], conditions[share], part)
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
        noise = self._objective.couple(clean, noise, packing)
        noisy = self._objective.noisy(clean, noise, time, packing)
        seen, network_time = self._objective.inputs(noisy, time, packing.spread)
        prediction = network(seen, network_time, conditions, packing)
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
            time = self._objective.draw_times(len(some), generator, device)
            noise = torch.randn(values.shape, generator=generator, device=device)
            total += float(self._batch_loss(network, values, noise, time, conditions, packing))
            particles += packing.rows
        sampler = Sampler(network, self._objective, _VALIDATION_SAMPLER, self._validation.values.shape[1])
        return {"validation_loss": total / particles, **self._check.distances(sampler)}
