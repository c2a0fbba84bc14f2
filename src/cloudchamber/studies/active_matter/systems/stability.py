"""Whether a step of the integrator leads to a stationary state, where that can be said before a simulation."""

import numpy as np

from cloudchamber.studies.active_matter.systems.system import System

__all__ = ["growth_of_step", "slowest_time"]


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
    if system.length is not None:
        return None
    rng = np.random.default_rng(1)
    shape = (system.particles, system.channels)
    size = system.particles * system.channels
    one, other = rng.standard_normal((2, *shape))
    # Disks that lie upon each other have no force that is a number.
    with np.errstate(all="ignore"):
        moved = [np.asarray(system.step_mean(state, drive, step)) for state in (one, other, one + other)]
        at_zero = np.asarray(system.step_mean(np.zeros(shape), drive, step))
    if not np.allclose(moved[0] + moved[1] - at_zero, moved[2], rtol=1e-9, atol=1e-9 * np.abs(moved[2]).max()):
        return None
    units = np.eye(size).reshape(size, *shape)
    matrix = (np.asarray(system.step_mean(units, drive, step)) - at_zero).reshape(size, size)
    return float(np.abs(np.linalg.eigvals(matrix)).max())
