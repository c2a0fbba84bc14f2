"""The training step of scores: snapshots to the weights of a score, its description and the history."""

from pathlib import Path

import numpy as np
import torch

from cloudchamber import seeds
from cloudchamber.errors import SettingsError
from cloudchamber.storage import provenance, write_rows
from cloudchamber.studies.active_matter.score_model import ScoreModel
from cloudchamber.studies.active_matter.score_settings import ScoreSettings
from cloudchamber.studies.active_matter.score_task import ScoreTask
from cloudchamber.studies.active_matter.snapshots import Snapshots, read_snapshots
from cloudchamber.training import run
from cloudchamber.training.described_weights import parameters, save_described

__all__ = ["train_score"]


def train_score(
    snapshots: Path,
    settings: ScoreSettings,
    drives: list[float],
    seed: int,
    state: Path,
    weights: Path,
    description: Path,
    history: Path,
) -> None:
    """Fit a score to the training part of an ensemble.

    Args:
        snapshots: file of clouds of the ensemble.
        settings: network, loss and loop.
        drives: which of its drives; with several the drive is a condition.
        seed: of everything random in this training.
        state: folder of the resumable states; each training has a folder of its own in it.
        weights, description, history: where the outputs go.

    Raises:
        InputError: the file cannot be used.
        SettingsError: the network does not fit the system, the ensemble lacks a drive, or one is given twice.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    if len(set(drives)) < len(drives):
        raise SettingsError(f"--drives: one is given twice among {drives}")
    data = read_snapshots(snapshots)
    rows = {part: _rows(data, part, drives) for part in ("train", "validation")}
    scales = _scales(data, rows["train"])
    with run.initialisation(seed):
        model = ScoreModel(settings, data.system, scales, drives)
    states, values = torch.from_numpy(data.states), torch.from_numpy(data.drives.astype(np.float32))
    model.fit(states[rows["train"]], values[rows["train"], None, None])
    task = ScoreTask(
        model,
        settings.loss,
        states,
        values,
        torch.from_numpy(rows["train"]),
        torch.from_numpy(rows["validation"]),
        settings.particles,
        seeds.integer_seed(seed, "active_matter", "validation"),
    )
    entry = "studies.active_matter.train:train_score"
    trained = run.train(task, settings, seed, state, {"snapshots": snapshots}, entry, {"drives": drives})
    if trained.first:
        more = {
            "system": data.settings.model_dump(mode="json"),
            "scales": scales,
            "drives": drives,
            "training": {"snapshots": len(rows["train"]), "seed": seed},
        }
        record = provenance("active_matter train", settings.model_dump(mode="json"), [snapshots], seed)
        save_described(weights, description, trained.weights, settings, parameters(model), record, **more)
        write_rows(history, trained.history)


def _rows(data: Snapshots, part: str, drives: list[float]) -> np.ndarray:
    return np.sort(np.concatenate([data.rows(part, drive) for drive in drives]))


def _scales(data: Snapshots, rows: np.ndarray) -> list[float]:
    """Return the standard deviation of each channel. One unit of length is a radius in a periodic box."""
    deviations = data.states[rows].astype(np.float64).std(axis=(0, 1))
    if data.system.length is not None:
        deviations[: data.system.dimensions] = 1.0
    return [float(value) for value in deviations]
