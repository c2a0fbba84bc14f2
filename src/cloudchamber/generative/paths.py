"""Gaussian probability paths x_t = signal(t) x + noise(t) z from data (t = 0) to noise (t = 1)."""

import math
from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor

__all__ = ["CosinePath", "ExplodingPath", "GaussianPath", "StraightPath"]


class GaussianPath(ABC):
    """Abstract path. All methods map times of any shape to values of the same shape."""

    @abstractmethod
    def signal(self, time: Tensor) -> Tensor:
        """Factor of the data."""

    @abstractmethod
    def noise(self, time: Tensor) -> Tensor:
        """Factor of the standard normal noise."""

    @abstractmethod
    def signal_rate(self, time: Tensor) -> Tensor:
        """Derivative of :meth:`signal`."""

    @abstractmethod
    def noise_rate(self, time: Tensor) -> Tensor:
        """Derivative of :meth:`noise`."""

    @abstractmethod
    def diffusion(self, time: Tensor) -> Tensor:
        """Squared noise strength g^2 of the stochastic sampler.

        Any non-negative choice keeps the marginals of the path (arXiv 2303.08797, section 2).
        """

    def grid(self, steps: int) -> Tensor:
        """Return the (steps + 1) times of a sampler, from 1 down to the end of the path, in float64 on the CPU."""
        return torch.linspace(1, 0, steps + 1, dtype=torch.float64, device="cpu")


@final
class StraightPath(GaussianPath):
    """Conditional optimal-transport path: signal 1 - t, noise sigma + (1 - sigma) t (arXiv 2210.02747, eq. 20).

    Its own diffusion has no limit at t = 1, where the signal vanishes; g^2 = 2 noise(t) is used instead.

    Example:
        >>> path, time = StraightPath(sigma_min=0.0), torch.tensor([0.0, 0.25, 1.0])
        >>> path.signal(time), path.noise(time)
        (tensor([1.0000, 0.7500, 0.0000]), tensor([0.0000, 0.2500, 1.0000]))
    """

    def __init__(self, sigma_min: float) -> None:
        self.sigma_min = sigma_min

    def signal(self, time: Tensor) -> Tensor:
        return 1 - time

    def noise(self, time: Tensor) -> Tensor:
        return self.sigma_min + (1 - self.sigma_min) * time

    def signal_rate(self, time: Tensor) -> Tensor:
        return -torch.ones_like(time)

    def noise_rate(self, time: Tensor) -> Tensor:
        return torch.full_like(time, 1 - self.sigma_min)

    def diffusion(self, time: Tensor) -> Tensor:
        return 2 * self.noise(time)


@final
class CosinePath(GaussianPath):
    """Variance-preserving path: signal cos(theta), noise sin(theta), theta linear in t (arXiv 2303.05376)."""

    def __init__(self, signal_max: float, signal_min: float) -> None:
        self._first = math.acos(signal_max)
        self._rate = math.acos(signal_min) - self._first

    def _angle(self, time: Tensor) -> Tensor:
        return self._first + self._rate * time

    def signal(self, time: Tensor) -> Tensor:
        return self._angle(time).cos()

    def noise(self, time: Tensor) -> Tensor:
        return self._angle(time).sin()

    def signal_rate(self, time: Tensor) -> Tensor:
        return -self._rate * self._angle(time).sin()

    def noise_rate(self, time: Tensor) -> Tensor:
        return self._rate * self._angle(time).cos()

    def diffusion(self, time: Tensor) -> Tensor:
        return 2 * self._rate * self._angle(time).tan()


@final
class ExplodingPath(GaussianPath):
    """Data with noise added, signal 1 and noise sigma_max t, so that the time is the noise level (arXiv 2206.00364).

    The grid of the sampler has equal steps in sigma^(1/rho) and ends at sigma_min (its eq. 5). Times above 1 are noise
    levels above sigma_max.
    """

    def __init__(self, sigma_min: float, sigma_max: float, rho: float) -> None:
        self._sigma_min, self._sigma_max, self._rho = sigma_min, sigma_max, rho

    def signal(self, time: Tensor) -> Tensor:
        return torch.ones_like(time)

    def noise(self, time: Tensor) -> Tensor:
        return self._sigma_max * time

    def signal_rate(self, time: Tensor) -> Tensor:
        return torch.zeros_like(time)

    def noise_rate(self, time: Tensor) -> Tensor:
        return torch.full_like(time, self._sigma_max)

    def diffusion(self, time: Tensor) -> Tensor:
        return 2 * self._sigma_max**2 * time

    def grid(self, steps: int) -> Tensor:
        lowest = (self._sigma_min / self._sigma_max) ** (1 / self._rho)
        return (lowest + (1 - lowest) * super().grid(steps)) ** self._rho
