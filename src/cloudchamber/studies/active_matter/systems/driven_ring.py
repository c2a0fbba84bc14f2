"""T4: a particle that a constant force drives around a ring with a cosine potential."""

from typing import Any, ClassVar, final

import numpy as np

from cloudchamber.studies.active_matter.system_settings import DrivenRingSettings
from cloudchamber.studies.active_matter.systems.arrays import sine
from cloudchamber.studies.active_matter.systems.system import Exact, System

__all__ = ["DrivenRing"]

# Points of the quadrature at least; and largest change of V / T from one to the next.
_POINTS, _LARGEST_STEP = 2048, 0.05


@final
class DrivenRing(System):
    """dx = (F + u0 sin x) dt + sqrt(2 T) dW on a ring of length 2 pi: not Gaussian, and exact by one quadrature.

    With V = u0 cos x - F x the density is p ~ e^(-V / T) times the integral of e^(V / T) over the turn that begins at
    x. The current is J = T (1 - e^(-F L / T)) / Z, the score (F + u0 sin x - J / p) / T, the entropy production J F L
    / T.
    """

    drive_symbol: ClassVar[str] = "$F$"

    def __init__(self, settings: DrivenRingSettings) -> None:
        self.particles = self.dimensions = 1
        self.rate, self.length = None, 2 * np.pi
        self.barrier, self.diffusion = settings.barrier, settings.diffusion

    def force(self, positions: Any) -> Any:
        return self.barrier * sine(positions)

    def propulsion(self, state: Any, drive: Any) -> Any:
        return drive + 0.0 * state

    def initial_positions(self, rng: np.random.Generator, trajectories: int) -> np.ndarray:
        return rng.uniform(-np.pi, np.pi, (trajectories, 1, 1))

    def regions(self, positions: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        return ("valley", "barrier"), (np.cos(positions[..., 0]) > 0).astype(int)

    def exact(self, drive: float) -> Exact | None:
        assert self.length is not None
        steepest = (self.barrier + drive) / self.diffusion
        points = max(_POINTS, int(np.ceil(steepest * self.length / _LARGEST_STEP)))
        spacing = self.length / points
        turn = np.arange(points + 1) * spacing - np.pi
        # Logarithms: over a turn e^(V / T) may span more than numbers have, and what is left of a sum is no difference.
        potential = (self.barrier * np.cos(turn) - drive * turn) / self.diffusion
        pieces = np.logaddexp(potential[1:], potential[:-1]) + np.log(0.5 * spacing)
        # Over the turn that begins at x: what is left of this one, and the beginning of the next, shifted by -F L.
        before = np.concatenate([[-np.inf], np.logaddexp.accumulate(pieces)])
        left = np.concatenate([np.logaddexp.accumulate(pieces[::-1])[::-1], [-np.inf]])
        fall = drive * self.length / self.diffusion
        density = np.logaddexp(left, before - fall) - potential
        norm = np.logaddexp.reduce(density[:-1]) + np.log(spacing)
        density -= norm
        current = self.diffusion * -np.expm1(-fall) * np.exp(-norm)

        def score(state: np.ndarray) -> np.ndarray:
            inside = (state + np.pi) % (2 * np.pi) - np.pi
            there = np.interp(inside, turn, density)
            return (drive + self.barrier * np.sin(state) - current * np.exp(-there)) / self.diffusion

        total = float(current * drive * self.length / self.diffusion)
        return Exact("quadrature", total, total, None, score)
