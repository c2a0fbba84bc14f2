"""The commands of the tagging study that write, on inputs of some kilobytes."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from labelled_files import random_jets, write_top_tagging
from pronged_jets import tagging_clouds, write_tagging_jets
from stage import OUTPUT, TABLE, TRAINED, Stage, training_settings
from tagging_files import ingested_jets

from cloudchamber.cloud_writer import write_clouds

__all__ = ["TAGGING_STAGES", "make_tagging_inputs", "train_tagger"]

_NETWORK = {"kind": "transformer", "layers": 1, "heads": 2, "width": 4, "feed_forward": 4, "hidden": [4], "towers": 16}


def train_tagger(steps: int, **changes: Any) -> Stage:
    """Return the training of a tagger."""
    settings = json.dumps({"network": _NETWORK, "training": training_settings(steps, **changes)})

    def arguments(inputs: Path) -> list[str | Path]:
        return [inputs / "pronged.h5", "--settings", settings, "--seed", "3", "--state", "{work}/state"]

    return Stage("train-tagger", TRAINED, arguments, "weights")


def _tagger(inputs: Path) -> dict[str, str]:
    return {"weights": str(inputs / "tagger.safetensors"), "description": str(inputs / "tagger.json")}


def _model(inputs: Path) -> list[str | Path]:
    return ["--model", *_tagger(inputs).values()]


def _classes(inputs: Path) -> list[str | Path]:
    classes = [{"name": name, "title": name, "file": str(inputs / f"class{name}.h5")} for name in ("1", "2")]
    return ["--settings", json.dumps({"classes": classes, "flat": False, "max_particles": 12}), "--seed", "3"]


def _cost(inputs: Path) -> list[str | Path]:
    settings = {"batch_size": 4, "rounds": 1}
    models = json.dumps({"transformer": _tagger(inputs)})
    return [inputs / "pronged.h5", "--models", models, "--settings", json.dumps(settings)]


def _evaluate(inputs: Path) -> list[str | Path]:
    scores = [{"name": name, "seed": 1, "path": str(inputs / "scores.h5"), "jets_per_class": None} for name in "ab"]
    files = {"study": "tagging", "dataset": "all", "scores": scores}
    settings = {"bootstraps": 3, "mass_bins": 1, "pt_bins": 1}
    options = ["--files", json.dumps(files), "--settings", json.dumps(settings), "--seed", "3"]
    return [inputs / "pronged.h5", *options]


def _labelled(inputs: Path) -> list[str | Path]:
    settings = json.dumps({"max_particles": 8, "eta_max": 50.0})
    return [inputs / "labelled.h5", "--layout", "top_tagging", "--settings", settings]


TAGGING_STAGES = (
    Stage("read-jets", OUTPUT, _labelled, "clouds"),
    Stage("combine-classes", OUTPUT, _classes, "clouds"),
    Stage("high-level", OUTPUT, lambda inputs: [inputs / "few_pronged.h5", "--settings", "{}"], "observables"),
    Stage("predict-classes", OUTPUT, lambda inputs: [inputs / "pronged.h5", *_model(inputs)], "observables"),
    Stage("tagger-cost", TABLE, _cost, "rows"),
    Stage(
        "evaluate-taggers",
        dict.fromkeys(("metrics", "confusion", "curves", "significance"), ".csv"),
        _evaluate,
        "table",
    ),
    Stage("export-tagger", {"output": ".onnx"}, _model, "ONNX"),
)


def make_tagging_inputs(make: Callable[[str, Mapping[str, str]], None], folder: Path) -> None:
    """Write what these stages read into ``folder``; ``make`` runs a stage and names its outputs."""
    for name in ("1", "2"):
        write_clouds(folder / f"class{name}.h5", ingested_jets(np.random.default_rng(7), 60))
    write_top_tagging(folder / "labelled.h5", random_jets(np.random.default_rng(8), 20, 12), [0, 1] * 10)
    write_tagging_jets(folder / "pronged.h5", tagging_clouds())
    write_tagging_jets(folder / "few_pronged.h5", tagging_clouds(jets=12, width=20, fewest=10))
    make("train-tagger", {option: f"tagger{suffix}" for option, suffix in TRAINED.items() if option != "history"})
    make("predict-classes", {"output": "scores.h5"})
