"""The handler: records of Snakemake in, lines out."""

import logging
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import final

from snakemake.logging import ColorizingTextHandler, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_lines.failure import end_of_command, end_of_log, without_command, without_traceback
from snakemake_logger_plugin_lines.remaining import Remaining, duration

__all__ = ["LogHandler"]

# What comes again at every step or every start; the complete log has it too. What is not named here is shown.
_HIDDEN_EVENTS = {
    LogEvent.GROUP_INFO,
    LogEvent.JOB_STARTED,
    LogEvent.PROGRESS,
    LogEvent.RESOURCES_INFO,
    LogEvent.RULEGRAPH,
    LogEvent.WORKFLOW_STARTED,
}
_HIDDEN_TEXTS = (
    "Assuming unrestricted shared filesystem usage",
    "Auto-selected partition",
    "Conda environments: ignored",
    "Group jobs: inactive",
    "Select jobs to execute",
    "Using shell:",
)
# Whenever resources leave no room for a job, or the solver takes long: the greedy scheduler does as well. A solver that
# does not work has a message of its own, which is shown.
_NO_SCHEDULE = re.compile(
    r"Failed to solve scheduling problem with ILP solver( in time \(\d+s\))?, falling back to greedy scheduler\.$"
)
_RED, _GREEN = 31, 32


@final
class LogHandler(LogHandlerBase):
    """Writes a line for each job that starts or ends; in colour where Snakemake would."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        settings = self.common_settings
        self._stock = ColorizingTextHandler(settings.nocolor, sys.stdout if settings.stdout else sys.stderr)
        self._stock.setFormatter(DefaultFormatter(settings.quiet, settings.show_failed_logs))
        self._remaining = Remaining({})
        self._titles: dict[int, str] = {}
        # How commands ended whose jobs Snakemake has not yet called failed.
        self._ended: list[logging.LogRecord] = []
        self._own: Mapping[LogEvent | None, Callable[[logging.LogRecord], None]] = {
            LogEvent.RUN_INFO: self._plan,
            LogEvent.JOB_INFO: self._start,
            LogEvent.JOB_FINISHED: self._end,
            LogEvent.JOB_ERROR: self._fail,
            LogEvent.GROUP_ERROR: self._fail_together,
            LogEvent.ERROR: self._error,
        }
        asks_for_all = settings.verbose or settings.debug_dag
        self._hides = not (settings.dryrun or asks_for_all)
        if not self._hides:
            self._own = {} if asks_for_all else {LogEvent.ERROR: self._error}

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, which has passed the filter of Snakemake (--quiet, --printshellcmds)."""
        event = getattr(record, "event", None)
        try:
            if event in self._own:
                self._own[event](record)
            elif not (self._hides and _is_hidden(record, event)):
                self._stock.emit(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Show what was kept for a job that was never called failed."""
        for record in self._ended:
            self._stock.emit(_with_message(record, without_command(record.getMessage())))
        self._ended.clear()
        super().close()

    def _plan(self, record: logging.LogRecord) -> None:
        jobs = {rule: count for rule, count in record.stats.items() if rule != "total"}  # type: ignore[attr-defined]
        self._remaining = Remaining(jobs)

    def _start(self, record: logging.LogRecord) -> None:
        job, rule = record.jobid, record.rule_name  # type: ignore[attr-defined]
        wildcards = [f"{name}={value}" for name, value in record.wildcards.items()]  # type: ignore[attr-defined]
        title = record.rule_msg or " ".join([rule, *wildcards])  # type: ignore[attr-defined]
        self._titles[job] = " ".join(title.split())
        self._remaining.started(job, rule, record.created)
        self._write(record, "start" if record.local else "submit", self._titles[job])  # type: ignore[attr-defined]

    def _end(self, record: logging.LogRecord) -> None:
        job = record.job_id  # type: ignore[attr-defined]
        taken = self._remaining.done(job, record.created)
        # --quiet keeps the start of a job from here.
        title = self._titles.get(job, record.getMessage())
        self._write(record, "done", _with_time(title, taken), _GREEN)

    def _fail(self, record: logging.LogRecord) -> None:
        job, rule = record.jobid, record.rule_name  # type: ignore[attr-defined]
        taken = self._remaining.failed(job, record.created)
        title = _with_time(self._titles.get(job, rule), taken)
        reasons = {"rule": rule, "message": record.rule_msg, **record.aux}  # type: ignore[attr-defined]
        # Snakemake does not say which job of a group has failed.
        verb = "failed, or its group" if record.indent else "failed"  # type: ignore[attr-defined]
        details = [*self._details(reasons, record.log), *self._end_of(record.shellcmd)]  # type: ignore[attr-defined]
        self._write(record, verb, title, _RED, details)

    def _fail_together(self, record: logging.LogRecord) -> None:
        jobs, logs = record.job_error_info, record.aux_logs  # type: ignore[attr-defined]
        title = f"one of {len(jobs)} jobs in the group {record.groupid}"  # type: ignore[attr-defined]
        self._write(record, "failed", title, _RED, self._details({}, logs))

    def _error(self, record: logging.LogRecord) -> None:
        """Keep how the command of a job ended for below the end of its log, which says why; show any other error."""
        message = record.getMessage()
        if end_of_command(message) is None:
            self._stock.emit(_with_message(record, without_traceback(message)))
        else:
            self._ended.append(record)

    def _end_of(self, command: str | None) -> Iterator[str]:
        """Yield how a command ended, once."""
        for record in self._ended:
            message = record.getMessage()
            if command and command in message:
                self._ended.remove(record)
                yield str(end_of_command(message))
                return

    def _details(self, reasons: Mapping[str, object], logs: Iterable[str]) -> Iterator[str]:
        for name, reason in reasons.items():
            if reason:
                yield f"{name}: {reason}"
        for log in logs:
            yield f"log: {log}"
            if self.common_settings.show_failed_logs:
                yield from (f"    {line}" for line in end_of_log(Path(log)))

    def _write(
        self, record: logging.LogRecord, verb: str, title: str, colour: int | None = None, details: Iterable[str] = ()
    ) -> None:
        """Write the line of a job, and indented below it what else there is to say."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"[{clock}] {self._count(record.created)}{verb:6} {title}"
        if colour is not None and not self._stock.nocolor:
            line = f"\033[{colour}m{line}\033[0m"
        self._stock.stream.write("\n".join([line, *(f"    {detail}" for detail in details)]) + "\n")
        self._stock.flush()

    def _count(self, now: float) -> str:
        """Return what is left of the run, as wide for every job."""
        total = self._remaining.total
        if not total:
            return ""
        seconds = self._remaining.seconds(now) if self._remaining.left else None
        time_left = "" if seconds is None else f", about {duration(seconds)}"
        return f"{self._remaining.left:{len(str(total))}} of {total} left{time_left:14} "


def _with_time(title: str, taken: float | None) -> str:
    return title if taken is None else f"{title} ({duration(taken)})"


def _is_hidden(record: logging.LogRecord, event: LogEvent | None) -> bool:
    if record.levelno > logging.INFO:
        return _NO_SCHEDULE.match(record.getMessage()) is not None
    return event in _HIDDEN_EVENTS or record.getMessage().startswith(_HIDDEN_TEXTS)


def _with_message(record: logging.LogRecord, message: str) -> logging.LogRecord:
    """Return a copy: other handlers, such as that of the complete log, have the same record."""
    return logging.makeLogRecord({**vars(record), "msg": message, "args": ()})
