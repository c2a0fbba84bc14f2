"""What is changed of Snakemake's scheduler."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.scheduling.job_scheduler import JobRateLimiter
from snakemake.settings.types import MaxJobsPerTimespan

from cloudchamber.pipeline.scheduling import unlimited

SNAKEFILE = """
from cloudchamber.pipeline.scheduling import unlimited

onstart:
    unlimited(workflow.scheduler)

onsuccess:
    print("limit:", workflow.scheduler.job_rate_limiter and workflow.scheduler.job_rate_limiter.max_jobs)

rule all:
    output: "done"
    shell: "touch {output}"
"""


@pytest.mark.parametrize(("limit", "kept"), [("100/1s", False), ("100/1m", True), ("5/1s", True)])
def test_the_default_limit_goes_and_another_stays(limit: str, kept: bool) -> None:
    scheduler = SimpleNamespace(job_rate_limiter=JobRateLimiter(MaxJobsPerTimespan.parse_choice(limit)))
    unlimited(scheduler)
    assert (scheduler.job_rate_limiter is not None) is kept


@pytest.mark.parametrize(("options", "limit"), [([], "None"), (["--max-jobs-per-timespan", "7/1s"], "7")])
def test_snakemake_runs_so(options: list[str], limit: str, tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"limit: {limit}" in done.stdout + done.stderr
    assert (tmp_path / "done").exists()


def test_what_makes_the_first_files_comes_first(tmp_path: Path) -> None:
    text = """
from cloudchamber.pipeline.scheduling import first

onstart:
    first(workflow.dag, ["z2"])

rule all:
    input: "a2", "b2", "z2"

rule raw:
    output: "{name}1"
    shell: "touch {output}; echo {output} >> order"

rule made:
    input: "{name}1"
    output: "{name}2"
    shell: "touch {output}; echo {output} >> order"

ruleorder: made > raw
"""
    (tmp_path / "Snakefile").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "order").read_text(encoding="utf-8").split()[:2] == ["z1", "z2"]
