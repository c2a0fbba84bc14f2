"""The pipeline on three nodes: a GPU request, a training over two nodes, grouped drawings."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from driver import Driver
from local_cluster import LocalCluster
from project_copy import copy_project
from safetensors.torch import load_file
from torch.testing import assert_close

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.timeout(1800)]

KEPT = ("epic_fm", "marginals")


def overlay(folder: Path) -> dict[str, Any]:
    """Return what leaves of configs/tiny.yaml the baseline and one model, trained by a process on each of two nodes."""
    layers = [
        yaml.safe_load((folder / f"configs/jet_generation/{name}.yaml").read_text()) for name in ("default", "tiny")
    ]
    others = {model for layer in layers for model in layer["jet_generation"]["models"] if model not in KEPT}
    training = {"steps": 6, "nodes": 2, "accelerator": "cpu"}
    models = {"epic_fm": {"training": training}, **dict.fromkeys(others)}
    study = {"models": models, "solver_scan": None, "sampling_time": None}
    return {
        "results": "results_slurm",
        "studies": ["jet_generation"],
        "processes": {"qcd": None},
        "detector_response": None,
        "jet_generation": study,
    }


def submitted(driver: Driver) -> dict[str, str]:
    """Return the resources and the state of the SLURM jobs of a finished run, by rule."""
    run = re.search(r"SLURM run ID: (\S+)", driver.log)
    assert run is not None
    query = ["sacct", "-X", "--parsable2", "--noheader", f"--name={run[1]}", "--format=Comment,AllocTRES,State"]
    rows = subprocess.run(query, check=True, capture_output=True, text=True).stdout.splitlines()
    return {row.split("|")[0].split("_wildcards")[0]: row for row in rows}


def test_the_tiny_pipeline_on_three_nodes(tmp_path: Path, cluster: LocalCluster) -> None:
    folder = copy_project(tmp_path / "analysis")
    (folder / "slurm.yaml").write_text(yaml.safe_dump(overlay(folder)))
    driver = Driver(folder, ["--configfile", "configs/tiny.yaml", "slurm.yaml"])
    driver.start("--retries", "0", "--set-resources", "sample:gpu=1")
    assert driver.finish(1700) == 0, driver.log[-6000:]

    table = pd.read_csv(folder / "results_slurm/jet_generation/metrics.csv")
    assert set(table["model"]) == {*KEPT, "jet_flow"}
    jobs = submitted(driver)
    assert all(row.endswith("|COMPLETED") for row in jobs.values()), jobs
    assert "gres/gpu=1" in jobs["rule_sample"]
    assert "node=2" in jobs["rule_train"]
    logs = re.findall(r"\(log: .*/slurm_logs/(\w+?)_", driver.log)
    drawn = list((folder / "results_slurm").glob("**/figures/*.png"))
    assert logs.count("group") < len(drawn) / 2
    assert not re.search(r"rule_(draw|tabulate)_(?!jets)", " ".join(jobs))

    # Two nodes give the weights of one process, to rounding.
    made = folder / "results_slurm/jet_generation/top/models/epic_fm/seed1"
    settings = json.loads((made / "model.json").read_text())["settings"]
    settings["training"]["nodes"] = 1
    outputs = [f"--{name}={tmp_path / name}" for name in ("weights", "description", "history", "state")]
    source = folder / "results_slurm/prepared/top.h5"
    command = [sys.executable, "-m", "cloudchamber", "train", str(source), "--settings", json.dumps(settings)]
    subprocess.run([*command, "--seed", "1", *outputs], check=True, cwd=folder, capture_output=True)
    assert_close(load_file(made / "weights.safetensors"), load_file(tmp_path / "weights"), rtol=1e-4, atol=1e-6)
