"""Stationary solution of the Fokker-Planck equation of one active coordinate on a ring.

    0 = -d/dx [(v0 g + F(x)) rho] + eps d2/dx2 rho + gamma d/dg (g rho) + gamma d2/dg2 rho.

The density is rho(x, g) = phi(g) sum_n c_n(x) h_n(g) with the normal density phi and its orthonormal Hermite
polynomials h_n. The operator couples c_n to its neighbours alone, so that c_n = S_n c_(n-1) from the highest one down,
and c_0 is the kernel of one matrix. In x there is a grid of equidistant points with spectral derivatives. Whether grid
and polynomials suffice shows in the two shares of the entropy production, which add up to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["RingSolution", "solve_ring"]

# Points of the grid and polynomials: the first that suffice are taken. Points are odd, so that the derivative has no
# mode that it does not see.
_RESOLUTIONS = ((301, 32), (601, 64))
# Of the entropy production, by which the sum of its shares may be off; and of the work per relaxation time, where there
# is none.
_CLOSURE, _STILL = 2e-3, 1e-6
_NODES = 64
# Points that are less probable than this, relative to a uniform density, decide nothing; the series has no digits
# there.
_PROBABLE = 1e-7
_REACH = 5.0
_ACTIVITIES = 161


@final
@dataclass(frozen=True)
class RingSolution:
    """The stationary state.

    Attributes:
        positions: (X,) grid, periodic.
        activities: (G,) grid.
        density: (X, G), in units of one over length.
        scores: (X, G, 2) gradient of its logarithm; not a number where the density is negligible.
        entropy_production: with g even, (v0 / eps) E[g (v0 g + F)].
        share_of_positions: E[v_x^2 / eps].
        share_of_activities: E[v_g^2 / gamma]; with the share of positions it is the total.
        position_divergence: E[div_x v].
        length: of the ring.
    """

    positions: np.ndarray
    activities: np.ndarray
    density: np.ndarray
    scores: np.ndarray
    entropy_production: float
    share_of_positions: float
    share_of_activities: float
    position_divergence: float
    length: float

    def score(self, positions: np.ndarray, activities: np.ndarray) -> np.ndarray:
        """Return the (..., 2) score at points, linear between those of the grid; not a number outside of it."""
        spacing = self.length / len(self.positions)
        place = ((positions - self.positions[0]) / spacing) % len(self.positions)
        height = (activities - self.activities[0]) / (self.activities[1] - self.activities[0])
        left, low = np.floor(place).astype(int), np.floor(height).astype(int)
        inside = (low >= 0) & (low < len(self.activities) - 1)
        low = np.where(inside, low, 0)
        along, up = (place - left)[..., None], (height - low)[..., None]
        left, right = left % len(self.positions), (left + 1) % len(self.positions)
        lower = (1 - along) * self.scores[left, low] + along * self.scores[right, low]
        upper = (1 - along) * self.scores[left, low + 1] + along * self.scores[right, low + 1]
        return np.where(inside[..., None], (1 - up) * lower + up * upper, np.nan)


def solve_ring(
    force: Callable[[np.ndarray], np.ndarray], drive: float, rate: float, diffusion: float, length: float
) -> RingSolution | None:
    """Return the stationary state of dx = (v0 g + F) dt + sqrt(2 eps) dW, dg = -gamma g dt + sqrt(2 gamma) dW.

    It is None where the finest grid does not resolve it: at small diffusion, large drives or in long rings the shares
    of the entropy production then add up to something else.

    Args:
        force: F at positions.
        drive: v0.
        rate: gamma.
        diffusion: eps, above zero.
        length: of the ring, centred at zero.
    """
    for points, modes in _RESOLUTIONS:
        with np.errstate(all="ignore"):
            found = _solve(force, drive, rate, diffusion, length, points, modes)
        apart = found.share_of_positions + found.share_of_activities - found.entropy_production
        if abs(apart) <= _CLOSURE * abs(found.entropy_production) + _STILL * rate:
            return found
    return None


def _solve(
    force: Callable[[np.ndarray], np.ndarray],
    drive: float,
    rate: float,
    diffusion: float,
    length: float,
    points: int,
    number: int,
) -> RingSolution:
    """Return what a grid of ``points`` and a ``number`` of polynomials make of it; other arguments as above."""
    positions = (np.arange(points) + 0.5) * length / points - length / 2
    derivative = _derivative(length, points)
    forces = force(positions)
    modes = _modes(derivative, forces, drive, rate, diffusion, length, number)
    slopes = modes @ derivative.T
    weights = length / points

    def at(activities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return rho / phi (X, G) and the scores (X, G, 2)."""
        polynomials = _hermite(activities, number)
        ratio = modes.T @ polynomials
        lowered = np.sqrt(np.arange(1, number))[:, None] * polynomials[:-1]
        of_x = slopes.T @ polynomials / ratio
        of_g = modes[1:].T @ lowered / ratio - activities
        scores = np.stack([of_x, of_g], axis=2)
        scores[ratio * length < _PROBABLE] = np.nan
        return ratio, scores

    nodes, masses = np.polynomial.hermite_e.hermegauss(_NODES)
    near = np.abs(nodes) < _REACH
    nodes, masses = nodes[near], masses[near] / np.sqrt(2 * np.pi)
    ratio, scores = at(nodes)
    probability = np.where(np.isfinite(scores[..., 0]), ratio, 0.0) * masses * weights
    of_x, of_g = np.moveaxis(np.nan_to_num(scores), 2, 0)
    velocity = drive * nodes + forces[:, None] - diffusion * of_x
    activities = np.linspace(-_REACH, _REACH, _ACTIVITIES)
    ratio, shown = at(activities)
    return RingSolution(
        positions,
        activities,
        ratio * np.exp(-0.5 * activities**2) / np.sqrt(2 * np.pi),
        shown,
        float(drive / diffusion * (drive + weights * (forces @ modes[1]))),
        float((probability * velocity**2).sum() / diffusion),
        float((probability * rate * (nodes + of_g) ** 2).sum()),
        float(-weights * (forces @ slopes[0]) + diffusion * (probability * of_x**2).sum()),
        length,
    )


