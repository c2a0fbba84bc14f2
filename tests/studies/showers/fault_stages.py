"""Commands of the study of showers that write, for the tests of faults, and what they read."""

import json
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from stage import OUTPUT, TABLE, TRAINED, Stage, training_settings

_GUN = {"species": ["photon", "pi_plus"], "energy": [1, 1.5], "showers": 160}
_SOURCE = {"kind": "parametrised", "gun": _GUN}
_INGESTION = {"train": 0.4, "validation": 0.1}
_NETWORK = {"kind": "allshowers", "width": 4, "heads": 1, "layers": 1, "feed_forward": 4, "counts_hidden": 4}
_SAMPLER = {"solver": "midpoint", "evaluations": 2}
_STACK = ["--geometry", "ild_like"]


def _json(value: Any) -> str:
    return json.dumps(value)


def _training(
    name: str, settings: dict[str, Any], more: Callable[[Path], list[str | Path]] = lambda inputs: []
) -> Callable[..., Stage]:
    def stage(steps: int, **changes: Any) -> Stage:
        chosen = _json({**settings, "training": training_settings(steps, **changes)})

        def arguments(inputs: Path) -> list[str | Path]:
            return [
                *(inputs / "showers.h5", "--settings", chosen, "--seed", "3", "--state", "{work}/state"),
                *more(inputs),
            ]

        return Stage(f"showers {name}", TRAINED, arguments, "weights")

    return stage


def _model(inputs: Path, name: str) -> dict[str, str]:
    return {"weights": str(inputs / f"{name}.safetensors"), "description": str(inputs / f"{name}.json")}


def _files(inputs: Path, **more: Any) -> str:
    models = [{"species": [], **_model(inputs, "shower_points"), **more}]
    return _json({"models": models, "counts": _model(inputs, "shower_counts")})


def _timed(inputs: Path) -> str:
    files = json.loads(_files(inputs, name="a", sampler="midpoint", settings=_SAMPLER))
    return _json({**files, "geant4": []})


def _judged(inputs: Path, **more: str) -> str:
    sample = {"name": "marginals", "sampler": "none", "seed": 1, "path": str(inputs / "shower_marginals.h5")}
    return _json({"showers": str(inputs / "showers.h5"), "samples": [sample], **more})


def _judge(inputs: Path) -> list[str | Path]:
    settings = {"features": {"hidden": [4], "training": training_settings(4)}}
    return ["--files", _judged(inputs), "--settings", _json(settings), "--seed", "3", "--state", "{work}/state"]


def _read(inputs: Path) -> list[str | Path]:
    source = {"kind": "files", "layout": "calo_clouds", "title": "made up", "files": ["a"], "pdg": 22}
    return [
        *(inputs / "calo_clouds.h5", "--source", _json(source), "--settings", _json(_INGESTION)),
        *(*_STACK, "--seed", "3"),
    ]


TRAININGS = {
    "showers train": _training("train", {"network": _NETWORK}),
    "showers train-counts": _training("train-counts", {"hidden": [8], "evaluations": 2}),
    "showers train-map": _training(
        "train-map",
        {"segments": 2, "trajectories": 10, "teacher_sampler": {"solver": "midpoint", "evaluations": 4}},
        lambda inputs: ["--teacher", *_model(inputs, "shower_points").values()],
    ),
}

STAGES = (
    Stage(
        "showers simulate",
        {"output": ".root"},
        lambda inputs: ["--settings", _json(_SOURCE), *_STACK, "--seed", "3"],
        "ROOT of showers",
    ),
    Stage(
        "showers ingest",
        OUTPUT,
        lambda inputs: [inputs / "showers.root", "--settings", _json(_INGESTION), *_STACK, "--seed", "3"],
        "packed clouds",
    ),
    Stage("showers read", OUTPUT, _read, "packed clouds"),
    *(trained(20) for trained in TRAININGS.values()),
    Stage(
        "showers sample",
        OUTPUT,
        lambda inputs: [
            *(inputs / "showers.h5", "--files", _files(inputs), "--settings", _json(_SAMPLER), "--seed", "3")
        ],
        "packed clouds",
    ),
    Stage("showers sample-marginals", OUTPUT, lambda inputs: [inputs / "showers.h5", "--seed", "3"], "packed clouds"),
    Stage(
        "showers sample-parametrised",
        OUTPUT,
        lambda inputs: [inputs / "showers.h5", "--settings", _json(_INGESTION), "--seed", "3"],
        "packed clouds",
    ),
    Stage("showers judge", TABLE, _judge, "rows"),
    Stage(
        "showers evaluate",
        {"metrics": ".csv", "profiles": ".csv", "spectra": ".csv"},
        lambda inputs: [
            *("--files", _judged(inputs, judgements=str(inputs / "shower_judgements.csv"))),
            *("--settings", _json({"bootstraps": 2, "bins": 4}), "--seed", "3"),
        ],
        "rows",
    ),
    Stage(
        "showers measure-time",
        TABLE,
        lambda inputs: [
            *(inputs / "showers.h5", "--files", _timed(inputs)),
            *("--settings", _json({"showers": 1, "rounds": 1})),
        ],
        "rows",
    ),
    Stage("showers write", OUTPUT, lambda inputs: [inputs / "showers.h5", "--layout", "showerdata"], "packed clouds"),
)


# Where the extra is not installed they end in the line that names it, which has a test of its own.
HAS_GEANT4 = find_spec("geant4_pybind") is not None
if HAS_GEANT4:
    _GEANT4 = {"kind": "geant4", "gun": {"species": ["photon"], "energy": [0.1, 0.2], "showers": 3}}
    STAGES += (
        Stage("showers geant4-tables", {"output": ".json"}, lambda inputs: _STACK, "text"),
        Stage(
            "showers simulate-geant4",
            {"output": ".root", "times": ".csv"},
            lambda inputs: [
                *("--settings", _json(_GEANT4), *_STACK, "--tables", inputs / "geant4_tables.json", "--seed", "3")
            ],
            "ROOT of showers",
        ),
    )


def make_inputs(make: Callable[[str, Mapping[str, str]], None], folder: Path) -> None:
    """Make what these commands read, by themselves."""
    rng = np.random.default_rng(2)
    with h5py.File(folder / "calo_clouds.h5", "w") as file:
        layers = np.sort(rng.integers(0, 30, (40, 6)), axis=1)
        file["events"] = np.stack(
            [rng.normal(0, 10, (40, 6)), layers, rng.normal(0, 10, (40, 6)), np.ones((40, 6))], axis=1
        )
        file["energy"] = np.full(40, 5.0)
    if HAS_GEANT4:
        make("showers geant4-tables", {"output": "geant4_tables.json"})
    make("showers simulate", {"output": "showers.root"})
    make("showers ingest", {"output": "showers.h5"})
    for name, target in (("train", "shower_points"), ("train-counts", "shower_counts")):
        make(f"showers {name}", {"weights": f"{target}.safetensors", "description": f"{target}.json"})
    make("showers sample-marginals", {"output": "shower_marginals.h5"})
    make("showers judge", {"output": "shower_judgements.csv"})
