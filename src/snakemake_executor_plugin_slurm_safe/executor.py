"""The executor: submission, watching and giving up of SLURM jobs."""

import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, final

from snakemake_executor_plugin_slurm import Executor as StockExecutor
from snakemake_executor_plugin_slurm.job_status_query import (
    query_job_status,
    query_job_status_sacct,
    query_job_status_squeue,
)
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from snakemake_executor_plugin_slurm_safe.runs import end_abandoned_runs, recorded_run

__all__ = ["Executor"]

_FAILED = {"BOOT_FAIL", "CANCELLED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "REVOKED", "TIMEOUT"}
# Where SLURM requeues by itself these last for a moment only.
_REQUEUED = {"NODE_FAIL", "PREEMPTED"}
# A job that slurmdbd has not heard of yet is not lost, nor is one whose controller comes back with an older state.
_LOST_AFTER = 120.0
_CONTROLLER_PAUSE = 5.0
_COMMANDS = ("sbatch", "scontrol", "squeue", "scancel")


@final
class Executor(StockExecutor):  # type: ignore[misc]  # the plugin has no annotations
    """Runs jobs through SLURM and waits through outages instead of forgetting jobs."""

    def __post_init__(self, test_mode: bool = False) -> None:
        missing = [name for name in _COMMANDS if shutil.which(name) is None]
        if missing:
            raise WorkflowError(
                f"no SLURM here: {', '.join(missing)} not in PATH. Jobs are submitted from a node that has them;"
                " without --workflow-profile profiles/slurm they run on this machine"
            )
        super().__post_init__(test_mode)
        self._stopping = threading.Event()
        self._unknown_since: dict[str, float] = {}
        self._left_behind = False
        end_abandoned_runs(Path(".snakemake/slurm_runs"), self.logger)
        self._run_record = recorded_run(Path(".snakemake/slurm_runs"), self.run_uuid)

    def shutdown(self) -> None:
        self._stopping.set()
        super().shutdown()
        # By the record the next run ends what this one had to leave in the queue.
        if not self._left_behind:
            self._run_record.unlink(missing_ok=True)

    def get_account_arg(self, job: JobExecutorInterface) -> Iterator[str]:
        """Yield the account as it is given: sbatch refuses a wrong one, and sacctmgr may not answer now."""
        account = job.resources.get("slurm_account")
        yield f" -A {shlex.quote(str(account))}" if account else ""

    def run_job(self, job: JobExecutorInterface) -> None:
        """Submit a job once the controller answers: sbatch would give up after seconds, and with it one attempt."""
        told = False
        while not self._controller_answers():
            if not told:
                self.logger.warning("The SLURM controller does not answer; submissions wait for it.")
                told = True
            if self._stopping.wait(_CONTROLLER_PAUSE):
                return
            if self._told_to_end():
                self._report_job_error_threadsafe(
                    SubmittedJobInfo(job), "was not submitted: Snakemake was told to end. "
                )
                return
        try:
            super().run_job(job)
        except Exception as error:
            # The stock error handling asks a group job for its rule; what it raises would vanish in the thread pool.
            self._report_job_error_threadsafe(SubmittedJobInfo(job), f"submission failed: {error}")

    async def check_active_jobs(self, active_jobs: list[SubmittedJobInfo]) -> AsyncIterator[SubmittedJobInfo]:
        """Report the jobs that have ended and yield the others, all of them where nobody answers."""
        settings = self.workflow.executor_settings
        self.next_seconds_between_status_checks = settings.init_seconds_before_status_checks
        if not active_jobs:
            return
        query = query_job_status_sacct if self.get_status_command() == "sacct" else query_job_status_squeue
        async with self.status_rate_limiter:
            states, _ = await query_job_status(query(self.run_uuid), self.logger)
        for job in active_jobs:
            if states is None and self._told_to_end():
                self._left_behind = True
                self._report_failure(job, "is left in the queue: nobody answers, and Snakemake was told to end")
            elif states is None or self._goes_on(job, states):
                yield job

    def _goes_on(self, job: SubmittedJobInfo, states: Mapping[str, str]) -> bool:
        """Return whether a job has not ended; report it where it has."""
        # sacct says who cancelled a job ("CANCELLED by 0") and marks what it had to cut short ("CANCELLED+").
        words = states.get(job.external_jobid, "").split()
        state = words[0].rstrip("+") if words else None
        if state is None or (state in _REQUEUED and self.workflow.executor_settings.requeue):
            return self._still_expected(job)
        self._unknown_since.pop(job.external_jobid, None)
        if state == "COMPLETED":
            if not self.workflow.executor_settings.keep_successful_logs:
                job.aux["slurm_logfile"].unlink(missing_ok=True)
            self.report_job_success(job)
            return False
        if state in _FAILED or state == "PREEMPTED":
            self._report_failure(job, f"ended as {state}")
            return False
        return True

    def _still_expected(self, job: SubmittedJobInfo) -> bool:
        """Return whether a job without a state may still get one; after a while count it as lost."""
        since = self._unknown_since.setdefault(job.external_jobid, time.monotonic())
        if time.monotonic() - since < _LOST_AFTER:
            return True
        # Should it live after all, it must not run beside its successor.
        _answer("scancel", job.external_jobid)
        self._report_failure(job, f"is lost: for {_LOST_AFTER:.0f} s SLURM has known nothing of it")
        return False

    def _report_failure(self, job: SubmittedJobInfo, reason: str) -> None:
        self._unknown_since.pop(job.external_jobid, None)
        log = str(job.aux["slurm_logfile"])
        self.report_job_error(job, msg=f"SLURM job {job.external_jobid} {reason}. ", aux_logs=[log])

    def _told_to_end(self) -> bool:
        """Return whether SIGTERM has arrived: Snakemake starts nothing more then, and waits for what is submitted."""
        return getattr(self.workflow.scheduler, "_user_kill", None) is not None

    def _controller_answers(self) -> bool:
        return _answer("scontrol", "ping")


def _answer(*command: Any) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0
    except subprocess.TimeoutExpired:
        return False
