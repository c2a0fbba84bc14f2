"""What the SLURM executor makes of each answer, without a SLURM; tests/slurm has a real one."""

import asyncio
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_slurm_safe import executor as module
from snakemake_executor_plugin_slurm_safe.runs import end_abandoned_runs, recorded_run

LOGGER = logging.getLogger("test")


class Watch:
    """An executor without its Snakemake and its threads, and what it reports."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, requeue: bool = False) -> None:
        self.reports: list[tuple[str, str]] = []
        self.answers: list[dict[str, str] | None] = []
        self.commands: list[tuple[str, ...]] = []
        self.now = 0.0
        settings = SimpleNamespace(
            requeue=requeue, keep_successful_logs=False, status_command="sacct", init_seconds_before_status_checks=7
        )
        self.executor = object.__new__(module.Executor)
        self.executor.__dict__ |= {
            "workflow": SimpleNamespace(executor_settings=settings, scheduler=SimpleNamespace(_user_kill=None)),
            "logger": LOGGER,
            "run_uuid": "run",
            "_unknown_since": {},
            "_left_behind": False,
            "status_rate_limiter": asyncio.Lock(),
            "report_job_success": lambda job: self.reports.append(("success", job.external_jobid)),
            "report_job_error": lambda job, msg, aux_logs: self.reports.append((msg, job.external_jobid)),
        }

        async def query(command: str, logger: Any) -> tuple[dict[str, str] | None, float]:
            return self.answers.pop(0), 0.0

        monkeypatch.setattr(module, "query_job_status", query)
        monkeypatch.setattr(module, "_answer", lambda *command: self.commands.append(command) or True)
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)

    def check(self, answer: dict[str, str] | None, *ids: str) -> list[str]:
        """Return the jobs that go on after one answer."""
        self.answers.append(answer)
        jobs = [SimpleNamespace(external_jobid=number, aux={"slurm_logfile": Path("absent.log")}) for number in ids]

        async def going_on() -> list[str]:
            return [job.external_jobid async for job in self.executor.check_active_jobs(jobs)]

        return asyncio.run(going_on())


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("COMPLETED", "success"),
        ("CANCELLED by 0", "ended as CANCELLED"),
        ("CANCELLED+", "ended as CANCELLED"),
        ("FAILED", "ended as FAILED"),
        ("NODE_FAIL", "ended as NODE_FAIL"),
        ("OUT_OF_MEMORY", "ended as OUT_OF_MEMORY"),
        ("PREEMPTED", "ended as PREEMPTED"),
        ("TIMEOUT", "ended as TIMEOUT"),
    ],
)
def test_a_final_state_is_reported_once(state: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    assert watch.check({"1": state, "2": "RUNNING"}, "1", "2") == ["2"]
    ((reported, job),) = watch.reports
    assert job == "1"
    assert message in reported


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "REQUEUED"])
def test_other_states_go_on(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    assert watch.check({"1": state}, "1") == ["1"]
    assert not watch.reports


def test_jobs_are_kept_while_nobody_answers_and_the_interval_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    for hour in range(5):
        watch.now = 3600.0 * hour
        assert watch.check(None, "1", "2") == ["1", "2"]
        assert watch.executor.next_seconds_between_status_checks == 7
    assert watch.check({"1": "COMPLETED", "2": "RUNNING"}, "1", "2") == ["2"]


def test_sigterm_ends_the_wait_for_a_cluster_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    assert watch.check(None, "1") == ["1"]
    watch.executor.workflow.scheduler._user_kill = "graceful"
    assert watch.check({"1": "RUNNING"}, "1") == ["1"]
    assert watch.check(None, "1") == []
    assert "is left in the queue" in watch.reports[0][0]
    assert watch.executor._left_behind


def test_a_job_that_slurm_does_not_know_is_given_up_and_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    for watch.now in (0.0, 60.0, 119.0):
        assert watch.check({}, "1") == ["1"]
    watch.now = 121.0
    assert watch.check({}, "1") == []
    assert watch.commands == [("scancel", "1")]
    assert "is lost" in watch.reports[0][0]


def test_a_job_that_shows_up_late_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    for watch.now, answer in ((0.0, {}), (100.0, {"1": "RUNNING"}), (130.0, {}), (240.0, {})):
        assert watch.check(answer, "1") == ["1"]


@pytest.mark.parametrize("state", ["NODE_FAIL", "PREEMPTED"])
def test_where_slurm_requeues_it_has_some_time_to_do_so(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch, requeue=True)
    assert watch.check({"1": state}, "1") == ["1"]
    watch.now = 60.0
    assert watch.check({"1": "PENDING"}, "1") == ["1"]
    for watch.now in (100.0, 200.0):
        assert watch.check({"1": state}, "1") == ["1"]
    watch.now = 221.0
    assert watch.check({"1": state}, "1") == []


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands that write down how they were called; the queue is empty."""
    calls = tmp_path / "calls"
    for name in ("scancel", "squeue"):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f'#!/bin/sh\necho {name} "$@" >> {calls}\n')
        command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return calls


