"""Active disks in the plane with soft repulsion: in a harmonic trap, or in a periodic box where they phase-separate."""

from typing import Any, final

import numpy as np

from cloudchamber.studies.active_matter.pair_forces import PairForces
from cloudchamber.studies.active_matter.system_settings import DisksSettings
from cloudchamber.studies.active_matter.systems.arrays import sigmoid, softplus, wrapped
from cloudchamber.studies.active_matter.systems.system import ActiveSystem

__all__ = ["Disks"]

# In radii. Solid has at least so many disks within this distance, itself included, gas at most so many
# (arXiv 2309.12991, its code).
_NEAR, _SOLID, _GAS = 2.4, 5, 2
# Nearest disks that are looked at for pairs within the cut-off; where that is too few, all are.
_LOOKED_AT = 32
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

    def motion(self, state: Any, drive: Any, changes: int) -> list[Any]:
        """As of every active system; pairs within reach are searched once for all."""
        apart, distance, rows = self._within_reach(state[..., :2])
        snapshot = np.arange(len(state))[:, None, None]
        overlap, slope = self._overlap(distance)
        near, across = distance < self.pairs.cutoff, overlap / distance
        found = [self.propulsion(state, drive) + self.pairs.strength * (across * apart).sum(dim=-2)]
        found[0] = found[0] - self.stiffness * state[..., :2]
        for _ in range(changes):
            relative = (found[-1][:, :, None] - found[-1][snapshot, rows]) * near
            along = (apart * relative).sum(dim=-1, keepdim=True) * apart / distance.square()
            of_pairs = across * (relative - along) - slope * along
            found.append(self.pairs.strength * of_pairs.sum(dim=-2) - self.stiffness * found[-1])
        return found

    def _repulsion(self, positions: Any) -> Any:
        """Return the forces of all pairs on tensors, through which gradients pass."""
        apart, distance, _ = self._within_reach(positions.reshape(-1, *positions.shape[-2:]))
        sizes = self.pairs.strength * self._overlap(distance)[0] / distance
        return (sizes * apart).sum(dim=-2).reshape(positions.shape)

    def _within_reach(self, positions: Any, looked_at: int = _LOOKED_AT) -> tuple[Any, Any, Any]:
        """Return the (B, N, n, 2) ways to each disk of a tensor (B, N, 2) from its nearest n, their lengths and rows.

        From those out of reach the way is zero and its length the cut-off.
        """
        from cloudchamber.studies.active_matter.neighbours import nearest

        # A disk is the nearest one to itself, and without force on itself.
        rows = nearest(positions, positions, min(looked_at, self.particles), self.length)[:, :, 1:]
        apart = positions[:, :, None] - positions[np.arange(len(positions))[:, None, None], rows]
        if self.length is not None:
            apart = wrapped(apart, self.length)
        squares = apart.square().sum(dim=-1, keepdim=True)
        # A root has no gradient at zero.
        near = (squares < self.pairs.cutoff**2) & (squares > 0)
        if rows.shape[2] + 1 < self.particles and bool(near[:, :, -1].any()):
            return self._within_reach(positions, self.particles)
        distance = squares.where(near, squares.new_tensor(self.pairs.cutoff**2)).sqrt()
        return apart * near, distance, rows

    def _overlap(self, distance: Any) -> tuple[Any, Any]:
        """Return f(2 - r) and its derivative by the overlap."""
        stretched = self.pairs.sharpness * (2.0 - distance)
        return softplus(stretched) / self.pairs.sharpness, sigmoid(stretched)

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
