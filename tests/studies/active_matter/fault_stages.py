"""Commands of the study of active matter that write, for the tests of faults."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stage import OUTPUT, TRAINED, Stage, training_settings

from cloudchamber.cli import main

_ENSEMBLE: dict[str, Any] = {
    "title": "trap",
    "system": {"kind": "trap", "stiffness": 1.0, "rate": 0.5, "diffusion": 0.2},
    "drives": [0.0, 1.0],
    "trajectories": 30,
    "step": 0.1,
    "burn_in": 1.0,
    "spacing": 1.0,
    "snapshots": 5,
}
_MODEL: dict[str, Any] = {
    "title": "dense",
    "ensemble": "trap",
    "network": {"kind": "mlp", "hidden": [4]},
    "training": training_settings(20),
}


def _training(steps: int, **changes: Any) -> Stage:
    settings = {"network": _MODEL["network"], "training": training_settings(steps, **changes)}

    def arguments(inputs: Path) -> list[str | Path]:
        drives = [inputs / "trap.h5", "--drives", "0", "1"]
        return [*drives, "--settings", json.dumps(settings), "--seed", "3", "--state", "{work}/state"]

    return Stage("active_matter train", TRAINED, arguments, "weights")


def _measured(inputs: Path) -> list[str | Path]:
    trainings = [
        {"seed": seed, **{name: str(inputs / f"score{seed}_{name}{suffix}") for name, suffix in TRAINED.items()}}
        for seed in (1, 2)
    ]
    ensemble = {"name": "trap", "snapshots": str(inputs / "trap.h5"), "drives": [0.0, 1.0], "part": "test"}
    files = {"trainings": trainings, "ensembles": [ensemble]}
    return ["--settings", "{}", "--files", json.dumps(files), "--seed", "3"]


def _gathered(inputs: Path) -> list[str | Path]:
    settings = {"ensembles": {"trap": _ENSEMBLE}, "models": {"dense": _MODEL}, "denoising": {"ensemble": "trap"}}
    ensembles = [{"name": "trap", "snapshots": str(inputs / "trap.h5")}]
    files = {"ensembles": ensembles, "models": [{"name": "dense", "quantities": str(inputs / "quantities.csv")}]}
    return ["--settings", json.dumps(settings), "--files", json.dumps(files), "--seed", "3"]


STAGES = (
    Stage(
        "active_matter simulate",
        OUTPUT,
        lambda inputs: ["--settings", json.dumps(_ENSEMBLE), "--seed", "3", "--state", "{work}/state"],
        "clouds",
    ),
    _training(20),
    Stage("active_matter measure", {"quantities": ".csv", "fields": ".h5"}, _measured, "rows and fields"),
    Stage(
        "active_matter evaluate",
        {"metrics": ".csv", "denoising": ".csv", "phases": ".csv"},
        _gathered,
        "rows",
    ),
)
TRAININGS: Mapping[str, Callable[..., Stage]] = {"active_matter train": _training}


def make_inputs(make: Callable[[str, Mapping[str, str]], None], folder: Path) -> None:
    """Write what the stages read, by the stages themselves."""
    make("active_matter simulate", {"output": "trap.h5"})
    make("active_matter train", {name: f"score1_{name}{suffix}" for name, suffix in TRAINED.items()})
    # The velocities of two trainings are multiplied, which must not be one and the same.
    command = _training(20).command(folder, folder / "second")
    command[command.index("--seed") + 1] = "4"
    main(command)
    for name, suffix in TRAINED.items():
        (folder / "second" / name / f"out{suffix}").rename(folder / f"score2_{name}{suffix}")
    make("active_matter measure", {"quantities": "quantities.csv"})
