"""Trainings of flows of showers: the mean over showers of the squared error of the velocity."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal, final

import torch
from torch import Tensor, nn

from cloudchamber import seeds
from cloudchamber.generative.coupling import assigned_noise
from cloudchamber.generative.flow_map import Segments
from cloudchamber.generative.objectives import FlowMatching
from cloudchamber.networks.packing import Packing
from cloudchamber.studies.showers.allshowers import CONDITIONS
from cloudchamber.studies.showers.shower_inputs import CloudSource
from cloudchamber.training.task import Task

__all__ = ["Pairing", "ShowerFlowTask", "ShowerMapTask", "paired_noise", "velocity_error"]

Pairing = Literal["layers", "showers", "independent"]
_VALIDATED = 64


def velocity_error(
    objective: FlowMatching, prediction: Tensor, clean: Tensor, noise: Tensor, time: Tensor, packing: Packing
) -> Tensor:
    """Return (B,) the mean over the rows of each shower of the squared error of the velocity, summed over features.

    A mean over all rows of a batch would weigh a shower by its number of points.
    """
    path = objective.path
    velocity = packing.spread(path.signal_rate(time)) * clean + packing.spread(path.noise_rate(time)) * noise
    errors = (prediction.float() - velocity).square().sum(dim=1, keepdim=True)
    return packing.sum(errors)[:, 0] / packing.counts


def paired_noise(clean: Tensor, noise: Tensor, conditions: Tensor, packing: Packing, pairing: Pairing) -> Tensor:
    """Return the noise that goes with each point, permuted within showers or within their layers at least cost.

    The cost is the squared distance; that of arXiv 2601.11716 is the distance. Pairs are made afresh for each batch.

    Args:
        clean, noise: (M, 3).
        conditions: (B, 5 + L), the points of each layer behind the first five.
        packing: which row belongs to which shower.
        pairing: how.
    """
    if pairing == "independent":
        return noise
    if pairing == "showers":
        return assigned_noise(clean, noise, packing)
    counts = conditions[:, CONDITIONS:].flatten().round().long()
    return assigned_noise(clean, noise, Packing(counts[counts > 0]))


class _ShowerTask(Task, ABC):
    """Abstract.

    Args:
        network: what is trained.
        train, validation: sources of showers.
        seed: of the random numbers of validation, which are the same at each call.
    """

    def __init__(self, network: nn.Module, train: CloudSource, validation: CloudSource, seed: int) -> None:
        self.network, self.size = network, len(train)
        self._train, self._validation, self._seed = train, validation, seed
        self._device = torch.device("cpu")

    def to(self, device: torch.device) -> None:
        self._train, self._validation = self._train.to(device), self._validation.to(device)
        self._device = device

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        values, packing, conditions = self._train.take(rows)
        drawn = self._draw(values, len(rows), generator)
        if share == slice(0, len(rows)):
            return self._errors(network, values, drawn, conditions, packing).mean()
        particles, part = packing.part(share)
        some = tuple(item[particles] if len(item) == len(values) else item[share] for item in drawn)
        return self._errors(network, values[particles], some, conditions[share], part).mean()

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the validation loss."""
        generator = torch.Generator(device=self._device)
        generator.manual_seed(seeds.integer_seed(self._seed, "validation"))
        total = 0.0
        for some in torch.arange(len(self._validation), device=self._device).split(_VALIDATED):
            values, packing, conditions = self._validation.take(some)
            drawn = self._draw(values, len(some), generator)
            total += float(self._errors(network, values, drawn, conditions, packing).sum())
        return {"validation_loss": total / len(self._validation)}

    @abstractmethod
    def _draw(self, values: Tensor, showers: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Return what is random of a batch: (B, ...) of showers or (M, ...) of rows."""

    @abstractmethod
    def _errors(
        self,
        network: Callable[..., Tensor],
        values: Tensor,
        drawn: tuple[Tensor, ...],
        conditions: Tensor,
        packing: Packing,
    ) -> Tensor:
        """Return the (B,) errors of showers."""


@final
class ShowerFlowTask(_ShowerTask):
    """Conditional flow matching of showers, or of their numbers of points.

    Args:
        network: of points or of numbers.
        objective: path and smallest noise.
        train, validation: sources.
        pairing: of noise and data.
        seed: of validation.
    """

    def __init__(
        self,
        network: nn.Module,
        objective: FlowMatching,
        train: CloudSource,
        validation: CloudSource,
        pairing: Pairing,
        seed: int,
    ) -> None:
        super().__init__(network, train, validation, seed)
        self._objective, self._pairing = objective, pairing

    def _draw(self, values: Tensor, showers: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        time = self._objective.draw_times(showers, generator, values.device)
        return time, torch.randn(values.shape, generator=generator, device=values.device)

    def _errors(
        self,
        network: Callable[..., Tensor],
        values: Tensor,
        drawn: tuple[Tensor, ...],
        conditions: Tensor,
        packing: Packing,
    ) -> Tensor:
        time, noise = drawn
        noise = paired_noise(values, noise, conditions, packing, self._pairing)
        noisy = self._objective.noisy(values, noise, time, packing)
        prediction = network(noisy, time, conditions, packing)
        return velocity_error(self._objective, prediction, values, noise, time, packing)


@final
class ShowerMapTask(_ShowerTask):
    """Distillation: regression on trajectories of a trained flow of points.

    Args:
        network: the flow map, with the weights of its teacher.
        objective: of the teacher.
        train, validation: trajectories, (M, (K + 1) 3) rows.
        segments: K.
        features: coordinates of a point.
        seed: of validation.
    """

    def __init__(
        self,
        network: nn.Module,
        objective: FlowMatching,
        train: CloudSource,
        validation: CloudSource,
        segments: int,
        features: int,
        seed: int,
    ) -> None:
        super().__init__(network, train, validation, seed)
        self._objective, self._segments = objective, Segments(objective, segments, features)

    def to(self, device: torch.device) -> None:
        super().to(device)
        self._segments.to(device)

    def _draw(self, values: Tensor, showers: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        return self._segments.draw(showers, generator)

    def _errors(
        self,
        network: Callable[..., Tensor],
        values: Tensor,
        drawn: tuple[Tensor, ...],
        conditions: Tensor,
        packing: Packing,
    ) -> Tensor:
        prediction, clean, noise, time = self._segments.predict(
            network, values, drawn[0], drawn[1], conditions, packing
        )
        return velocity_error(self._objective, prediction, clean, noise, time, packing)
