"""Files of the study that its tests read: measured orders, and tables with chosen numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber.jets.observable_file import write_observables
from cloudchamber.studies.macaron.settings import ParticleSystem, SplittingSettings
from cloudchamber.studies.macaron.split import measure_splitting

__all__ = ["SPLITTING", "write_scores", "write_splitting"]

_SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "balanced": {"title": "balanced", "strength": 1.0, "steps": (16, 32, 64, 128), "exact_step": 1 / 128},
    "strong": {"title": "interaction x10", "strength": 10.0, "steps": (128, 256, 512), "exact_step": 1 / 256},
}
SPLITTING = SplittingSettings(
    systems={name: ParticleSystem.model_validate(item) for name, item in _SYSTEMS.items()}, draws=6
)


def write_splitting(folder: Path) -> Path:
    """Write errors.csv, orders.csv and paths.csv, and return the folder."""
    measure_splitting(SPLITTING, 1, *(folder / f"{name}.csv" for name in ("errors", "orders", "paths")))
    return folder


def write_scores(path: Path, rows: np.ndarray, right: np.ndarray, target: np.ndarray, classes: Sequence[str]) -> str:
    """Write scores of jets that choose the true class where ``right`` says so, and return the path."""
    chosen = np.where(right, target, (target + 1) % len(classes))
    probability = np.full((len(rows), len(classes)), 0.1 / (len(classes) - 1))
    probability[np.arange(len(rows)), chosen] = 0.9
    table = {f"log_p_{name}": np.log(probability[:, number]) for number, name in enumerate(classes)}
    write_observables(path, {"row": rows, **table}, {})
    return str(path)
