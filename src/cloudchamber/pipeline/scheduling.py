"""What Snakemake's scheduler is spared, and what it starts with."""

from collections.abc import Iterable
from typing import Any

__all__ = ["first", "unlimited"]

# Jobs and seconds.
_DEFAULT_LIMIT = (100, 1)


def unlimited(scheduler: Any) -> None:
    """Take Snakemake's default limit of jobs per second from its scheduler; another limit was asked for and stays.

    With a limit the scheduler looks at all waiting jobs again one second after each look, and for each job that has
    ended it begins another such chain (Snakemake 9.27). A run of 140 jobs spends a quarter of a core on that.
    """
    limiter = getattr(scheduler, "job_rate_limiter", None)
    if limiter is not None and (limiter.max_jobs, limiter.timespan) == _DEFAULT_LIMIT:
        scheduler.job_rate_limiter = None


def first(dag: Any, files: Iterable[str]) -> None:
    """Put what makes some files before all other jobs, as ``snakemake --prioritize`` does; other files stay."""
    dag.priorityfiles = {*dag.priorityfiles, *files}
    dag.update_priority()
