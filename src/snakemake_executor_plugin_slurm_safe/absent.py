"""The executor where the stock plugin is not installed: Snakemake starts, and says what to install where it is asked
for SLURM."""

from dataclasses import dataclass, field
from typing import Any, NoReturn, final

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

__all__ = ["Executor", "ExecutorSettings", "common_settings"]

# Snakemake wants some of each.
_HELP = "of the stock plugin, which is not installed"

common_settings = CommonSettings(non_local_exec=True, implies_no_shared_fs=False, job_deploy_sources=False)


@final
@dataclass
class ExecutorSettings(ExecutorSettingsBase):  # type: ignore[misc]  # the interface has no annotations
    """What profiles/slurm sets, so that it is read to its end."""

    no_requeue: bool = field(default=False, metadata={"help": _HELP})
    init_seconds_before_status_checks: int = field(default=40, metadata={"help": _HELP})
    delete_logfiles_older_than: int = field(default=10, metadata={"help": _HELP})


@final
class Executor(RemoteExecutor):  # type: ignore[misc]  # the interface has no annotations
    """Refuses to submit anything."""

    def __new__(cls, *_: Any, **__: Any) -> NoReturn:
        raise WorkflowError(
            "slurm-safe needs the package 'snakemake-executor-plugin-slurm': pip install 'cloudchamber[slurm]'"
        )
