"""Whether a step of the integrator leads to a stationary state, and which, where that is known before a simulation."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cloudchamber.studies.active_matter.systems.linear import discrete_covariance, entropy_production
from cloudchamber.studies.active_matter.systems.system import System

__all__ = ["growth_of_step", "production_of_step", "slowest_time"]


def slowest_time(system: System, drive: float, step: float) -> float | None:
    """Return the longest relaxation time that is known: of a linear system its own, else the persistence of activities.

    Where a system has neither it is None. Interactions may relax more slowly.
    """
    growth = growth_of_step(system, drive, step)
    if growth is not None and 0 < growth < 1:
        return float(-step / np.log(growth))
    return None if system.rate is None else 1 / system.rate


def growth_of_step(system: System, drive: float, step: float) -> float | None:
    """Return the largest factor by which one step multiplies a deviation, or None where steps are not linear.

    It is the spectral radius of the map of a step without its noise. One or more means that there is no stationary
    state: a step of the integrator is stable only below 2 over the largest stiffness.
    """
    propagator = _propagator(system, drive, step)
    return None if propagator is None else _radius(propagator)


def production_of_step(system: System, drive: float, step: float) -> float | None:
    """Return the entropy production that an exact score of the sampled states would give.

    The integrator samples states of another covariance than those of the system, by the first order in its step. It is
    None where steps are not linear, have no stationary state, or positions have no noise.
    """
    propagator = _propagator(system, drive, step) if system.diffuses.all() else None
    if propagator is None or _radius(propagator) >= 1:
        return None
    drift = _matrix(system, lambda state: system.drift(state, drive))
    assert drift is not None, "steps are linear where the drift is"
    covariance = discrete_covariance(propagator, np.tile(system.step_deviations(step), system.particles))
    return float(entropy_production(-drift, np.tile(system.diffusions, system.particles), covariance).sum())


def _propagator(system: System, drive: float, step: float) -> np.ndarray | None:
    return _matrix(system, lambda state: system.step_mean(state, drive, step))


def _radius(matrix: np.ndarray) -> float:
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def _matrix(system: System, mapped: Callable[[np.ndarray], Any]) -> np.ndarray | None:
    """Return the (n, n) matrix of a map of flattened states up to a constant, or None where it is not linear."""
    if system.length is not None:
        return None
    rng = np.random.default_rng(1)
    shape = (system.particles, system.channels)
    size = system.particles * system.channels
    one, other = rng.standard_normal((2, *shape))
    # Disks that lie upon each other have no force that is a number.
    with np.errstate(all="ignore"):
        moved = [np.asarray(mapped(state)) for state in (one, other, one + other)]
        at_zero = np.asarray(mapped(np.zeros(shape)))
    if not np.allclose(moved[0] + moved[1] - at_zero, moved[2], rtol=1e-9, atol=1e-9 * np.abs(moved[2]).max()):
        return None
    units = np.eye(size).reshape(size, *shape)
    images: np.ndarray = (np.asarray(mapped(units)) - at_zero).reshape(size, size)
    return images.T
