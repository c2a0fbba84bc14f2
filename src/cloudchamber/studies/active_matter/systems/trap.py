"""T1: one active particle on a line in a harmonic trap."""

from typing import Any, final

import numpy as np

from cloudchamber.studies.active_matter.system_settings import TrapSettings
from cloudchamber.studies.active_matter.systems.linear import gaussian
from cloudchamber.studies.active_matter.systems.system import ActiveSystem, Exact

__all__ = ["Trap"]


@final
class Trap(ActiveSystem):
    """dx = (-A x + v0 g) dt + sqrt(2 eps) dW. Its entropy production is v0^2 gamma / (eps (A + gamma)) with g even."""

    def __init__(self, settings: TrapSettings) -> None:
        self.particles = self.dimensions = 1
        self.rate, self.diffusion, self.stiffness = settings.rate, settings.diffusion, settings.stiffness

    def force(self, positions: Any) -> Any:
        return -self.stiffness * positions

    def initial_positions(self, rng: np.random.Generator, trajectories: int) -> np.ndarray:
        return np.sqrt(self.diffusion / self.stiffness) * rng.standard_normal((trajectories, 1, 1))

    def exact(self, drive: float) -> Exact | None:
        if self.diffusion == 0:
            return None
        both = self.stiffness + self.rate
        of_x = self.diffusion / self.stiffness + drive**2 / (self.stiffness * both)
        covariance = np.array([[of_x, drive / both], [drive / both, 1.0]])
        drift = np.array([[self.stiffness, -drive], [0.0, self.rate]])
        return gaussian("closed form", drift, self.diffusions, covariance, np.array([True, False]))
