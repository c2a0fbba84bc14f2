"""What the logger ``lines`` makes of the records of Snakemake; tests/workflow/test_screen.py has a real Snakemake."""

import io
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_lines import LogHandler
from snakemake_logger_plugin_lines.failure import end_of_command, end_of_log, without_command, without_traceback
from snakemake_logger_plugin_lines.remaining import Remaining, duration

Screen = Callable[..., "Terminal"]


class Terminal(io.StringIO):
    """Standard error, as a terminal or not, and the handler that writes there."""

    handler: LogHandler

    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def tell_job(self, event: LogEvent, now: float, **content: Any) -> None:
        self.handler.emit(logging.makeLogRecord({"created": now, "levelno": logging.INFO, "event": event, **content}))

    def plan(self, **jobs: int) -> None:
        self.tell_job(LogEvent.RUN_INFO, 0.0, stats={**jobs, "total": sum(jobs.values())})

    def start(self, job: int, now: float, rule: str = "train", message: str | None = None, **content: Any) -> None:
        given = {"jobid": job, "rule_name": rule, "rule_msg": message, "wildcards": {}, "local": True, **content}
        self.tell_job(LogEvent.JOB_INFO, now, **given)

    def end(self, job: int, now: float) -> None:
        self.tell_job(LogEvent.JOB_FINISHED, now, job_id=job, msg=f"Finished jobid: {job} (Rule: train)")

    def fail(self, job: int, now: float, *logs: Path, message: str | None = None, **content: Any) -> None:
        given = {
            "jobid": job,
            "rule_name": "train",
            "rule_msg": message,
            "log": list(map(str, logs)),
            "aux": {},
            "shellcmd": None,
        }
        record = {**given, "indent": False, "levelno": logging.ERROR, "levelname": "ERROR", **content}
        self.tell_job(LogEvent.JOB_ERROR, now, **record)

    def say(self, text: str, level: int = logging.INFO, **content: Any) -> None:
        named = {"msg": text, "levelno": level, "levelname": logging.getLevelName(level)}
        self.handler.emit(logging.makeLogRecord({**named, **content}))

    @property
    def lines(self) -> list[str]:
        """What was written, without the time of day."""
        return [line.partition("] ")[2] if line.startswith("[") else line for line in self.getvalue().splitlines()]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("TERM", "xterm")

    def make(is_terminal: bool = False, **settings: bool) -> Terminal:
        terminal = Terminal(is_terminal)
        monkeypatch.setattr(sys, "stderr", terminal)
        off = dict.fromkeys(("nocolor", "stdout", "dryrun", "verbose", "debug_dag", "quiet"), False)
        terminal.handler = LogHandler(
            SimpleNamespace(**{**off, "quiet": None, "show_failed_logs": True, **settings}), None
        )
        return terminal

    return make


def test_a_line_for_each_start_and_end_with_what_is_left(screen: Screen) -> None:
    shown = screen()
    shown.plan(train=2, all=1)
    shown.start(1, 100.0, message="train EPiC-FM,\n  seed 1")
    shown.start(2, 101.0, wildcards={"seed": 2})
    shown.end(1, 130.0)
    shown.end(2, 161.0)
    shown.start(0, 161.0, rule="all")
    shown.end(0, 161.0)
    assert [" ".join(line.split()) for line in shown.lines] == [
        "3 of 3 left start train EPiC-FM, seed 1",
        "3 of 3 left start train seed=2",
        # One second of the second training, and 30 for the rule that is not known; 59 seconds of work took 30.
        "2 of 3 left, about 16 s done train EPiC-FM, seed 1 (30 s)",
        "1 of 3 left, about 30 s done train seed=2 (60 s)",
        "1 of 3 left, about 30 s start all",
        "0 of 3 left done all (0 s)",
    ]
    columns = {line.index(verb) for line in shown.lines for verb in ("start", "done") if f" {verb} " in line}
    assert len(columns) == 1


def test_a_job_on_a_cluster_is_submitted(screen: Screen) -> None:
    shown = screen()
    shown.plan(train=1)
    shown.start(1, 0.0, message="train it", local=False)
    assert "submit train it" in shown.lines[0]


