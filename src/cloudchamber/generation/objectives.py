"""Training objectives: what the network predicts on a path, its loss, and the clean data and noise it implies."""

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from cloudchamber.generation.paths import CosinePath, GaussianPath, StraightPath
from cloudchamber.networks.packing import Packing
from cloudchamber.settings import DiffusionSettings, FlowMatchingSettings

__all__ = ["Diffusion", "FlowMatching", "Objective", "build_objective"]


class Objective(ABC):
    """Abstract objective on a Gaussian path."""

    path: GaussianPath

    @abstractmethod
    def loss(self, prediction: Tensor, clean: Tensor, noise: Tensor, time: Tensor, packing: Packing) -> Tensor:
        """Return the sum over particles of the loss; divide by the number of particles for their mean.

        Args:
            prediction, clean, noise: (M, F).
            time: (B, 1), one per cloud.
            packing: which particle belongs to which cloud.
        """

    @abstractmethod
    def estimate(self, prediction: Tensor, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return the estimated clean data and noise, both (M, F), at one time (1, 1) for all."""

    def noisy(self, clean: Tensor, noise: Tensor, time: Tensor, packing: Packing) -> Tensor:
        """Return x_t for (M, F) data and noise and (B, 1) times."""
        return packing.spread(self.path.signal(time)) * clean + packing.spread(self.path.noise(time)) * noise


@final
class FlowMatching(Objective):
    """Conditional flow matching: the network predicts the velocity (1 - sigma) z - x (arXiv 2210.02747, 2310.00049).

    The loss is the squared error summed over the features of a particle. Noise and data are paired independently.
    """

    def __init__(self, settings: FlowMatchingSettings) -> None:
        self.sigma_min = settings.sigma_min
        self.path = StraightPath(settings.sigma_min)

    def loss(self, prediction: Tensor, clean: Tensor, noise: Tensor, time: Tensor, packing: Packing) -> Tensor:
        target = (1 - self.sigma_min) * noise - clean
        return (prediction - target).square().sum()

    def estimate(self, prediction: Tensor, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        # x_t = a x + s z and v = a' x + s' z, with a s' - s a' = 1 on this path.
        clean = self.path.noise_rate(time) * noisy - self.path.noise(time) * prediction
        noise = self.path.signal(time) * prediction - self.path.signal_rate(time) * noisy
        return clean, noise


@final
class Diffusion(Objective):
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


def build_objective(settings: FlowMatchingSettings | DiffusionSettings) -> Objective:
    """Return the objective that the settings describe."""
    match settings:
        case FlowMatchingSettings():
            return FlowMatching(settings)
        case DiffusionSettings():
            return Diffusion(settings)


def draw_times(clouds: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return (clouds, 1) times uniform in [0, 1), one per cloud."""
    return torch.rand(clouds, 1, generator=generator, device=device)
