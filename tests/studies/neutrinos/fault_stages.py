"""Commands of the neutrino study that write, for the tests of faults, and what they read."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neutrino_files import MAPS, NETWORK, SIMULATION
from stage import OUTPUT, TRAINED, Stage, training_settings


def _events(inputs: Path) -> Path:
    return inputs / "neutrinos.h5"


def _training(steps: int, **changes: Any) -> Stage:
    settings = {"network": NETWORK, "training": training_settings(steps, **changes)}

    def arguments(inputs: Path) -> list[str | Path]:
        return [_events(inputs), "--settings", json.dumps(settings), "--seed", "3", "--state", "{work}/state"]

    return Stage("neutrinos train", TRAINED, arguments, "weights")


def _classified(inputs: Path) -> list[str | Path]:
    files = {"weights": str(inputs / "neutrinos.safetensors"), "description": str(inputs / "neutrinos.json")}
    # The same network twice: the ceiling is judged like any other.
    models = [{"name": name, "seed": 1, **files} for name in ("joint", "ceiling")]
    return [_events(inputs), "--files", json.dumps({"models": models}), "--display-events", "2"]


def _judged(inputs: Path) -> list[str | Path]:
    files = {"scores": str(inputs / "neutrino_scores.h5"), "reference": "joint"}
    return [_events(inputs), "--files", json.dumps(files), "--settings", json.dumps({"bootstraps": 2}), "--seed", "3"]


STAGES = (
    Stage(
        "neutrinos simulate",
        {"output": ".root"},
        lambda inputs: ["--settings", json.dumps(SIMULATION), "--seed", "3"],
        "ROOT of neutrinos",
    ),
    Stage(
        "neutrinos ingest",
        OUTPUT,
        lambda inputs: [
            *(inputs / "neutrinos.root", "--settings", json.dumps(MAPS), "--detector", "{}", "--seed", "3")
        ],
        "packed clouds",
    ),
    _training(20),
    Stage("neutrinos classify", OUTPUT, _classified, "scores of neutrinos"),
    Stage(
        "neutrinos evaluate",
        dict.fromkeys(("metrics", "differences", "confusion", "curves"), ".csv"),
        _judged,
        "tables of neutrinos",
    ),
)
TRAININGS: Mapping[str, Callable[..., Stage]] = {"neutrinos train": _training}


def make_inputs(make: Callable[[str, Mapping[str, str]], None], folder: Path) -> None:
    """Make what these commands read, by themselves."""
    make("neutrinos simulate", {"output": "neutrinos.root"})
    make("neutrinos ingest", {"output": "neutrinos.h5"})
    make("neutrinos train", {"weights": "neutrinos.safetensors", "description": "neutrinos.json"})
    make("neutrinos classify", {"output": "neutrino_scores.h5"})
