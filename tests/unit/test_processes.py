"""Two processes of one training give the weights of one."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from prepared_jets import write_prepared_jets
from pronged_jets import tagging_clouds, write_tagging_jets
from safetensors.torch import load_file
from torch.testing import assert_close

pytestmark = pytest.mark.slow

EPIC = {"kind": "epic", "layers": 1, "hidden": 8, "latent": 4, "time_features": 4}
FLOW = {"kind": "flow", "transforms": 1, "bins": 3, "hidden": [8]}
# Dropout draws other numbers in each process.
TRANSFORMER = {"kind": "transformer", "layers": 1, "heads": 2, "width": 4, "feed_forward": 4, "hidden": [4]}
TRAININGS: Mapping[str, dict[str, Any]] = {
    "train": {"network": EPIC, "objective": {"kind": "flow_matching"}, "conditions": ["jet_mass"]},
    "train-jet-flow": FLOW,
    "train-tagger": {"network": {**TRANSFORMER, "towers": 16, "dropout": 0.0}},
}


def train(name: str, folder: Path, source: Path, devices: int) -> dict:
    loop = {"steps": 6, "batch_size": 16, "validate_every": 3, "save_every": 3, "devices": devices}
    settings = {**TRAININGS[name], "training": {**loop, "accelerator": "cpu"}}
    outputs = [f"--{name}={folder / f'{name}{devices}'}" for name in ("weights", "description", "history", "state")]
    command = [sys.executable, "-m", "cloudchamber", name, str(source), "--settings", json.dumps(settings)]
    done = subprocess.run([*command, "--seed", "3", *outputs], check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("6/6") == 1, "one process reports, the others are silent"
    return load_file(folder / f"weights{devices}")


@pytest.mark.parametrize("name", TRAININGS)
def test_two_processes_give_the_weights_and_losses_of_one(tmp_path: Path, name: str) -> None:
    source = tmp_path / "source.h5"
    if name == "train-tagger":
        write_tagging_jets(source, tagging_clouds())
    else:
        write_prepared_jets(source)
    one, two = (train(name, tmp_path, source, devices) for devices in (1, 2))
    assert_close(one, two, rtol=1e-4, atol=1e-6)
    histories = [
        [[float(value) for value in line.split(",")] for line in (tmp_path / name).read_text().splitlines()[1:]]
        for name in ("history1", "history2")
    ]
    assert histories[0] == [pytest.approx(row, rel=1e-4) for row in histories[1]]
