"""What every generative training is judged by while it runs: the mass and the momentum of jets it draws."""

import math
from collections.abc import Callable
from typing import final

import numpy as np
import torch
from torch import Tensor

from cloudchamber.generative.sampling import Sampler
from cloudchamber.jets.kinematics import jet_kinematics
from cloudchamber.networks.packing import PackedClouds, padded

__all__ = ["JetCheck"]

_JETS = 1000


@final
class JetCheck:
    """Wasserstein-1 distances of jet mass and jet pT between validation jets and as many drawn ones.

    Args:
        validation: packed jets, on the CPU; the first thousand are used, with their multiplicities and conditions.
        to_physical: maps packed particles (M, 3) back to (eta_rel, phi_rel, pt_rel).
        seed: of the draws, the same at each call.
    """

    def __init__(self, validation: PackedClouds, to_physical: Callable[[np.ndarray], np.ndarray], seed: int) -> None:
        self._to_physical = to_physical
        self._seed = seed
        values, self._packing, self._conditions = validation.take(torch.arange(min(_JETS, len(validation))))
        self._truth = self._kinematics(values)

    def distances(self, sampler: Sampler) -> dict[str, float]:
        """Return "w1_jet_mass" and "w1_jet_pt" in units of the jet pT, infinite where a value is not a number."""
        drawn = self._kinematics(sampler.draw(self._packing.counts, self._conditions, self._seed))
        return {f"w1_{name}": _distance(self._truth[name], drawn[name]) for name in self._truth}

    def _kinematics(self, values: Tensor) -> dict[str, np.ndarray]:
        counts = self._packing.counts.numpy()
        points, mask = padded(self._to_physical(values.numpy()), counts, int(counts.max()))
        pt = np.where(mask, np.maximum(points[:, :, 2], 0.0), 0.0)
        jet_pt, jet_mass = jet_kinematics(pt, points[:, :, 0], points[:, :, 1])
        return {"jet_mass": jet_mass, "jet_pt": jet_pt}


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    distance = float(np.abs(np.sort(first) - np.sort(second)).mean())
    return distance if math.isfinite(distance) else math.inf
