"""Snapshots of a simulation, read from their file of clouds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.settings.base import parse
from cloudchamber.studies.active_matter.system_settings import SystemSettings
from cloudchamber.studies.active_matter.systems.build import build_system
from cloudchamber.studies.active_matter.systems.system import System

__all__ = ["Snapshots", "read_snapshots"]


@final
@dataclass(frozen=True)
class Snapshots:
    """Snapshots of trajectories of one system.

    Attributes:
        path: the file.
        settings: of the system.
        system: drift, noise and geometry.
        states: (M, N, C) float32.
        drives: (M,) float64.
        medium_entropy: (M,) rate at which entropy went into the medium before each snapshot.
        blocks: (M,) what counts as independent.
        parts: rows of "train", "validation" and "test".
    """

    path: Path
    settings: Any
    system: System
    states: np.ndarray
    drives: np.ndarray
    medium_entropy: np.ndarray
    blocks: np.ndarray
    parts: dict[str, np.ndarray]

    def rows(self, part: str | None, drive: float) -> np.ndarray:
        """Return the rows of one drive, of one part or of all.

        Raises:
            SettingsError: there are none.
        """
        if part is not None and part not in self.parts:
            raise SettingsError(f"{self.path}: no part '{part}' among {sorted(self.parts)}")
        chosen = np.arange(len(self.states)) if part is None else self.parts[part]
        found = chosen[self.drives[chosen] == drive]
        if not len(found):
            there = sorted({float(value) for value in self.drives})
            of_part = f" in the part '{part}'" if part else ""
            raise SettingsError(f"{self.path}: no snapshots of the drive {drive}{of_part}, only of {there}")
        return found


def read_snapshots(path: Path) -> Snapshots:
    """Read the snapshots of a simulation.

    Raises:
        InputError: the file cannot be used, or does not hold snapshots of a system.
    """
    clouds = read_clouds(path)
    if "system" not in clouds.meta:
        raise InputError(f"{path}: no snapshots of a system: 'system' is not in its meta data")
    settings = parse(SystemSettings, clouds.meta["system"], path)
    system = build_system(settings)
    names = tuple(column.name for column in clouds.point_columns)
    if names != system.names:
        raise InputError(f"{path}: point columns {list(names)}, the system has {list(system.names)}")
    missing = {"train", "validation", "test"} - set(clouds.indices)
    if missing:
        raise InputError(f"{path}: no part {sorted(missing)} among {sorted(clouds.indices)}")
    return Snapshots(
        path,
        settings,
        system,
        clouds.points,
        # A drive is a number that people type: in single precision it would be another one.
        np.array([float(np.format_float_positional(value)) for value in clouds.feature("drive")]),
        clouds.feature("medium_entropy").astype(np.float64),
        clouds.label("block"),
        dict(clouds.indices),
    )
