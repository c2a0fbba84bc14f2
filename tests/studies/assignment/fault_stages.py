"""Commands of the assignment study that write, for the tests of faults."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from assignment_files import TRAINING, save_untrained, write_collected
from stage import OUTPUT, TABLE, TRAINED, Stage, training_settings


def make_inputs(make: Callable[[str, Mapping[str, str]], None], folder: Path) -> None:
    """Write what the stages read: events, a network, what both make of the events."""
    from cloudchamber.studies.assignment.assign import assign_events
    from cloudchamber.studies.assignment.settings import ChiSquareSettings

    write_collected(_events(folder))
    save_untrained(folder)
    assign_events(_events(folder), json.loads(_assigned(folder)), ChiSquareSettings(), 1, _assignments(folder))


def _events(inputs: Path) -> Path:
    return inputs / "assignment_events.h5"


def _assignments(inputs: Path) -> Path:
    return inputs / "assignments.h5"


def _network(inputs: Path) -> dict[str, str]:
    return {"weights": str(inputs / "network1.safetensors"), "description": str(inputs / "network1.json")}


def _assigned(inputs: Path) -> str:
    kind = {"name": "spatter", "seed": 1, "trained_on": "own", "training_events": None, "part": "all"}
    return json.dumps({"part": "all", "models": [kind | _network(inputs)]})


def _training(steps: int, **changes: Any) -> Stage:
    settings = {"network": TRAINING["network"], "training": training_settings(steps, **changes)}

    def arguments(inputs: Path) -> list[str | Path]:
        options = ["--settings", json.dumps(settings), "--seed", "3", "--state", "{work}/state", "--part", "all"]
        return [_events(inputs), *options]

    return Stage("assignment train", TRAINED, arguments, "weights")


def _cost(inputs: Path) -> list[str | Path]:
    models = json.dumps({"models": [{"name": "spatter"} | _network(inputs)]})
    return [_events(inputs), "--files", models, "--settings", json.dumps({"batch_sizes": [2], "rounds": 1})]


def _judged(inputs: Path) -> list[str | Path]:
    sample = {"name": "own", "events": str(_events(inputs)), "assignments": str(_assignments(inputs))}
    files = {"samples": [sample], "background": None, "cost": None}
    return ["--files", json.dumps(files), "--settings", "{}", "--seed", "3"]


STAGES = (
    Stage("assignment collect", OUTPUT, lambda inputs: [_events(inputs), "--settings", "{}", "--seed", "3"], "events"),
    _training(20),
    Stage(
        "assignment assign",
        OUTPUT,
        lambda inputs: [_events(inputs), "--files", _assigned(inputs), "--settings", "{}"],
        "assignments",
    ),
    Stage("assignment measure-cost", TABLE, _cost, "rows"),
    Stage(
        "assignment evaluate",
        dict.fromkeys(("metrics", "significance", "masses", "calibration"), ".csv"),
        _judged,
        "rows",
    ),
    Stage(
        "assignment export",
        {"output": ".onnx"},
        lambda inputs: ["--model", *_network(inputs).values(), "--jets", "7"],
        "ONNX",
    ),
)
TRAININGS: Mapping[str, Callable[..., Stage]] = {"assignment train": _training}
