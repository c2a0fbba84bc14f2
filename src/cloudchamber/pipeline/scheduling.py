"""What Snakemake's scheduler is spared."""

from typing import Any

__all__ = ["unlimited"]

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
