"""Commands of the assignment study that write, for the tests of faults."""

import json
from pathlib import Path

from assignment_files import TRAINING, save_untrained, write_collected
from stage import OUTPUT, TABLE, TRAINED, Stage


def _events(inputs: Path) -> Path:
    path = inputs / "assignment_events.h5"
    return path if path.exists() else write_collected(path)


def _network(inputs: Path) -> dict[str, str]:
    files = {"weights": inputs / "network1.safetensors", "description": inputs / "network1.json"}
    there = all(path.exists() for path in files.values())
    return {name: str(path) for name, path in files.items()} if there else save_untrained(inputs)


def _assigned(inputs: Path) -> str:
    kind = {"name": "spatter", "seed": 1, "trained_on": "own", "training_events": None, "part": "all"}
    return json.dumps({"part": "all", "models": [kind | _network(inputs)]})


def _assignments(inputs: Path) -> Path:
    from cloudchamber.studies.assignment.assign import assign_events
    from cloudchamber.studies.assignment.settings import ChiSquareSettings

    path = inputs / "assignments.h5"
    if not path.exists():
        assign_events(_events(inputs), json.loads(_assigned(inputs)), ChiSquareSettings(), 1, path)
    return path


def _judged(inputs: Path) -> list[str | Path]:
    sample = {"name": "own", "events": str(_events(inputs)), "assignments": str(_assignments(inputs))}
    files = {"samples": [sample], "background": None, "cost": None}
    return ["--files", json.dumps(files), "--settings", "{}", "--seed", "3"]


def _model(inputs: Path) -> list[str | Path]:
    return ["--model", *_network(inputs).values()]


def _train(inputs: Path) -> list[str | Path]:
    options = ["--settings", json.dumps(TRAINING), "--seed", "3", "--state", "{work}/state", "--part", "all"]
    return [_events(inputs), *options]


STAGES = (
    Stage(
        "assignment collect",
        OUTPUT,
        lambda inputs: [_events(inputs), "--settings", "{}", "--seed", "3"],
        "events",
    ),
    Stage("assignment train", TRAINED, _train, "weights"),
    Stage(
        "assignment assign",
        OUTPUT,
        lambda inputs: [_events(inputs), "--files", _assigned(inputs), "--settings", "{}"],
        "assignments",
    ),
    Stage(
        "assignment measure-cost",
        TABLE,
        lambda inputs: [
            _events(inputs),
            "--files",
            json.dumps({"models": [{"name": "spatter"} | _network(inputs)]}),
            "--settings",
            json.dumps({"batch_sizes": [2], "rounds": 1}),
        ],
        "rows",
    ),
    Stage(
        "assignment evaluate",
        dict.fromkeys(("metrics", "significance", "masses", "calibration"), ".csv"),
        _judged,
        "rows",
    ),
    Stage("assignment export", {"output": ".onnx"}, lambda inputs: [*_model(inputs), "--jets", "7"], "ONNX"),
)
