"""Records of the runs of one folder, so that a killed Snakemake leaves no jobs that write beside those of the next."""

import json
import socket
import subprocess
import time
from pathlib import Path

import psutil
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.logging import LoggerExecutorInterface

__all__ = ["end_abandoned_runs", "recorded_run"]

_END_WITHIN = 300.0


def recorded_run(folder: Path, run: str) -> Path:
    """Write down which process drives a run, and return the file; it is removed when the run ends in order.

    Args:
        folder: where the records of a working folder lie.
        run: the name that all SLURM jobs of the run have.
    """
    folder.mkdir(parents=True, exist_ok=True)
    process = psutil.Process()
    record = folder / f"{run}.json"
    content = {"host": socket.gethostname(), "pid": process.pid, "started": process.create_time()}
    record.write_text(json.dumps(content), encoding="utf-8")
    return record


def end_abandoned_runs(folder: Path, logger: LoggerExecutorInterface) -> None:
    """Cancel the jobs of runs whose Snakemake has died, and wait until they are gone.

    A run that still lives on this host is left alone: two runs with different targets may share a folder.

    Raises:
        WorkflowError: a run was started on another host, or its jobs cannot be ended.
    """
    for record in sorted(folder.glob("*.json")):
        run = record.stem
        by_hand = f"make sure that it has ended, then: scancel --name {run}; rm {record}"
        try:
            content = json.loads(record.read_text(encoding="utf-8"))
            host, pid, started = content["host"], content["pid"], content["started"]
        except FileNotFoundError:
            continue  # the run ended just now
        except (ValueError, KeyError, TypeError):
            raise WorkflowError(f"{record}: the record of an earlier run is damaged; {by_hand}") from None
        if host != socket.gethostname():
            message = f"SLURM run {run} was started in this folder on {host}, process {pid}, and has not ended in order"
            raise WorkflowError(f"{message}; {by_hand}")
        if _lives(pid, started):
            continue
        logger.warning(f"SLURM run {run} was killed; its remaining jobs are cancelled.")
        _end_jobs(run, by_hand)
        record.unlink(missing_ok=True)


def _lives(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end_jobs(run: str, by_hand: str) -> None:
    deadline = time.monotonic() + _END_WITHIN
    try:
        _slurm("scancel", "--name", run)
        while _slurm("squeue", "--noheader", "--name", run):
            if time.monotonic() > deadline:
                raise WorkflowError(f"the jobs of SLURM run {run} do not end; {by_hand}")
            time.sleep(1)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise WorkflowError(f"the jobs of SLURM run {run} cannot be ended: {error}; {by_hand}") from None


def _slurm(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
