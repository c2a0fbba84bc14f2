"""What a system is: drift, noise and geometry of interacting particles, in equilibrium where nothing drives them.

Per particle i, with the position x_i and the activity g_i (arXiv 2309.12991; not every system has an activity):

    dx_i = [ p_i + F_i(x) ] dt + sqrt(2 eps) dW,   dg_i = -gamma g_i dt + sqrt(2 gamma) dW.

F is minus the gradient of a potential. The propulsion p is what no potential gives: v0 g_i of active particles. It has
no divergence and vanishes where the drive is zero. The state z of N particles is an array (..., N, C) whose channels
are the coordinates of the position and then those of the activity. Times and lengths are in the units of the settings;
the diffusion constant is the temperature at a mobility of one, and Boltzmann's constant is one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from cloudchamber.studies.active_matter.systems.arrays import joined, wrapped

__all__ = ["ActiveSystem", "Exact", "System"]


@final
@dataclass(frozen=True)
class Exact:
    """What is known of the stationary state of a system at one drive.

    Attributes:
        origin: how it is known.
        entropy_production: total rate of all particles and coordinates, with g even under time reversal.
        share_of_positions: the part of it that stands on the velocities of positions, E[|v_x|^2 / eps].
        position_divergence: E[div_x v], minus that of activities; None without an activity.
        score: maps states (M, N, C) to the gradient of the log density.
    """

    origin: str
    entropy_production: float
    share_of_positions: float
    position_divergence: float | None
    score: Callable[[np.ndarray], np.ndarray]


class System(ABC):
    """Abstract system. Functions of states take numpy arrays and torch tensors alike.

    Attributes:
        drive_symbol: what the drive is called in formulas.
        particles: N.
        dimensions: d, coordinates of a position.
        rate: gamma of the activities; None where there are none.
        diffusion: epsilon of the positions.
        length: side of the periodic box; None where there is none.
        uniform: whether moving all particles together changes nothing.
        parity: which conditions under time reversal the entropy production refers to, in words.
    """

    drive_symbol: ClassVar[str] = "$v_0$"
    particles: int
    dimensions: int
    rate: float | None
    diffusion: float
    length: float | None = None
    uniform: bool = False

    @property
    def channels(self) -> int:
        """C: numbers of one particle."""
        return self.dimensions * (1 if self.rate is None else 2)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels."""
        axes = "xyz"[: self.dimensions]
        return (*axes, *(() if self.rate is None else (f"g_{axis}" for axis in axes)))

    @property
    def diffusions(self) -> np.ndarray:
        """(C,) diagonal D of the diffusion."""
        of_activities = [] if self.rate is None else [self.rate] * self.dimensions
        return np.array([self.diffusion] * self.dimensions + of_activities)

    @property
    def diffuses(self) -> np.ndarray:
        """(C,) whether a channel has noise, and so a score that can be learned."""
        return self.diffusions > 0

    @abstractmethod
    def force(self, positions: Any) -> Any:
        """Return the (..., N, d) conservative force on positions (..., N, d)."""

    @abstractmethod
    def propulsion(self, state: Any, drive: Any) -> Any:
        """Return the (..., N, d) part of the drift that no potential gives.

        Args:
            state: (..., N, C).
            drive: what broadcasts to (..., N, d).
        """

    @abstractmethod
    def initial_positions(self, rng: np.random.Generator, trajectories: int) -> np.ndarray:
        """Return (trajectories, N, d) positions to begin with."""

    def exact(self, drive: float) -> Exact | None:
        """Return what is known of the stationary state, or None where nothing is."""
        return None

    def regions(self, positions: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        """Return names of regions, and the (..., N) number of the region of each particle, -1 for none."""
        distance = np.sqrt(np.square(positions).sum(axis=-1))
        typical = np.sqrt(np.square(distance).mean())
        return ("inside", "outside"), (distance > typical).astype(int)

    def drift(self, state: Any, drive: Any) -> Any:
        """Return the (..., N, C) drift b of a state."""
        of_positions = self.propulsion(state, drive) + self.force(state[..., : self.dimensions])
        return of_positions if self.rate is None else joined([of_positions, self.activity_drift(state)])

    def activity_drift(self, state: Any) -> Any:
        """Return the (..., N, d) drift of the activities."""
        assert self.rate is not None
        return -self.rate * state[..., self.dimensions :]

    def step_mean(self, state: Any, drive: Any, step: float) -> Any:
        """Return where a step leads on average: Euler-Maruyama for positions, exact for activities."""
        positions = state[..., : self.dimensions]
        moved = positions + step * (self.propulsion(state, drive) + self.force(positions))
        if self.rate is None:
            return moved
        return joined([moved, float(np.exp(-self.rate * step)) * state[..., self.dimensions :]])

    def step_deviations(self, step: float) -> np.ndarray:
        """Return the (C,) standard deviations of the noise of a step."""
        of_positions = [np.sqrt(2 * self.diffusion * step)] * self.dimensions
        if self.rate is None:
            return np.array(of_positions)
        return np.array(of_positions + [np.sqrt(-np.expm1(-2 * self.rate * step))] * self.dimensions)

    def initial(self, rng: np.random.Generator, trajectories: int) -> np.ndarray:
        """Return (trajectories, N, C) states to begin with; activities are stationary."""
        positions = self.initial_positions(rng, trajectories)
        if self.rate is None:
            return positions
        return np.concatenate([positions, rng.standard_normal(positions.shape)], axis=-1)

    def in_box(self, state: np.ndarray) -> np.ndarray:
        """Return states whose positions are inside of the periodic box, where there is one."""
        if self.length is None:
            return state
        inside = state.copy()
        inside[..., : self.dimensions] = wrapped(state[..., : self.dimensions], self.length)
        return inside

    @property
    def parity(self) -> str:
        return "no activity" if self.rate is None else "g even under time reversal"


class ActiveSystem(System, ABC):
    """Abstract: propelled by v0 g."""

    rate: float

    def motion(self, state: Any, drive: Any, changes: int) -> list[Any]:
        """Return velocities of positions, and by what forces change along them, along that change, and so on.

        Args:
            state: tensor (B, N, C).
            drive: tensor that broadcasts to (B, N, d).
            changes: how many.

        Returns:
            u = v0 g + F, a = (u . grad) F, (a . grad) F, ...: tensors (B, N, d), one more than there are changes.
        """
        import torch

        positions = state[..., : self.dimensions]
        with torch.enable_grad():
            at = positions if positions.requires_grad else positions.detach().requires_grad_()
            force = self.force(at)
            found = [self.propulsion(state, drive) + force]
            for _ in range(changes):
                # Forces have a potential: their Jacobian is its own transpose.
                (change,) = torch.autograd.grad(force, at, found[-1], create_graph=True)
                found.append(change)
        return found if torch.is_grad_enabled() else [tensor.detach() for tensor in found]

    def propulsion(self, state: Any, drive: Any) -> Any:
        return drive * state[..., self.dimensions :]
