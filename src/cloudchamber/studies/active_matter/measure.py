"""The step that measures a model: velocities, entropy production, checks of its score, on every ensemble it is for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber.errors import InputError, SettingsError
from cloudchamber.hdf5 import create_hdf5
from cloudchamber.metrics.trainings_apart import refuse_one_training
from cloudchamber.progress import progress
from cloudchamber.settings.entries import entries, need
from cloudchamber.storage import read_json, write_rows
from cloudchamber.studies.active_matter.fields import Fields, write_fields
from cloudchamber.studies.active_matter.measured_drive import MeasuredDrive
from cloudchamber.studies.active_matter.score_model import load_score
from cloudchamber.studies.active_matter.settings import MeasurementSettings
from cloudchamber.studies.active_matter.snapshots import Snapshots, read_snapshots
from cloudchamber.studies.active_matter.system_settings import other_dynamics

__all__ = ["measure", "refuse_other_training"]


def measure(settings: MeasurementSettings, files: Mapping[str, Any], seed: int, quantities: Path, fields: Path) -> None:
    """Measure the trainings of one model together.

    Args:
        settings: how many snapshots.
        files: "trainings", a list with "weights", "description" and "seed"; "ensembles", a list with "name",
            "snapshots" (file of clouds), "drives" and "part" (of the snapshots; None for all).
        seed: of the random vectors of divergences.
        quantities: CSV with a row for each number: ensemble, drive, quantity, feature, seed, value, uncertainty,
            of_blocks, of_trainings, exact, origin, blocks, snapshots.
        fields: HDF5 with local values for figures (:mod:`cloudchamber.studies.active_matter.fields`).

    Raises:
        InputError: a file cannot be used, a training is one of another kind of system or of other drives, or two
            trainings are one.
        SettingsError: a key is missing or not of its type, a seed is there twice, there are fewer than two trainings,
            or no snapshots of a drive or part.
        StorageError: a file cannot be written.
    """
    trainings = entries(files, "trainings", ("weights", "description", "seed"))
    # Crossed with itself, a training has the plug-in value under another name.
    if len(trainings) < 2:
        raise SettingsError(f"--files: trainings: {len(trainings)} given, two at least are crossed")
    refuse_one_training(trainings, "weights", of=())
    work = [
        (entry, drive)
        for entry in entries(files, "ensembles", ("name", "snapshots", "drives", "part"))
        for drive in _drives(entry)
    ]
    rows: list[dict[str, Any]] = []
    read: dict[str, Snapshots] = {}
    local: list[tuple[str, float, Fields]] = []
    with progress("measurement", len(work), "drives of ensembles") as bar:
        for entry, drive in work:
            path = need(entry, "snapshots")
            if path not in read:
                read = {path: read_snapshots(Path(path))}
            data = read[path]
            for item in trainings:
                refuse_other_training(Path(item["description"]), data, drive)
            chosen = _evenly(data.rows(entry["part"], drive), settings.snapshots)
            models = [load_score(Path(item["weights"]), Path(item["description"]), data.system) for item in trainings]
            measured = MeasuredDrive(settings, data, chosen, drive, models, seed)
            head = {"ensemble": entry["name"], "drive": drive}
            rows += [head | row for row in measured.rows([item["seed"] for item in trainings])]
            local.append((entry["name"], drive, measured.fields()))
            bar.update()
    write_rows(quantities, rows)
    with create_hdf5(fields) as output:
        for name, drive, values in local:
            write_fields(output.file, name, drive, values)
            output.check()


def _drives(entry: Mapping[str, Any]) -> list[float]:
    drives = entry["drives"]
    numbers = isinstance(drives, list | tuple) and all(type(drive) in (int, float) for drive in drives)
    if not numbers or not drives:
        raise SettingsError(f"--files: drives of '{entry['name']}': expected a list of numbers, not {drives!r}")
    return [float(drive) for drive in drives]


def refuse_other_training(description: Path, data: Snapshots, drive: float) -> None:
    """Refuse a score of other dynamics, or one that saw several drives and not this one.

    Raises:
        InputError: it is one.
    """
    described = read_json(description)
    system, drives = described.get("system", {}), described.get("drives", ())
    kind = system.get("kind")
    if kind != data.settings.kind:
        raise InputError(f"{description}: a score of the system '{kind}', {data.path} has '{data.settings.kind}'")
    others = other_dynamics(system, data.settings.model_dump(mode="json"))
    if others:
        raise InputError(f"{description}: a score of other dynamics than {data.path} has: another {', '.join(others)}")
    if len(drives) > 1 and drive not in drives:
        raise InputError(f"{description}: a score of the drives {list(drives)}, which says nothing of {drive}")


def _evenly(rows: np.ndarray, most: int) -> np.ndarray:
    return rows[:: -(-len(rows) // most)]
