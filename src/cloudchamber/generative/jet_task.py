"""What all generative trainings on jets share: their data, and the check of the jets they draw."""

from abc import ABC
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from cloudchamber.generative.validation import JetCheck
from cloudchamber.networks.packing import PackedClouds
from cloudchamber.training.task import Task

__all__ = ["JetTask"]


class JetTask(Task, ABC):
    """Abstract training of a generative model on jets.

    Args:
        network: what is trained.
        train, validation: packed jets.
        to_physical: maps packed particles (M, 3) back to (eta_rel, phi_rel, pt_rel).
        seed: of the random numbers of validation, which are the same at each call.
    """

    def __init__(
        self,
        network: nn.Module,
        train: PackedClouds,
        validation: PackedClouds,
        to_physical: Callable[[np.ndarray], np.ndarray],
        seed: int,
    ) -> None:
        self.network = network
        self.size = len(train)
        self._train, self._validation = train, validation
        self._seed = seed
        self._check = JetCheck(validation, to_physical, seed)

    def to(self, device: torch.device) -> None:
        self._train, self._validation = self._train.to(device), self._validation.to(device)