def test_a_failed_job_shows_why_and_the_end_of_its_log_without_the_command(screen: Screen, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text(
        "/bin/python -m cloudchamber train\n" + "".join(f"step {step}\n" for step in range(50)) + "no room\n"
    )
    shown = screen()
    shown.plan(train=1)
    shown.start(1, 0.0, message="train it")
    shown.fail(1, 5.0, log, tmp_path / "absent.log", message="SLURM job ended as TIMEOUT", aux={"external_jobid": 17})
    shown.start(1, 6.0, message="train it")
    shown.end(1, 8.0)
    _, failed, rule, message, job, path, *end = shown.lines
    assert failed.split() == ["1", "of", "1", "left", "failed", "train", "it", "(5", "s)"]
    assert [rule, message, job] == [
        "    rule: train",
        "    message: SLURM job ended as TIMEOUT",
        "    external_jobid: 17",
    ]
    assert path == f"    log: {log}"
    assert end[:20] == [*(f"        step {step}" for step in range(31, 50)), "        no room"]
    assert end[20:22] == [f"    log: {tmp_path / 'absent.log'}", "        (not there)"]
    assert end[-1].split() == ["0", "of", "1", "left", "done", "train", "it", "(2", "s)"]


def test_logs_of_failed_jobs_are_shown_only_where_that_is_asked_for(screen: Screen, tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text("no room\n")
    shown = screen(show_failed_logs=False)
    shown.fail(1, 5.0, tmp_path / "train.log")
    assert shown.lines == ["failed train", "    rule: train", f"    log: {tmp_path / 'train.log'}"]


def test_a_failed_group_names_its_jobs(screen: Screen, tmp_path: Path) -> None:
    log = tmp_path / "slurm.log"
    log.write_text("oom_kill\n")
    shown = screen()
    shown.plan(draw=2)
    jobs = [{"rule_name": "draw"}, {"rule_name": "draw"}]
    content = {"groupid": "drawings", "aux_logs": [str(log)], "job_error_info": jobs, "levelno": logging.ERROR}
    shown.tell_job(LogEvent.GROUP_ERROR, 9.0, **content)
    shown.fail(1, 9.0, indent=True)
    assert shown.lines[0].endswith("failed one of 2 jobs in the group drawings")
    assert shown.lines[1:3] == [f"    log: {log}", "        oom_kill"]
    assert shown.lines[3].endswith("failed, or its group train")


def test_colour_is_for_terminals(screen: Screen) -> None:
    for shown in (screen(), screen(is_terminal=True), screen(is_terminal=True, nocolor=True)):
        shown.plan(train=1)
        shown.start(1, 0.0)
        shown.fail(1, 1.0)
        shown.start(1, 2.0)
        shown.end(1, 3.0)
        shown.say("careful", logging.WARNING)
        assert ("\033[" in shown.getvalue()) == (shown.isatty() and not shown.handler.common_settings.nocolor)


def test_warnings_errors_and_what_is_not_known_are_shown(screen: Screen) -> None:
    shown = screen()
    for text in ("Nothing to be done (all requested files are present and up to date).", "Elapsed time: 0:00:02"):
        shown.say(text)
    for text in ("Select jobs to execute...", "Using shell: /usr/bin/bash", "Conda environments: ignored"):
        shown.say(text)
    shown.say("Select jobs to execute by hand", logging.WARNING)
    shown.tell_job(LogEvent.JOB_STARTED, 0.0, msg="Execute 2 jobs...", jobs=[1, 2])
    shown.tell_job(LogEvent.PROGRESS, 0.0, done=1, total=2)
    shown.say("WorkflowError:\nclocks differ", logging.ERROR, event=LogEvent.ERROR)
    assert shown.lines == [
        "Nothing to be done (all requested files are present and up to date).",
        "Elapsed time: 0:00:02",
        "Select jobs to execute by hand",
        "WorkflowError:",
        "clocks differ",
    ]


@pytest.mark.parametrize("end", ["returned non-zero exit status 3.", "died with <Signals.SIGKILL: 9>."])
def test_a_command_that_failed_is_not_repeated(end: str) -> None:
    text = (
        f"RuleException:\nCalledProcessError in file a.smk, line 4:\nCommand 'exec python -m x '{{}}' \n > log' {end}"
    )
    assert without_command(text) == f"RuleException: CalledProcessError in file a.smk, line 4: the command {end}"
    assert end_of_command(text) == f"the command {end}"
    assert without_command("Two\nlines.") == "Two\nlines."
    assert end_of_command("Two\nlines.") is None


def test_how_a_command_ended_stands_below_the_end_of_its_own_log(screen: Screen, tmp_path: Path) -> None:
    shown = screen()
    for name, status in (("one", 3), ("two", 4), ("three", 5)):
        (tmp_path / name).write_text(f"{name} is wrong\n")
        command = f"Command 'set -e; exec python -m x {name} > log' returned non-zero exit status {status}."
        text = f"RuleException:\nCalledProcessError in file a.smk, line 4:\n{command}"
        shown.say(text, logging.ERROR, event=LogEvent.ERROR)
    assert shown.lines == []
    for name in ("two", "one"):
        shown.fail(1, 5.0, tmp_path / name, shellcmd=f"exec python -m x {name} > log")
    ends = [line.strip() for line in shown.lines]
    assert ends[3:5] == ["two is wrong", "the command returned non-zero exit status 4."]
    assert ends[8:] == ["one is wrong", "the command returned non-zero exit status 3."]
    # Of a job that is never called failed it is said at the end.
    shown.handler.close()
    assert shown.lines[10:] == [
        "RuleException: CalledProcessError in file a.smk, line 4: the command returned non-zero exit status 5."
    ]


def test_a_schedule_that_the_solver_does_not_find_is_no_fault(screen: Screen) -> None:
    start = "Failed to solve scheduling problem with ILP solver"
    for end in (", falling back to greedy scheduler.", " in time (10s), falling back to greedy scheduler."):
        for shown, expected in ((screen(), []), (screen(verbose=True), [start + end])):
            shown.say(start + end, logging.WARNING)
            assert shown.lines == expected
    shown = screen()
    broken = f"{start}, falling back to greedy scheduler. You likely have to fix your ILP solver installation."
    shown.say(broken, logging.WARNING)
    assert shown.lines == [broken]


def test_only_the_traceback_of_a_configuration_file_is_left_out() -> None:
    text = (
        "Traceback (most recent call last):\n  File \"a.py\", line 4, in load_job\nFileNotFoundError: [Errno 2] No: 'a'"
    )
    assert without_traceback(text) == text


def test_a_quiet_run_counts_too(screen: Screen) -> None:
    """--quiet rules keeps the starts away, --quiet progress the plan."""
    shown = screen()
    shown.plan(train=2)
    shown.end(1, 4.0)
    shown.end(2, 5.0)
    assert [line.partition(" left")[0] for line in shown.lines] == ["1 of 2", "0 of 2"]
    assert shown.lines[0].endswith("done   Finished jobid: 1 (Rule: train)")
    without_plan = screen()
    without_plan.start(1, 0.0)
    assert without_plan.lines == ["start  train"]


def test_a_dry_run_looks_as_snakemake_makes_it(screen: Screen) -> None:
    shown = screen(dryrun=True)
    reason = {"reason": "Missing output files: a", "indent": False}
    shown.start(1, 0.0, message="train it", **reason)
    shown.tell_job(LogEvent.RUN_INFO, 0.0, stats={"train": 1, "total": 1}, msg="Job stats:\ntrain 1")
    assert "Job 1: train it" in shown.lines
    assert "Reason: Missing output files: a" in shown.lines
    assert "train 1" in shown.lines


def test_a_record_that_cannot_be_shown_ends_nothing(screen: Screen) -> None:
    shown = screen()
    shown.tell_job(LogEvent.JOB_INFO, 0.0, jobid=1)
    shown.say("next")
    assert "AttributeError" in shown.getvalue()
    assert shown.lines[-1] == "next"


@pytest.mark.parametrize("content", [b"", b"\n \n", b"/bin/python -m cloudchamber train\n"])
def test_an_empty_log_is_called_so(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(content)
    assert end_of_log(tmp_path / "log") == ["(empty)"]


def test_a_log_need_not_be_text(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"loss \xff\n")
    assert end_of_log(tmp_path / "log") == ["loss \N{REPLACEMENT CHARACTER}"]


def test_time_is_told_once_a_tenth_has_ended() -> None:
    remaining = Remaining({"draw": 19, "train": 1})
    for job in range(2):
        remaining.started(job, "draw", float(job))
        assert remaining.seconds(job + 1.0) is None
        assert remaining.done(job, job + 1.0) == 1.0
    assert remaining.left == 18
    assert remaining.seconds(2.0) == 18.0


def test_each_rule_takes_what_it_took_and_cores_share_the_work() -> None:
    remaining = Remaining({"train": 3, "draw": 11})
    # Two cores: a training of 60 s, six drawings of 10 s beside it.
    remaining.started(0, "train", 0.0)
    for job in range(1, 7):
        remaining.started(job, "draw", 10.0 * (job - 1))
        remaining.done(job, 10.0 * job)
    remaining.done(0, 60.0)
    assert remaining.left == 7
    assert remaining.seconds(60.0) == pytest.approx((2 * 60.0 + 5 * 10.0) / 2)
    # What runs has less to do, and nothing where it takes longer than the others.
    remaining.started(7, "train", 60.0)
    assert remaining.seconds(80.0) == pytest.approx((40.0 + 60.0 + 5 * 10.0) * 80.0 / 140.0)
    assert remaining.seconds(180.0) == pytest.approx((0.0 + 60.0 + 5 * 10.0) * 180.0 / 240.0)


def test_a_failed_attempt_teaches_nothing() -> None:
    remaining = Remaining({"train": 2})
    remaining.started(0, "train", 0.0)
    assert remaining.failed(0, 500.0) == 500.0
    assert remaining.left == 2
    assert remaining.seconds(500.0) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (99.0, "99 s"), (100.0, "2 min"), (5900.0, "98 min"), (11520.0, "3.2 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
