"""Snakemake on the cluster of the tests, through the profile of the project."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import final

import pytest
import yaml
from local_cluster import ACCOUNT, NODES

__all__ = ["Driver"]

PROFILE = Path(__file__).parents[2] / "profiles/slurm"


@final
class Driver:
    """Snakemake in one folder, with the profile of the project and quicker checks.

    Args:
        folder: where it runs.
        options: what the command has in any case.
    """

    def __init__(self, folder: Path, options: Sequence[str]) -> None:
        self.folder = folder
        self._partitions = _partitions_file(folder)
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What the last Snakemake has printed so far."""
        return (self.folder / "snakemake.out").read_text(encoding="utf-8", errors="replace")

    def start(self, *options: str) -> None:
        # Shells let what they start in the background ignore SIGINT.
        interruptible = ["env", "--default-signal=INT", sys.executable, "-m", "snakemake"]
        quick = ["--slurm-safe-init-seconds-before-status-checks", "2", "--latency-wait", "10"]
        command = [*interruptible, "--workflow-profile", str(PROFILE), *self._options, *options, *quick]
        environment = os.environ | {"SNAKEMAKE_SLURM_PARTITIONS": str(self._partitions), "SBATCH_ACCOUNT": ACCOUNT}
        with (self.folder / "snakemake.out").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill Snakemake where it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def finish(self, seconds: float = 900.0) -> int:
        """Wait for the end and return the exit status; a Snakemake that hangs is killed and fails the test."""
        assert self._process is not None
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"Snakemake did not end within {seconds} s:\n{self.log[-4000:]}")
        self._process = None
        return status

    def wait_for(self, what: str, holds: Callable[[], bool], seconds: float = 600.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert self._process is None or self._process.poll() is None, f"ended before {what}:\n{self.log[-4000:]}"
            assert time.monotonic() < deadline, f"timed out waiting for {what}:\n{self.log[-4000:]}"
            time.sleep(0.2)

    def attempts(self, fault: str) -> list[str]:
        """Return one line for each attempt of a job of Snakefile: name, node, GPUs."""
        path = self.folder / "attempts" / fault
        return path.read_text().splitlines() if path.exists() else []


def _partitions_file(folder: Path) -> Path:
    """Write the site's file: which partition has GPUs."""
    limits = {
        partition: {"max_runtime": 10000} | ({"max_gpu": gpus} if gpus else {}) for partition, gpus in NODES.values()
    }
    path = folder / "partitions.yaml"
    path.write_text(yaml.safe_dump({"partitions": limits}))
    return path
