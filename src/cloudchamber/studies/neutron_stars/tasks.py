"""Trainings of the study as tasks of the training loop: stars are drawn anew in each step."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from cloudchamber import seeds
from cloudchamber.studies.neutron_stars.star_drawer import DrawnStars, StarDrawer
from cloudchamber.studies.neutron_stars.star_networks import (
    DensityNetwork,
    LikelihoodOfStars,
    PointNetwork,
    RatioOfStars,
    StarSetNetwork,
)
from cloudchamber.training.task import Task

__all__ = ["DensityTask", "LikelihoodTask", "PointTask", "RatioTask", "StarTask", "task_of"]

# Sets of stars of each equation of state in a validation: those of one alone would say little.
_VALIDATION_SETS = 10


class StarTask(Task, ABC):
    """Abstract training on stars that are drawn from the curves.

    Args:
        network: what is trained.
        train, validation: curves of the two parts.
        seed: of the stars of validation, which are the same at each call.
    """

    # Of a set, where it is not the settings that say.
    stars: tuple[int, ...] | None = None

    def __init__(self, network: nn.Module, train: StarDrawer, validation: StarDrawer, seed: int) -> None:
        self.network = network
        self.size = len(train)
        self._train, self._validation, self._seed = train, validation, seed

    def to(self, device: torch.device) -> None:
        self._train.to(device)
        self._validation.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        drawn = self._train.draw(rows, generator, self.stars)
        return self._losses(network, self._train, rows, drawn, generator)[share].mean()

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the loss on stars of the validation part."""
        device = self._validation.fractions.device
        generator = torch.Generator(device=device).manual_seed(seeds.integer_seed(self._seed, "validation"))
        rows = torch.arange(len(self._validation), device=device).repeat(_VALIDATION_SETS)
        drawn = self._validation.draw(rows, generator, self.stars)
        return {"validation_loss": float(self._losses(network, self._validation, rows, drawn, generator).mean())}

    @abstractmethod
    def _losses(
        self,
        network: Callable[..., Tensor],
        drawer: StarDrawer,
        rows: Tensor,
        drawn: DrawnStars,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the (B,) losses of sets of stars of equations of state ``rows`` of ``drawer``."""


@final
class PointTask(StarTask):
    """Squared error of all quantities in units of their deviation: its minimum is the average of the posterior."""

    def _losses(
        self,
        network: Callable[..., Tensor],
        drawer: StarDrawer,
        rows: Tensor,
        drawn: DrawnStars,
        generator: torch.Generator,
    ) -> Tensor:
        assert isinstance(self.network, PointNetwork)
        target = (drawer.quantities[rows] - self.network.centre) / self.network.scale
        return mse_loss(network(drawn.stars, drawn.mask), target, reduction="none").mean(dim=1)


@final
class DensityTask(StarTask):
    """Neural posterior estimation: negative logarithm of the density of the true parameters, over the prior's."""

    def _losses(
        self,
        network: Callable[..., Tensor],
        drawer: StarDrawer,
        rows: Tensor,
        drawn: DrawnStars,
        generator: torch.Generator,
    ) -> Tensor:
        return -network(drawn.stars, drawn.mask, drawer.fractions[rows])


@final
class LikelihoodTask(StarTask):
    """Neural likelihood estimation: negative logarithm of the density of one star at the true parameters."""

    stars = (1,)

    def _losses(
        self,
        network: Callable[..., Tensor],
        drawer: StarDrawer,
        rows: Tensor,
        drawn: DrawnStars,
        generator: torch.Generator,
    ) -> Tensor:
        return -network(drawn.stars[:, 0], drawer.fractions[rows].unsqueeze(1)).squeeze(1)


@final
class RatioTask(StarTask):
    """Regression of the likelihood ratio of one star from the joint ratio of the simulation.

    The simulation knows the true mass of each star, and with it the ratio of the joint densities of observed and true
    mass at any two parameters. What the star was drawn from against another equation of state: the cross-entropy
    whose target is the probability by that joint ratio has its minimum at the ratio of the densities of the observed
    star alone (arXiv 2002.04699; the loss with the joint ratio as target is that of arXiv 1808.00973).

    Args:
        network, train, validation, seed: of :class:`StarTask`.
        contrasts: other equations of state for each star.
    """

    stars = (1,)

    def __init__(
        self, network: nn.Module, train: StarDrawer, validation: StarDrawer, seed: int, contrasts: int
    ) -> None:
        super().__init__(network, train, validation, seed)
        self._contrasts = contrasts

    def _losses(
        self,
        network: Callable[..., Tensor],
        drawer: StarDrawer,
        rows: Tensor,
        drawn: DrawnStars,
        generator: torch.Generator,
    ) -> Tensor:
        others = torch.randint(len(drawer), (len(rows), self._contrasts), generator=generator, device=rows.device)
        equations = torch.cat([rows.unsqueeze(1), others], dim=1)
        joint = drawer.log_joint_densities(drawn, equations)
        outputs = network(drawn.stars[:, 0], drawer.fractions[equations])
        target = (joint[:, :1] - joint[:, 1:]).sigmoid()
        logits = outputs[:, :1] - outputs[:, 1:]
        return binary_cross_entropy_with_logits(logits, target, reduction="none").mean(dim=1)


def task_of(network: StarSetNetwork, train: StarDrawer, validation: StarDrawer, seed: int, contrasts: int) -> StarTask:
    """Return the task that trains a network; ``contrasts`` is for ratios alone."""
    match network:
        case PointNetwork():
            return PointTask(network, train, validation, seed)
        case DensityNetwork():
            return DensityTask(network, train, validation, seed)
        case LikelihoodOfStars():
            return LikelihoodTask(network, train, validation, seed)
        case RatioOfStars():
            return RatioTask(network, train, validation, seed, contrasts)
    raise AssertionError(f"no task of {network}")