def write(record: Path, **change: Any) -> Path:
    content = {"host": socket.gethostname(), "pid": os.getpid(), "started": psutil.Process().create_time()} | change
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps(content))
    return record


def test_jobs_of_a_killed_run_are_cancelled(slurm: Path, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(process.pid).create_time()
    process.kill()
    process.communicate()
    record = write(tmp_path / "runs/dead.json", pid=process.pid, started=started)
    end_abandoned_runs(tmp_path / "runs", LOGGER)
    assert slurm.read_text() == "scancel --name dead\nsqueue --noheader --name dead\n"
    assert not record.exists()


def test_a_process_that_has_the_number_of_a_dead_one_is_another(slurm: Path, tmp_path: Path) -> None:
    record = write(tmp_path / "runs/dead.json", started=1.0)
    end_abandoned_runs(tmp_path / "runs", LOGGER)
    assert not record.exists()


def test_a_living_run_is_left_alone(slurm: Path, tmp_path: Path) -> None:
    record = recorded_run(tmp_path / "runs", "alive")
    end_abandoned_runs(tmp_path / "runs", LOGGER)
    assert record.exists()
    assert not slurm.exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"host": "elsewhere", "pid": 1, "started": 0}'])
def test_a_run_that_cannot_be_judged_is_named_with_what_to_do(content: str, slurm: Path, tmp_path: Path) -> None:
    record = write(tmp_path / "runs/other.json")
    record.write_text(content)
    with pytest.raises(WorkflowError, match=rf"scancel --name other; rm {record}"):
        end_abandoned_runs(tmp_path / "runs", LOGGER)
    assert not slurm.exists()


SNAKEFILE = """
rule all:
    output:
        "done.txt",
    resources:
        mem_mb=100,
        runtime=5,
    shell:
        "echo done > {output}"
"""


def snakemake(folder: Path, commands: str) -> subprocess.Popen[str]:
    """Start Snakemake with the executor where the commands of SLURM are what is said, or missing."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name in ("sh", "bash", "which", "cat", "uname"):
        (bin_folder / name).symlink_to(str(shutil.which(name)))
    for name in ("sbatch", "scontrol", "squeue", "scancel", "sacct", "sacctmgr", "sinfo") if commands else ():
        (bin_folder / name).write_text(commands)
        (bin_folder / name).chmod(0o755)
    (folder / "Snakefile").write_text(SNAKEFILE)
    options = ["--executor", "slurm-safe", "--jobs", "1"]
    return subprocess.Popen(
        [str(shutil.which("env")), "--default-signal=TERM", sys.executable, "-m", "snakemake", *options],
        cwd=folder,
        env=os.environ | {"PATH": str(bin_folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_without_slurm_the_missing_commands_are_named_at_once(tmp_path: Path) -> None:
    output, _ = (process := snakemake(tmp_path, "")).communicate(timeout=120)
    assert process.returncode != 0
    assert "no SLURM here: sbatch, scontrol, squeue, scancel not in PATH" in output
    assert "Traceback" not in output


def test_sigterm_ends_a_snakemake_whose_controller_cannot_be_reached(tmp_path: Path) -> None:
    process = snakemake(tmp_path, "#!/bin/sh\nexit 1\n")
    assert process.stdout is not None
    shown = ""
    for line in process.stdout:
        shown += line
        if "controller does not answer" in line:
            process.terminate()
            break
    output, _ = process.communicate(timeout=120)
    assert "was not submitted: Snakemake was told to end" in shown + output
    assert process.returncode != 0
    assert not (tmp_path / "done.txt").exists()
