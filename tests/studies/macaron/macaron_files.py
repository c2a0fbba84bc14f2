"""Files of the study that its tests read: measured orders, and tables with chosen numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pronged_jets import tagging_clouds, write_tagging_jets

from cloudchamber.jets.observable_file import write_observables
from cloudchamber.storage import write_rows
from cloudchamber.studies.macaron.evaluate import evaluate
from cloudchamber.studies.macaron.settings import MeasurementSettings, ParticleSystem, SplittingSettings
from cloudchamber.studies.macaron.split import measure_splitting

__all__ = ["ARMS", "SPLITTING", "write_arms", "write_scores", "write_splitting", "write_study"]

_SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "balanced": {"title": "balanced", "strength": 1.0, "steps": (16, 32, 64, 128), "exact_step": 1 / 128},
    "strong": {"title": "interaction x10", "strength": 10.0, "steps": (128, 256, 512), "exact_step": 1 / 256},
}
SPLITTING = SplittingSettings(
    systems={name: ParticleSystem.model_validate(item) for name, item in _SYSTEMS.items()}, draws=6
)
# S; an arm as good; one that is clearly better.
ARMS = {"standard": 0.60, "halves_after": 0.605, "macaron": 0.80}


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


def write_arms(folder: Path, splitting: Path, accuracies: Mapping[str, float], seeds: int, jets: int) -> dict[str, Any]:
    """Write jets, scores and histories of arms with chosen accuracies, and return the files of the evaluation.

    Trainings of one seed draw the same numbers, so that arms differ on few jets.
    """
    clouds = tagging_clouds(jets=jets, prongs=(1, 2, 3))
    write_tagging_jets(folder / "jets.h5", clouds)
    rows = clouds.indices["test"]
    target, classes = clouds.label("class")[rows], ("1", "2", "3")
    scores = []
    for arm, accuracy in accuracies.items():
        for seed in range(1, seeds + 1):
            right = np.random.default_rng(seed).random(len(rows)) < accuracy
            name = f"{arm}_{seed}"
            write_rows(folder / f"{name}.csv", [{"step": 1, "validation_loss": 1.0 - accuracy + 0.01 * seed}])
            scores.append(
                {
                    "name": arm,
                    "arm": arm,
                    "learning_rate": 0.002,
                    "seed": seed,
                    "scores": write_scores(folder / f"{name}.h5", rows, right, target, classes),
                    "history": str(folder / f"{name}.csv"),
                }
            )
    costs = {"parameters": 1234, "flops_per_jet": 5e6, "rounds": 3}
    for name in ("training", "inference"):
        costs |= {f"{name}_seconds_per_jet": 1e-3, f"{name}_lowest": 0.9e-3, f"{name}_highest": 1.2e-3}
    write_rows(folder / "cost.csv", [{"model": arm} | costs for arm in accuracies])
    return {
        **{name: str(splitting / f"{name}.csv") for name in ("errors", "orders")},
        "scores": scores,
        "costs": str(folder / "cost.csv"),
    }


def write_study(folder: Path, files: Mapping[str, Any], accuracies: Mapping[str, float]) -> dict[str, Any]:
    """Evaluate arms, and return what figures, tables and the answer are made from."""
    settings = MeasurementSettings(bootstraps=20)
    evaluate(folder / "jets.h5", files, settings, 1, folder / "metrics.csv", folder / "differences.csv")
    return {
        "models": [{"name": name, "title": name.replace("_", " ")} for name in (*accuracies, "dynamics")],
        "systems": [{"name": name, "title": item.title} for name, item in SPLITTING.systems.items()],
        "reference": "standard",
        **{name: files[name] for name in ("errors", "orders")},
        "metrics": str(folder / "metrics.csv"),
        "differences": str(folder / "differences.csv"),
    }
