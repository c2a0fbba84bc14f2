"""Entropy production without any network: from moments, along trajectories, from a Gaussian."""

from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.studies.active_matter.blocks import Mean, block_mean
from cloudchamber.studies.active_matter.snapshots import Snapshots
from cloudchamber.studies.active_matter.systems.linear import linear_score

__all__ = ["ESTIMATORS", "Estimate", "estimates", "force_divergence"]

# What each is called in words.
ESTIMATORS = {
    "moment_identity": "moment identity",
    "trajectory": "trajectories",
    "gaussian_score": "Gaussian score",
}
# With fewer snapshots for each coordinate the errors of a covariance show in the squares of what is made of it.
_SNAPSHOTS = 200


@final
@dataclass(frozen=True)
class Estimate:
    """An estimate of the entropy production by one way of :data:`ESTIMATORS`."""

    estimator: str
    mean: Mean


def estimates(data: Snapshots, drive: float) -> list[Estimate]:
    """Return what can be said of the snapshots at one drive; nothing where positions have no noise.

    - moment identity: E[p . (p + F)] / eps, the work of the propulsion p over the temperature. It holds in a stationary
      state because p has no divergence and the gradient F gives nothing on average.
    - trajectories: the entropy that went into the medium, a Stratonovich sum along the simulated trajectories. Its
      bias is of first order in their step, downward.
    - Gaussian score: -C^-1 z with the covariance of the snapshots, exact for linear systems alone. It is left out
      where there are fewer than 200 snapshots for each coordinate.
    """
    system = data.system
    if system.diffusion == 0:
        return []
    rows = data.rows(None, drive)
    states, blocks = data.states[rows].astype(np.float64), data.blocks[rows]
    d = system.dimensions
    propulsion = system.propulsion(states, drive)
    drift = system.drift(states, drive)
    work = (propulsion * drift[..., :d]).sum(axis=(1, 2)) / system.diffusion
    found = [
        Estimate("moment_identity", block_mean(work, blocks)),
        Estimate("trajectory", block_mean(data.medium_entropy[rows], blocks)),
    ]
    periodic = system.length is not None
    if not periodic and len(states) >= _SNAPSHOTS * states[0].size:
        flat = states.reshape(len(states), -1)
        score = linear_score(np.cov(flat.T).reshape(flat.shape[1], -1), states - states.mean(axis=0))
        velocity = drift - system.diffusions * score
        production = (np.square(velocity) / system.diffusions).sum(axis=(1, 2))
        found.append(Estimate("gaussian_score", block_mean(production, blocks)))
    return found


def force_divergence(data: Snapshots, rows: np.ndarray) -> np.ndarray | None:
    """Return (M, N) the divergence of the force on each particle, or None where the system does not know it."""
    known = getattr(data.system, "force_divergence", None)
    if known is None:
        return None
    divergence: np.ndarray = known(data.states[rows][..., : data.system.dimensions].astype(np.float64))
    return divergence
