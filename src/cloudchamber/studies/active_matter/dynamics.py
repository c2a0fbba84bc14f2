"""Stochastic dynamics of many trajectories at once: Euler-Maruyama for positions, exact for activities.

The integrator is that of arXiv 2309.12991. Its weak order in the step is one.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.studies.active_matter.systems.system import System

__all__ = ["Dynamics", "Walkers"]


@final
@dataclass
class Walkers:
    """Where the trajectories are.

    Attributes:
        state: (T, N, C), positions inside of the periodic box.
        entropy: (T,) entropy that went into the medium since it was last set to zero, by the Stratonovich sum of
            D^-1 b . dz over channels with noise; zero where positions have none.
    """

    state: np.ndarray
    entropy: np.ndarray


@final
class Dynamics:
    """Steps of a system.

    Args:
        system: drift, noise and geometry.
        drives: (T,) drive of each trajectory.
        step: dt.
    """

    def __init__(self, system: System, drives: np.ndarray, step: float) -> None:
        self.system, self.step = system, step
        self._drives = drives[:, None, None]
        self._deviations = system.step_deviations(step)
        self._decay = 0.0 if system.rate is None else float(np.exp(-system.rate * step))

    def advance(self, walkers: Walkers, steps: int, rng: np.random.Generator) -> Walkers:
        """Return the trajectories after some steps."""
        system, d = self.system, self.system.dimensions
        measured = system.diffusion > 0
        state, entropy = walkers.state.copy(), walkers.entropy.copy()
        positions, activities = state[..., :d], state[..., d:]
        first_activities = activities.copy()
        drift = self._drift(state)
        for _ in range(steps):
            change = drift * self.step
            if measured:
                change += self._deviations[0] * rng.standard_normal(positions.shape)
            positions += change
            if system.length is not None:
                positions -= system.length * np.rint(positions / system.length)
            if system.rate is not None:
                activities *= self._decay
                activities += self._deviations[-1] * rng.standard_normal(activities.shape)
            following = self._drift(state)
            if measured:
                entropy += np.einsum("tnd,tnd->t", drift + following, change) / (2 * system.diffusion)
            drift = following
        if measured and system.rate is not None:
            # The sum over the steps of an activity telescopes.
            entropy += 0.5 * (np.square(first_activities) - np.square(activities)).sum(axis=(1, 2))
        return Walkers(state, entropy)

    def _drift(self, state: np.ndarray) -> np.ndarray:
        positions = state[..., : self.system.dimensions]
        drift: np.ndarray = self.system.propulsion(state, self._drives) + self.system.force(positions)
        return drift
