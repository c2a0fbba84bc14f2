"""Active disks in the plane with soft repulsion: in a harmonic trap, or in a periodic box where they phase-separate."""

from typing import Any, final

import numpy as np

from cloudchamber.studies.active_matter.pair_forces import PairForces
from cloudchamber.studies.active_matter.system_settings import DisksSettings
from cloudchamber.studies.active_matter.systems.arrays import softplus, wrapped
from cloudchamber.studies.active_matter.systems.system import ActiveSystem

__all__ = ["Disks"]

# In radii. Solid has at least so many disks within this distance, itself included, gas at most so many
# (arXiv 2309.12991, its code).
_NEAR, _SOLID, _GAS = 2.4, 5, 2
# Below this packing fraction the disks begin everywhere in the box, above it in its middle.
_DILUTE = 0.25


@final
class Disks(ActiveSystem):
    """dx_i = [v0 g_i - A x_i + k sum_j f(2 - r_ij) x_ij / r_ij] dt + sqrt(2 eps) dW, f(u) = ln(1 + e^(beta u)) / beta.

    Lengths are in radii of a disk. In a trap the plane has no end; without one the box is periodic with the side
    sqrt(N pi / phi).
    """

    def __init__(self, settings: DisksSettings) -> None:
        self.particles, self.dimensions = settings.particles, 2
        self.rate, self.diffusion, self.stiffness = settings.rate, settings.diffusion, settings.stiffness
        self.packing_fraction = settings.packing_fraction
        if settings.packing_fraction is not None:
            self.length = float(np.sqrt(settings.particles * np.pi / settings.packing_fraction))
        self.uniform = self.length is not None
        self.pairs = PairForces(settings.strength, settings.sharpness, settings.cutoff, self.length)

    def force(self, positions: Any) -> Any:
        if isinstance(positions, np.ndarray):
            return self.pairs.forces(positions) - self.stiffness * positions
        return self._repulsion(positions) - self.stiffness * positions

    def _repulsion(self, positions: Any) -> Any:
        """Return the forces of all pairs on tensors, through which gradients pass."""
        apart = positions[..., :, None, :] - positions[..., None, :, :]
        if self.length is not None:
            apart = wrapped(apart, self.length)
        squares = apart.square().sum(dim=-1, keepdim=True)
        # A disk is at a distance of zero from itself, where a root has no gradient.
        near = (squares < self.pairs.cutoff**2) & (squares > 0)
        distance = squares.where(near, squares.new_tensor(1.0)).sqrt()
        overlap = softplus(self.pairs.sharpness * (2.0 - distance)) / self.pairs.sharpness
        sizes = (self.pairs.strength * overlap / distance).where(near, squares.new_tensor(0.0))
        return (sizes * apart).sum(dim=-2)

    def force_divergence(self, positions: np.ndarray) -> np.ndarray:
        """Return the (..., N) divergence of the force on each disk by its own position."""
        return self.pairs.divergences(positions) - 2 * self.stiffness

    def initial_positions(self, rng: np.random.Generator, trajectories: int) -> np.ndarray:
        shape = (trajectories, self.particles, 2)
        if self.length is None:
            return 1.2 * np.sqrt(self.particles) * rng.standard_normal(shape)
        assert self.packing_fraction is not None
        if self.packing_fraction < _DILUTE:
            return rng.uniform(-self.length / 2, self.length / 2, shape)
        return wrapped(self.length / 4 * rng.standard_normal(shape), self.length)

    def regions(self, positions: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        if self.length is None:
            return super().regions(positions)
        near = self.pairs.counts(positions, _NEAR)
        return ("solid", "gas"), np.where(near >= _SOLID, 0, np.where(near <= _GAS, 1, -1))
