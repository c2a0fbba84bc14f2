"""Commands of the study of neutron stars that write, for the tests of faults, and what they read."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stage import OUTPUT, TABLE, TRAINED, Stage, training_settings

_NOISE = {"mass": 0.1, "radius": 0.5}
_STARS = {"numbers": [1, 3], "noise": [_NOISE], "reference": {"stars": 3, "noise": _NOISE}}
_CURVES = {"train": 30, "validation": 4, "test": 6, "grid": [6, 4], "points": 16, "steps": 24}
_NETWORK = {"kind": "deep_set", "star": [8], "hidden": [8], "components": 2}
_MEASUREMENT = {"stars": _STARS, "evaluation": {"bootstraps": 5}}


def _json(value: Any) -> str:
    return json.dumps(value)


def _training(steps: int, **changes: Any) -> Stage:
    settings = {"network": _NETWORK, "stars": _STARS, "training": training_settings(steps, **changes)}

    def arguments(inputs: Path) -> list[str | Path]:
        return [inputs / "star_curves.h5", "--settings", _json(settings), "--seed", "3", "--state", "{work}/state"]

    return Stage("neutron_stars train", TRAINED, arguments, "weights")


def _estimate(inputs: Path) -> list[str | Path]:
    model = [inputs / "star_model.safetensors", inputs / "star_model.json"]
    return [inputs / "star_sets.h5", inputs / "star_grid.h5", "--model", *model]


def _evaluate(inputs: Path) -> list[str | Path]:
    estimates = [
        {"name": name, "seed": 1, "path": str(inputs / f"star_{name}.h5")} for name in ("constant", "ridge", "exact")
    ]
    files = {"sets": str(inputs / "star_sets.h5"), "estimates": estimates}
    return ["--files", _json(files), "--settings", _json(_MEASUREMENT), "--seed", "3"]


STAGES = (
    Stage(
        "neutron_stars solve",
        {"curves": ".h5", "grid": ".h5"},
        lambda inputs: ["--settings", _json(_CURVES), "--seed", "3"],
        "clouds",
    ),
    Stage(
        "neutron_stars observe",
        OUTPUT,
        lambda inputs: [inputs / "star_curves.h5", "--settings", _json(_STARS), "--seed", "3"],
        "clouds",
    ),
    _training(20),
    Stage(
        "neutron_stars references",
        {"constant": ".h5", "ridge": ".h5", "exact": ".h5", "case": ".h5"},
        lambda inputs: [
            *(inputs / f"star_{name}.h5" for name in ("curves", "sets", "grid")),
            "--settings",
            _json(_MEASUREMENT),
        ],
        "observables",
    ),
    Stage("neutron_stars estimate", {"output": ".h5", "case": ".h5"}, _estimate, "observables"),
    Stage("neutron_stars evaluate", TABLE, _evaluate, "rows"),
)
TRAININGS: Mapping[str, Callable[..., Stage]] = {"neutron_stars train": _training}


def make_inputs(make: Callable[[str, Mapping[str, str]], None], folder: Path) -> None:
    """Make what these commands read, by themselves."""
    make("neutron_stars solve", {"curves": "star_curves.h5", "grid": "star_grid.h5"})
    make("neutron_stars observe", {"output": "star_sets.h5"})
    make("neutron_stars train", {"weights": "star_model.safetensors", "description": "star_model.json"})
    make(
        "neutron_stars references",
        {name: f"star_{name}.h5" for name in ("constant", "ridge", "exact")},
    )
