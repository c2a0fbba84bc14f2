"""How many jobs of a run are left, and for about how long, by what the others have taken."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, median
from typing import final

__all__ = ["Remaining", "duration"]

# Before that share of the jobs has ended the others can be anything.
_TOLD_FROM = 0.1


@final
@dataclass(frozen=True)
class _Running:
    rule: str
    since: float


@final
class Remaining:
    """The jobs of a run. Times are seconds of one clock, whichever.

    Args:
        jobs: how many jobs of each rule there are; empty where that is not known.

    Attributes:
        total: all jobs.
        left: those that have not ended well; what waits for a failed job stays among them.
    """

    def __init__(self, jobs: Mapping[str, int]) -> None:
        self.total = sum(jobs.values())
        self.left = self.total
        self._jobs = jobs
        self._start: float | None = None
        self._running: dict[int, _Running] = {}
        self._taken: defaultdict[str, list[float]] = defaultdict(list)

    def started(self, job: int, rule: str, now: float) -> None:
        if self._start is None:
            self._start = now
        self._running[job] = _Running(rule, now)

    def done(self, job: int, now: float) -> float | None:
        """Count a job as done and return what it took, None where its start is not known."""
        self.left -= 1
        running = self._running.pop(job, None)
        if running is None:
            return None
        self._taken[running.rule].append(now - running.since)
        return now - running.since

    def failed(self, job: int, now: float) -> float | None:
        """Return what a job took that is still to do, None where its start is not known."""
        running = self._running.pop(job, None)
        return None if running is None else now - running.since

    def seconds(self, now: float) -> float | None:
        """Return the time that remains [s], None where too few jobs have ended to tell.

        A job takes the mean of its rule; a rule of which none has ended takes the median of the others. As many run at
        once as did so far.
        """
        means = {rule: fmean(taken) for rule, taken in self._taken.items()}
        if self._start is None or not means or self.total - self.left < _TOLD_FROM * self.total:
            return None
        unknown = median(means.values())
        running = Counter(job.rule for job in self._running.values())
        work = sum(max(means.get(job.rule, unknown) - (now - job.since), 0.0) for job in self._running.values())
        for rule, count in self._jobs.items():
            waiting = count - len(self._taken.get(rule, ())) - running[rule]
            work += waiting * means.get(rule, unknown)
        busy = sum(map(sum, self._taken.values())) + sum(now - job.since for job in self._running.values())
        return work * (now - self._start) / busy if busy > 0 else 0.0


def duration(seconds: float) -> str:
    """Return a duration as people say it: "29 s", "12 min", "3.2 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
