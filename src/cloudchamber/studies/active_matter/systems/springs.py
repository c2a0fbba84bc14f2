"""T3: active particles in a trap, all tied to each other by springs: exact for any number of them."""

from typing import Any, final

import numpy as np

from cloudchamber.studies.active_matter.system_settings import SpringsSettings
from cloudchamber.studies.active_matter.systems.linear import gaussian
from cloudchamber.studies.active_matter.systems.system import ActiveSystem, Exact

__all__ = ["Springs"]


@final
class Springs(ActiveSystem):
    """dx = (-H x + v0 g) dt + sqrt(2 eps) dW with H = A + kappa (N - 1 1^T), on a line.

    With g even its entropy production is (v0^2 gamma / eps) [1 / (A + gamma) + (N - 1) / (A + kappa N + gamma)],
    shared equally by the particles.
    """

    def __init__(self, settings: SpringsSettings) -> None:
        self.particles, self.dimensions = settings.particles, 1
        self.rate, self.diffusion = settings.rate, settings.diffusion
        self.stiffness, self.coupling = settings.stiffness, settings.coupling

    def force(self, positions: Any) -> Any:
        centre = positions.mean(axis=-2, keepdims=True)
        return -(self.stiffness + self.coupling) * positions + self.coupling * centre

    def initial_positions(self, rng: np.random.Generator, trajectories: int) -> np.ndarray:
        width = np.sqrt(self.diffusion / self.stiffness)
        return width * rng.standard_normal((trajectories, self.particles, 1))

    def stiffness_matrix(self) -> np.ndarray:
        """Return the (N, N) matrix H."""
        number = self.particles
        return (self.stiffness + self.coupling) * np.eye(number) - self.coupling / number * np.ones((number, number))

    def exact(self, drive: float) -> Exact | None:
        if self.diffusion == 0:
            return None
        number, matrix = self.particles, self.stiffness_matrix()
        inverse = np.linalg.inv(matrix)
        response = np.linalg.inv(matrix + self.rate * np.eye(number))
        of_x = self.diffusion * inverse + drive**2 * inverse @ response
        covariance = np.block([[of_x, drive * response], [drive * response, np.eye(number)]])
        nothing = np.zeros((number, number))
        drift = np.block([[matrix, -drive * np.eye(number)], [nothing, self.rate * np.eye(number)]])
        # From all positions before all activities to the order of a flattened state.
        order = np.arange(2 * number).reshape(2, number).T.ravel()
        here = np.ix_(order, order)
        positions = np.tile([True, False], number)
        return gaussian("closed form", drift[here], np.tile(self.diffusions, number), covariance[here], positions)
