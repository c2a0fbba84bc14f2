"""Trained scores of active matter: states to the score and the velocity of the probability flow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.library.checks import finite, numbers
from cloudchamber.settings.base import parse
from cloudchamber.storage import read_json
from cloudchamber.studies.active_matter.score_model import load_score
from cloudchamber.studies.active_matter.system_settings import SystemSettings
from cloudchamber.studies.active_matter.systems.build import build_system
from cloudchamber.studies.active_matter.velocities import score_of, velocity_of
from cloudchamber.training.descriptions import read_description

__all__ = ["TrainedScore"]


@final
class TrainedScore:
    """A trained score, such as ``active_matter train`` writes.

    Attributes:
        description: what its files say.
        channels: names of the C numbers of a particle: coordinates of the position, then of the activity.
        particles: N, of the system that it was trained on.
        drives: those of the training.
    """

    def __init__(self, weights: Path, description: Path) -> None:
        described = read_description(weights, description, ("settings", "system", "drives", "scales"))
        self.description: Mapping[str, Any] = read_json(description)
        system = build_system(parse(SystemSettings, described["system"], description))
        self.network = load_score(weights, description, system)
        self.channels, self.particles = system.names, system.particles
        self.drives: tuple[float, ...] = tuple(described["drives"])

    def evaluate(self, states: Any, drive: float) -> np.ndarray:
        """Return the (M, N, C) score, the gradient of the log density, at states; zero in channels without noise.

        Args:
            states: (M, N, C) in the units of the system.
            drive: one of those of the training.

        Raises:
            InputError: the states have another shape or are not finite, or the score knows nothing of the drive.
        """
        return score_of(self.network, self._states(states, drive), drive)

    def velocity(self, states: Any, drive: float) -> np.ndarray:
        """Return the (M, N, C) velocities of the probability flow; arguments and errors of :meth:`evaluate`."""
        return velocity_of(self.network, self._states(states, drive), drive)

    def _states(self, states: Any, drive: float) -> np.ndarray:
        finite(drive, "drive")
        if drive not in self.drives:
            raise InputError(f"drive: {drive}, the score was trained at {list(self.drives)}")
        return numbers(states, "states", ("M", self.particles, len(self.channels))).astype(np.float32)