def _derivative(length: float, points: int) -> np.ndarray:
    """Return the (X, X) spectral derivative on an odd number of equidistant points of a ring."""
    number = np.arange(points)
    apart = number[:, None] - number
    with np.errstate(divide="ignore"):
        matrix = 0.5 * (-1.0) ** apart / np.sin(np.pi * apart / points)
    np.fill_diagonal(matrix, 0.0)
    return matrix * 2 * np.pi / length


def _modes(
    derivative: np.ndarray,
    forces: np.ndarray,
    drive: float,
    rate: float,
    diffusion: float,
    length: float,
    number: int,
) -> np.ndarray:
    """Return the (modes, X) functions c_n, the first of which has the integral one."""
    points = len(forces)
    still = -derivative * forces + diffusion * derivative @ derivative
    propelled = -drive * derivative
    solutions: list[np.ndarray] = []
    above = np.zeros_like(still)
    for mode in range(number - 1, 0, -1):
        own = still - rate * mode * np.eye(points) + above
        solutions.insert(0, -np.linalg.solve(own, np.sqrt(mode) * propelled))
        above = np.sqrt(mode) * propelled @ solutions[0]
    kernel = still + above
    # The rows add up to zero: one of them says nothing, and gives way to the norm.
    kernel[-1] = length / points
    found = [np.linalg.solve(kernel, np.append(np.zeros(points - 1), 1.0))]
    for solution in solutions:
        found.append(solution @ found[-1])
    return np.stack(found)


def _hermite(values: np.ndarray, number: int) -> np.ndarray:
    """Return the (number, G) orthonormal Hermite polynomials of the normal density."""
    found = [np.ones_like(values), values]
    for mode in range(1, number - 1):
        found.append((values * found[-1] - np.sqrt(mode) * found[-2]) / np.sqrt(mode + 1))
    return np.stack(found)
