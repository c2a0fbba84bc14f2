"""Training objectives: what the network predicts on a path, its loss, and the clean data and noise it implies."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import final

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from cloudchamber.generative.coupling import assigned_noise
from cloudchamber.generative.paths import CosinePath, ExplodingPath, GaussianPath, StraightPath
from cloudchamber.networks.packing import Packing
from cloudchamber.settings.objectives import (
    AdversarialSettings,
    DiffusionSettings,
    EdmSettings,
    FlowMatchingSettings,
    ObjectiveSettings,
)

__all__ = [
    "Adversarial",
    "Diffusion",
    "Edm",
    "FlowMatching",
    "Objective",
    "PathObjective",
    "build_objective",
    "build_path_objective",
]


class Objective(ABC):
    """Abstract objective: how noise is turned to data with what a network predicts."""

    path: GaussianPath

    @abstractmethod
    def estimate(self, prediction: Tensor, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return the estimated clean data and noise, both (M, F), at one time (1, 1) for all."""

    def inputs(self, noisy: Tensor, time: Tensor, spread: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Return what the network sees: the state (M, F) and the time (B, 1) within about [0, 1].

        Args:
            noisy: (M, F) state.
            time: (B, 1) one per cloud, or (1, 1).
            spread: maps (B, 1) to (M, 1); the identity where all clouds share one time.
        """
        return noisy, time


class PathObjective(Objective, ABC):
    """Abstract objective of a network that is trained on a Gaussian path."""

    @abstractmethod
    def loss(self, prediction: Tensor, clean: Tensor, noise: Tensor, time: Tensor, packing: Packing) -> Tensor:
        """Return the sum over particles of the loss; divide by the number of particles for their mean.

        Args:
            prediction, clean, noise: (M, F).
            time: (B, 1), one per cloud.
            packing: which particle belongs to which cloud.
        """

    def draw_times(self, clouds: int, generator: torch.Generator, device: torch.device) -> Tensor:
        """Return (clouds, 1) times of training, one per cloud: uniform in [0, 1)."""
        return torch.rand(clouds, 1, generator=generator, device=device)

    def couple(self, clean: Tensor, noise: Tensor, packing: Packing) -> Tensor:
        """Return (M, F) the noise that goes with the data in training, made of the independent ``noise``."""
        return noise

    def noisy(self, clean: Tensor, noise: Tensor, time: Tensor, packing: Packing) -> Tensor:
        """Return x_t for (M, F) data and noise and (B, 1) times."""
        return packing.spread(self.path.signal(time)) * clean + packing.spread(self.path.noise(time)) * noise


@final
class FlowMatching(PathObjective):
    """Conditional flow matching: the network predicts the velocity (1 - sigma) z - x (arXiv 2210.02747, 2310.00049).

    The loss is the squared error summed over the features of a particle. Noise and data are paired independently, or
    within each cloud at least cost (:mod:`cloudchamber.generative.coupling`).

    Example:
        >>> objective = FlowMatching(FlowMatchingSettings(kind="flow_matching", sigma_min=0.0))
        >>> clean, noise, time = torch.tensor([[2.0]]), torch.tensor([[-1.0]]), torch.tensor([[0.5]])
        >>> packing = Packing(torch.tensor([1]))
        >>> noisy = objective.noisy(clean, noise, time, packing)
        >>> objective.loss(noise - clean, clean, noise, time, packing)
        tensor(0.)
        >>> objective.estimate(noise - clean, noisy, time)
        (tensor([[2.]]), tensor([[-1.]]))
    """

    def __init__(self, settings: FlowMatchingSettings) -> None:
        self.sigma_min = settings.sigma_min
        self.path = StraightPath(settings.sigma_min)
        self._assigned = settings.coupling == "assignment"

    def couple(self, clean: Tensor, noise: Tensor, packing: Packing) -> Tensor:
        return assigned_noise(clean, noise, packing) if self._assigned else noise

    def loss(self, prediction: Tensor, clean: Tensor, noise: Tensor, time: Tensor, packing: Packing) -> Tensor:
        target = (1 - self.sigma_min) * noise - clean
        return (prediction - target).square().sum()

    def estimate(self, prediction: Tensor, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        # x_t = a x + s z and v = a' x + s' z, with a s' - s a' = 1 on this path.
        clean = self.path.noise_rate(time) * noisy - self.path.noise(time) * prediction
        noise = self.path.signal(time) * prediction - self.path.signal_rate(time) * noisy
        return clean, noise


@final
class Diffusion(PathObjective):
    """Variance-preserving diffusion: the network predicts the noise (arXiv 2303.05376, 2310.00049).

    Huber loss, plus the likelihood-weighted term of weight beta(t) / noise(t). While sampling, the implied clean data
    are clipped, since at t = 1 an error of the noise is amplified by noise(1) / signal(1), fifty-fold by default.
    """

    def __init__(self, settings: DiffusionSettings) -> None:
        self.path = CosinePath(settings.signal_max, settings.signal_min)
        self.likelihood_weight = settings.likelihood_weight
        self.clip = settings.clip

    def loss(self, prediction: Tensor, clean: Tensor, noise: Tensor, time: Tensor, packing: Packing) -> Tensor:
        weight = 1 + self.likelihood_weight * self.path.diffusion(time) / self.path.noise(time)
        per_particle = huber_loss(prediction, noise, reduction="none").sum(dim=1, keepdim=True)
        return (per_particle * packing.spread(weight)).sum()

    def estimate(self, prediction: Tensor, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        signal, noise_factor = self.path.signal(time), self.path.noise(time)
        clean = ((noisy - noise_factor * prediction) / signal).clamp(-self.clip, self.clip)
        return clean, (noisy - signal * clean) / noise_factor


@final
class Edm(PathObjective):
    """Diffusion with preconditioned inputs and outputs (arXiv 2206.00364, table 1, column "EDM").

    Clean data of variance 1 (or data_scale^2) are estimated as c_skip x + c_out F(c_in x), where the network F has
    inputs and targets of variance 1 at every noise level sigma; the loss weights of the paper make its loss the plain
    squared error of F. The network's time is ln(sigma), mapped to [0, 1] between the limits of sampling, in place of
    ln(sigma) / 4: our time embedding is made for the unit interval.
    """

    def __init__(self, settings: EdmSettings) -> None:
        self._settings = settings
        self._variance = settings.data_scale**2
        self.path = ExplodingPath(settings.sigma_min, settings.sigma_max, settings.rho)

    def draw_times(self, clouds: int, generator: torch.Generator, device: torch.device) -> Tensor:
        normal = torch.randn(clouds, 1, generator=generator, device=device)
        return (self._settings.log_mean + self._settings.log_deviation * normal).exp() / self._settings.sigma_max

    def inputs(self, noisy: Tensor, time: Tensor, spread: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        sigma = self.path.noise(time)
        lowest, highest = math.log(self._settings.sigma_min), math.log(self._settings.sigma_max)
        return noisy * spread(self._total(sigma).rsqrt()), (sigma.log() - lowest) / (highest - lowest)

    def loss(self, prediction: Tensor, clean: Tensor, noise: Tensor, time: Tensor, packing: Packing) -> Tensor:
        skip, out = (packing.spread(factor) for factor in self._factors(time))
        target = (clean - skip * self.noisy(clean, noise, time, packing)) / out
        return (prediction - target).square().sum()

    def estimate(self, prediction: Tensor, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        skip, out = self._factors(time)
        clean = skip * noisy + out * prediction
        return clean, (noisy - clean) / self.path.noise(time)

    def _total(self, sigma: Tensor) -> Tensor:
        return sigma.square() + self._variance

    def _factors(self, time: Tensor) -> tuple[Tensor, Tensor]:
        sigma = self.path.noise(time)
        total = self._total(sigma)
        return self._variance / total, sigma * math.sqrt(self._variance) * total.rsqrt()


@final
class Adversarial(Objective):
    """A generator that maps noise to data in one evaluation; :mod:`cloudchamber.generative.adversarial` trains it."""

    def __init__(self) -> None:
        self.path = StraightPath(0.0)

    def estimate(self, prediction: Tensor, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        return prediction, noisy


def build_path_objective(settings: FlowMatchingSettings | DiffusionSettings | EdmSettings) -> PathObjective:
    """Return the objective on a Gaussian path that the settings describe."""
    match settings:
        case FlowMatchingSettings():
            return FlowMatching(settings)
        case DiffusionSettings():
            return Diffusion(settings)
        case EdmSettings():
            return Edm(settings)


def build_objective(settings: ObjectiveSettings) -> Objective:
    """Return the objective that the settings describe."""
    return Adversarial() if isinstance(settings, AdversarialSettings) else build_path_objective(settings)
