"""Two active particles on a ring: their relative coordinate, against a solution of the Fokker-Planck equation."""

import sys
from functools import cached_property
from typing import Any, final

import numpy as np

from cloudchamber.studies.active_matter.fokker_planck import RingSolution, solve_ring
from cloudchamber.studies.active_matter.system_settings import PairOnRingSettings
from cloudchamber.studies.active_matter.systems.arrays import softplus, wrapped
from cloudchamber.studies.active_matter.systems.system import ActiveSystem, Exact

__all__ = ["PairOnRing"]

# In radii: the repulsion begins where two particles touch.
_CONTACT = 2.0


@final
class PairOnRing(ActiveSystem):
    """dx = (v0 g + k f(2 - |x|) sign x) dt + sqrt(2 eps) dW with f(u) = ln(1 + e^(beta u)) / beta, x from -W to W."""

    length: float

    def __init__(self, settings: PairOnRingSettings) -> None:
        self.particles = self.dimensions = 1
        self.rate, self.diffusion, self.length = settings.rate, settings.diffusion, 2 * settings.half_length
        self.strength, self.sharpness = settings.strength, settings.sharpness

    def force(self, positions: Any) -> Any:
        near = wrapped(positions, self.length)
        overlap = softplus(self.sharpness * (_CONTACT - abs(near))) / self.sharpness
        # The sign of numpy has another name in torch; at zero there is no force.
        return self.strength * overlap * near / (abs(near) + 1e-12)

    def initial_positions(self, rng: np.random.Generator, trajectories: int) -> np.ndarray:
        free = self.length / 2 - _CONTACT
        return wrapped(self.length / 2 + free * rng.uniform(-1, 1, (trajectories, 1, 1)), self.length)

    def regions(self, positions: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        return ("in contact", "apart"), (np.abs(positions[..., 0]) > _CONTACT).astype(int)

    def solution(self, drive: float) -> RingSolution | None:
        """Return the solution of the Fokker-Planck equation; None without diffusion of positions, or where no grid
        resolves it, which is said once."""
        if self.diffusion == 0:
            return None
        if drive not in self._solutions:
            self._solutions[drive] = solve_ring(self.force, drive, self.rate, self.diffusion, self.length)
            if self._solutions[drive] is None:
                sys.stderr.write(
                    f"pair_on_ring: WARNING: at the drive {drive:g} nothing exact is known: no grid of the "
                    "Fokker-Planck equation is fine enough\n"
                )
        return self._solutions[drive]

    def exact(self, drive: float) -> Exact | None:
        found = self.solution(drive)
        if found is None:
            return None
        return Exact(
            "Fokker-Planck equation on a grid",
            found.entropy_production,
            found.share_of_positions,
            found.position_divergence,
            lambda state: found.score(state[..., 0], state[..., 1]),
        )

    @cached_property
    def _solutions(self) -> dict[float, RingSolution | None]:
        return {}
