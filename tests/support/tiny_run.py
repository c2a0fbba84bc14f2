"""Runs of the tiny analysis through the real command, and what a change reruns."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml
from project_copy import copy_project

__all__ = ["TINY", "overlay", "planned", "rerun_after_an_edit", "run", "run_studies", "screen_and_logs", "snakemake"]

TINY = ("configs/tiny.yaml",)


def snakemake(folder: Path, *options: str, configs: Sequence[str] = TINY) -> str:
    """Run Snakemake in ``folder`` and return what it printed; fail where it fails."""
    done = run(folder, *options, configs=configs)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def run(folder: Path, *options: str, configs: Sequence[str] = TINY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", *options, "--cores", "2", "--configfile", *configs]
    return subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=1200
    )


def run_studies(folder: Path, studies: Sequence[str]) -> Path:
    """Run studies at the scale "tiny" to their end in a copy of the project, whose config.yaml names no others.

    What the run printed is in the file "screen" of the copy.
    """
    copy_project(folder)
    config = folder / "config.yaml"
    lines = config.read_text(encoding="utf-8").splitlines()
    changed = [f"studies: [{', '.join(studies)}]" if line.startswith("studies:") else line for line in lines]
    assert changed != lines
    config.write_text("\n".join(changed) + "\n", encoding="utf-8")
    (folder / "screen").write_text(snakemake(folder), encoding="utf-8")
    return folder


def overlay(folder: Path, name: str, content: dict[str, object]) -> tuple[str, str]:
    """Write settings that come on top of the tiny ones, and return both files."""
    (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return (*TINY, name)


def planned(output: str) -> dict[str, int]:
    """Return how many jobs of each rule a dry run plans."""
    table = output[output.index("Job stats:") :].splitlines()[3:]
    rows = [line.split() for line in table[: table.index("")]]
    return {rule: int(count) for rule, count in rows}


def rerun_after_an_edit(folder: Path, module: str, *targets: str) -> set[str]:
    """Return the rules that a dry run plans after an edit of a module."""
    source = folder / "src/cloudchamber" / module
    before = source.read_text(encoding="utf-8")
    source.write_text(before + "\n# edited\n", encoding="utf-8")
    try:
        jobs = planned(snakemake(folder, *targets, "--dry-run"))
    finally:
        source.write_text(before, encoding="utf-8")
    return set(jobs) - {"all", "total", *targets}


def screen_and_logs(folder: Path) -> None:
    """Assert that the screen of a run has two lines for each job, and the log of each job its command."""
    screen = (folder / "screen").read_text(encoding="utf-8")
    jobs = re.findall(r"^\[[\d:]{8}\] +(\d+) of (\d+) left.* (start|done) +\w", screen, re.MULTILINE)
    total = int(jobs[0][1])
    assert [int(left) for left, _, verb in jobs if verb == "done"] == list(range(total - 1, -1, -1))
    assert len(jobs) == 2 * total
    assert len(screen.splitlines()) <= len(jobs) + 10
    logs = list((folder / "logs/results_tiny").rglob("*.log"))
    assert len(logs) > total / 2
    for log in logs:
        first, *others = log.read_text(encoding="utf-8").splitlines()
        assert re.match(rf"PYTHONPATH={folder}/src {Path(sys.executable).parent}/\S+ -m cloudchamber ", first), log
        assert not [line for line in others if "-m cloudchamber" in line], log
