"""Best linear scores by denoising, in closed form from snapshots: what the noise, its size and its signs do.

A linear score s = S z that denoises z' = m + sigma xi has S E[z' z'^T] = -E[xi z'^T] / sigma. Added noise smooths the
density: without sampling errors it gives S = -(C + sigma^2)^-1. A step of the dynamics as noise has no such bias.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cloudchamber.errors import InputError, SettingsError
from cloudchamber.studies.active_matter.snapshots import Snapshots

__all__ = ["denoising_rows", "linear_production", "smoothed_production"]

# Groups of blocks that are fitted alone, for the uncertainty.
_GROUPS = 5


@final
@dataclass(frozen=True)
class _Linear:
    """A linear system: K (n, n), the diagonal of D (n,) and C (n, n)."""

    drift: np.ndarray
    diffusions: np.ndarray
    covariance: np.ndarray

    def error(self, matrix: np.ndarray) -> float:
        exact = -np.linalg.inv(self.covariance)
        return float(np.linalg.norm(matrix - exact) / np.linalg.norm(exact))


def linear_production(matrix: np.ndarray, drift: np.ndarray, diffusions: np.ndarray, covariance: np.ndarray) -> float:
    """Return E[v . D^-1 v] of v = -(K + D S) z for a score S z, over the density with covariance C."""
    flow = drift + diffusions[:, None] * matrix
    return float((np.einsum("ij,jk,ik->i", flow, covariance, flow) / diffusions).sum())


def smoothed_production(sigma: float, drift: np.ndarray, diffusions: np.ndarray, covariance: np.ndarray) -> float:
    """Return the entropy production from the exact score of the density convolved with a Gaussian of width sigma."""
    matrix = -np.linalg.inv(covariance + sigma**2 * np.eye(len(covariance)))
    return linear_production(matrix, drift, diffusions, covariance)


def denoising_rows(
    data: Snapshots, drive: float, sigmas: Sequence[float], steps: Sequence[float], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return rows of noise, size, signs, value, uncertainty, exact, closed_form and matrix_error.

    The noise is "additive" (size sigma) or "transition" (size dt); signs are "single" or "antithetic". At size 0
    stands what a straight line through the values of antithetic noise gives there, in sigma squared or dt squared: a
    step from a stationary state ends in one but for terms of second order.

    Raises:
        InputError: there are too few snapshots.
        SettingsError: the system is not linear, or its positions do not diffuse.
    """
    rows = data.rows(None, drive)
    states, blocks = data.states[rows].astype(np.float64), data.blocks[rows]
    linear = _linear(data, drive)
    groups = [np.isin(blocks, names) for names in np.array_split(np.unique(blocks), _GROUPS)]
    fewest, coordinates = min(group.sum() for group in groups), states[0].size
    if fewest < 2 * coordinates:
        raise InputError(
            f"{data.path}: {fewest} snapshots in a fifth of the blocks are too few to fit {coordinates} coordinates; "
            "more trajectories or snapshots are needed"
        )
    exact = data.system.exact(drive)
    assert exact is not None
    found: list[dict[str, Any]] = []
    fits: dict[str, list[tuple[float, float, float]]] = {"additive": [], "transition": []}
    for noise, size, signs in _cases(sigmas, steps):
        xi = rng.standard_normal(states.shape)
        matrices = [
            _fit(data, states[group], xi[group], drive, noise, size, signs == "antithetic")
            for group in (np.ones(len(states), bool), *groups)
        ]
        values = [linear_production(item, linear.drift, linear.diffusions, linear.covariance) for item in matrices]
        error = float(np.std(values[1:], ddof=1) / np.sqrt(_GROUPS))
        closed = exact.entropy_production
        if noise == "additive":
            closed = smoothed_production(size, linear.drift, linear.diffusions, linear.covariance)
        found.append(
            _row(noise, size, signs, values[0], error, exact.entropy_production, closed, linear.error(matrices[0]))
        )
        if signs == "antithetic":
            fits[noise].append((size, values[0], error))
    for noise, points in fits.items():
        value, error = _extrapolated(points)
        found.append(
            _row(noise, 0.0, "antithetic", value, error, exact.entropy_production, exact.entropy_production, None)
        )
    return found


def _cases(sigmas: Sequence[float], steps: Sequence[float]) -> Iterator[tuple[str, float, str]]:
    for signs in ("single", "antithetic"):
        yield from (("additive", sigma, signs) for sigma in sigmas)
        yield from (("transition", step, signs) for step in steps)


def _linear(data: Snapshots, drive: float) -> _Linear:
    system = data.system
    exact = system.exact(drive)
    size = system.particles * system.channels
    basis = np.eye(size).reshape(size, system.particles, system.channels)
    drift = -system.drift(basis, drive).reshape(size, size).T
    twice = -system.drift(2 * basis, drive).reshape(size, size).T
    if exact is None or system.length is not None or not np.allclose(2 * drift, twice):
        raise SettingsError(f"denoising.ensemble: {data.path}: the system is not linear")
    inverse = -exact.score(basis).reshape(size, size).T
    return _Linear(drift, np.tile(system.diffusions, system.particles), np.linalg.inv(inverse))


def _fit(
    data: Snapshots, states: np.ndarray, xi: np.ndarray, drive: float, noise: str, size: float, antithetic: bool
) -> np.ndarray:
    if noise == "additive":
        centre, deviations = states, np.full(states.shape[2], size)
    else:
        centre, deviations = data.system.step_mean(states, drive, size), data.system.step_deviations(size)
    moments = targets = 0.0
    for sign in (1.0, -1.0) if antithetic else (1.0,):
        moved = (centre + sign * deviations * xi).reshape(len(states), -1)
        moments = moments + moved.T @ moved
        targets = targets + (sign * xi / deviations).reshape(len(states), -1).T @ moved
    return -np.linalg.solve(np.asarray(moments), np.asarray(targets).T).T


def _extrapolated(points: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Return the value at size zero of the line through the values at the three smallest sizes, against their
    squares."""
    size, value, error = np.array(sorted(points)[:3]).T
    if len(size) < 2:
        return float(value[0]), float(error[0])
    design = np.stack([np.ones_like(size), size**2], axis=1) / error[:, None]
    covariance = np.linalg.inv(design.T @ design)
    return float((covariance @ design.T @ (value / error))[0]), float(np.sqrt(covariance[0, 0]))


def _row(
    noise: str, size: float, signs: str, value: float, error: float, exact: float, closed: float, matrix: float | None
) -> dict[str, Any]:
    return {
        "noise": noise,
        "size": size,
        "signs": signs,
        "value": value,
        "uncertainty": error,
        "exact": exact,
        "closed_form": closed,
        "matrix_error": "" if matrix is None else matrix,
    }
