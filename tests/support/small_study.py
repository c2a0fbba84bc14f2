"""A results folder of minute size, made through the real commands: clouds to samples and their observables."""

import json
from pathlib import Path

import numpy as np
from prepared_jets import raw_jets
from root_files import random_towers, write_delphes

from cloudchamber.cli import main
from cloudchamber.cloud_writer import write_clouds

__all__ = ["FOLDER", "SAMPLER", "SETTINGS", "build", "run"]

# Relative to the folder that the commands run in, as in the pipeline.
FOLDER = Path("results")
SETTINGS = {
    "network": {"kind": "epic", "layers": 1, "hidden": 8, "latent": 2, "time_features": 4},
    "objective": {"kind": "flow_matching"},
    "training": {"steps": 4, "batch_size": 16, "validate_every": 2, "save_every": 2, "accelerator": "cpu"},
}
SAMPLER = {"solver": "euler", "evaluations": 2}


def run(*arguments: str | Path) -> None:
    """Run a command that must succeed."""
    assert main([str(argument) for argument in arguments]) == 0


def build() -> None:
    """Make the study below the working directory."""
    rng = np.random.default_rng(3)
    raw, clouds, prepared = FOLDER / "raw/a.root", FOLDER / "clouds/a.h5", FOLDER / "prepared/a.h5"
    raw.parent.mkdir(parents=True)
    write_delphes(raw, {"Tower": random_towers(rng, 30)})
    ingestion = {"clouds": {"kind": "events"}, "max_particles": 8}
    run("ingest", raw, "--settings", json.dumps(ingestion), "--output", FOLDER / "clouds/events.h5")
    # The jets that models see are made up: they need no clustering.
    write_clouds(clouds, raw_jets(80, 6, rng))
    run("prepare", clouds, "--settings", "{}", "--seed", "1", "--output", prepared, "--split-output", _of("split"))
    run("observe", prepared, "--output", _of("observables"))
    for seed in (1, 2):
        folder = FOLDER / f"models/seed{seed}"
        outputs = [(name, folder / file) for name, file in _TRAINED.items()]
        train = ["train", prepared, "--settings", json.dumps(SETTINGS), "--seed", str(seed), "--state", "state"]
        run(*train, *(item for name, path in outputs for item in (f"--{name}", path)))
    jets = FOLDER / "jets.h5"
    run("draw-jets", prepared, "--jets", "10", "--seed", "1", "--output", jets)
    model = [FOLDER / "models/seed1/weights.safetensors", FOLDER / "models/seed1/model.json"]
    sampler = ["--settings", json.dumps(SAMPLER), "--seed", "1"]
    run("sample", jets, "--model", *model, *sampler, "--output", FOLDER / "sample.h5")


_TRAINED = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}


def _of(name: str) -> Path:
    return FOLDER / f"prepared/a_{name}.h5"
