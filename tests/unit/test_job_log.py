"""The log of a job opens with its command; what a person types is not repeated to them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from project_copy import REPOSITORY

from cloudchamber.cli import main
from cloudchamber.pipeline.training import Launch
from cloudchamber.settings.training import TrainingSettings

WISH = "CLOUDCHAMBER_LOGS_COMMAND"
COUNT = ["gating", "count", "--settings", '{"inputs": 3, "trials": 20}', "--threads", "1"]
COUNT += ["--counts", "the counts.csv", "--metrics", "metrics.csv"]


def test_pasted_into_a_shell_without_the_environment_it_makes_the_same_files(tmp_path: Path) -> None:
    job, shell = tmp_path / "job", tmp_path / "shell"
    for folder in (job, shell):
        folder.mkdir()
    environment = os.environ | {WISH: "yes", "PYTHONPATH": f"{REPOSITORY}/src"}
    command = [sys.executable, "-m", "cloudchamber", *COUNT]
    done = subprocess.run(command, cwd=job, env=environment, capture_output=True, text=True, check=True)
    first = done.stderr.splitlines()[0]
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    again = subprocess.run(["bash", "-c", first], cwd=shell, env=bare, capture_output=True, text=True, check=True)
    assert not again.stderr
    for name in ("the counts.csv", "metrics.csv"):
        assert (shell / name).read_bytes() == (job / name).read_bytes()


def test_an_error_comes_after_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(WISH, "yes")
    assert main(["inspect", "absent.h5"]) == 3
    command, error = capsys.readouterr().err.splitlines()
    assert command.endswith(f"{sys.executable} -m cloudchamber inspect absent.h5")
    assert error.startswith("cloudchamber inspect: absent.h5")
    # Processes that a command starts inherit its environment; so would the next command here.
    assert main(["inspect", "absent.h5"]) == 3
    assert capsys.readouterr().err.splitlines() == [error]


@pytest.mark.parametrize("variable", ["SLURM_PROCID", "LOCAL_RANK"])
def test_one_process_of_several_writes_it(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(WISH, "yes")
    monkeypatch.setenv(variable, "1")
    assert main(["inspect", "absent.h5"]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_training_on_several_nodes_is_started_by_srun_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    launch = Launch(TrainingSettings(steps=1, devices=4, nodes=2), threads=3)
    given = {"SLURM_STEP_NUM_NODES": "2", "SLURM_STEP_NUM_TASKS": "8", "SLURM_CPUS_PER_TASK": "3", "SLURM_PROCID": "0"}
    for name, value in {**given, WISH: "yes", "PYTHONPATH": "/a b/src"}.items():
        monkeypatch.setenv(name, value)
    main(["inspect", "absent.h5"])
    command = capsys.readouterr().err.splitlines()[0]
    assert command == f"PYTHONPATH='/a b/src' {launch.launcher}{sys.executable} -m cloudchamber inspect absent.h5"
