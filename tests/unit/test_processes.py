"""Two processes of one training give the weights of one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from prepared_jets import write_prepared_jets
from safetensors.torch import load_file
from torch.testing import assert_close

pytestmark = pytest.mark.slow


def train(folder: Path, source: Path, devices: int) -> dict:
    settings = {
        "network": {"kind": "epic", "layers": 1, "hidden": 8, "latent": 4, "time_features": 4},
        "objective": {"kind": "flow_matching"},
        "conditions": ["jet_mass"],
        "training": {"steps": 6, "batch_size": 16, "validate_every": 3, "save_every": 3, "devices": devices},
    }
    settings["training"]["accelerator"] = "cpu"
    outputs = [f"--{name}={folder / f'{name}{devices}'}" for name in ("weights", "description", "history", "state")]
    command = [sys.executable, "-m", "cloudchamber", "train", str(source), "--settings", json.dumps(settings)]
    done = subprocess.run([*command, "--seed", "3", *outputs], check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("6/6") == 1, "one process reports, the others are silent"
    return load_file(folder / f"weights{devices}")


def test_two_processes_give_the_weights_and_losses_of_one(tmp_path: Path) -> None:
    source = tmp_path / "prepared.h5"
    write_prepared_jets(source)
    one, two = (train(tmp_path, source, devices) for devices in (1, 2))
    assert_close(one, two, rtol=1e-4, atol=1e-6)
    histories = [
        [[float(value) for value in line.split(",")] for line in (tmp_path / name).read_text().splitlines()[1:]]
        for name in ("history1", "history2")
    ]
    assert histories[0] == [pytest.approx(row, rel=1e-4) for row in histories[1]]
