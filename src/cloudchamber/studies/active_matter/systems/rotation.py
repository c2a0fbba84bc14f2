"""T2: a rotating Ornstein-Uhlenbeck process in the plane."""

from typing import Any, ClassVar, final

import numpy as np

from cloudchamber.studies.active_matter.system_settings import RotationSettings
from cloudchamber.studies.active_matter.systems.arrays import joined
from cloudchamber.studies.active_matter.systems.linear import gaussian
from cloudchamber.studies.active_matter.systems.system import Exact, System

__all__ = ["Rotation"]


@final
class Rotation(System):
    """dz = (-k z + Omega J z) dt + sqrt(2 T) dW. Its entropy production is 2 Omega^2 / k, whatever the temperature."""

    drive_symbol: ClassVar[str] = r"$\Omega$"

    def __init__(self, settings: RotationSettings) -> None:
        self.particles, self.dimensions, self.rate = 1, 2, None
        self.stiffness, self.diffusion = settings.stiffness, settings.diffusion

    def force(self, positions: Any) -> Any:
        return -self.stiffness * positions

    def propulsion(self, state: Any, drive: Any) -> Any:
        return drive * joined([-state[..., 1:], state[..., :1]])

    def initial_positions(self, rng: np.random.Generator, trajectories: int) -> np.ndarray:
        return np.sqrt(self.diffusion / self.stiffness) * rng.standard_normal((trajectories, 1, 2))

    def exact(self, drive: float) -> Exact | None:
        drift = np.array([[self.stiffness, drive], [-drive, self.stiffness]])
        covariance = self.diffusion / self.stiffness * np.eye(2)
        return gaussian("closed form", drift, self.diffusions, covariance, np.array([True, True]))
