"""What Snakemake shows through the profile of the project: a real run of three jobs, one of which fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from project_copy import REPOSITORY

SNAKEFILE = """
shell.prefix("export CLOUDCHAMBER_LOGS_COMMAND=yes; ")

rule all:
    input: "one.txt", "two.txt", "no.txt"
    localrule: True

rule count:
    output: "{name}.txt"
    log: "{name}.log"
    wildcard_constraints: name="one|two"
    message: "count to {wildcards.name}"
    shell: "echo {wildcards.name} > {output} 2> {log}"

rule look:
    input: "one.txt", "two.txt"
    output: "no.txt"
    log: "look.log"
    message: "look at what is not there"
    shell: "exec python -m cloudchamber inspect absent.h5 > {log} 2>&1"
"""


def snakemake(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(SNAKEFILE)
    profile = ["--workflow-profile", str(REPOSITORY / "profiles/default")]
    path = os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", *profile, *options],
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("screen")


@pytest.fixture(scope="module")
def screen(folder: Path) -> str:
    done = snakemake(folder)
    assert done.returncode == 1, done.stdout
    return done.stdout


def test_a_line_for_each_job_that_starts_or_ends(screen: str) -> None:
    found = re.findall(r"^\[\d\d:\d\d:\d\d\] (\d) of 4 left.{14} (\w+) +(.*)$", screen, re.MULTILINE)
    told = [(left, verb, re.sub(r" \(\d+ s\)$", "", title)) for left, verb, title in found]
    first, second = (title for _, verb, title in told if verb == "done")
    assert {first, second} == {"count to one", "count to two"}
    assert told == [
        ("4", "start", first),
        ("3", "done", first),
        ("3", "start", second),
        ("2", "done", second),
        ("2", "start", "look at what is not there"),
        ("2", "failed", "look at what is not there"),
    ]
    assert len(screen.splitlines()) < 20


def test_a_failed_job_shows_the_end_of_its_log_and_no_command(folder: Path, screen: str) -> None:
    command, error = (folder / "look.log").read_text().splitlines()
    assert command.endswith(" -m cloudchamber inspect absent.h5")
    assert error.startswith("cloudchamber inspect: absent.h5")
    lines = screen.splitlines()
    end = lines.index("    log: look.log")
    assert lines[end + 2] == "    the command returned non-zero exit status 3."
    assert "RuleException" not in screen
    assert lines[end - 1 : end + 2] == ["    rule: look", "    log: look.log", f"        {error}"]
    assert "python -m cloudchamber" not in screen
    assert "look at what is not there" in lines[end - 2]
    assert "At least one job did not complete successfully." in screen


def test_nothing_but_text_without_a_terminal(screen: str) -> None:
    assert "\033" not in screen
    assert "\r" not in screen


def test_the_complete_log_of_snakemake_has_all_the_rest(folder: Path, screen: str) -> None:
    (path,) = re.findall(r"Complete log\(s\): (\S+)", screen)
    log = Path(path).read_text()
    for text in ("Job stats:", "Select jobs to execute...", "Finished jobid", "python -m cloudchamber inspect"):
        assert text in log
        assert text not in screen


def test_a_dry_run_lists_jobs_reasons_and_on_demand_commands(folder: Path, screen: str) -> None:
    short, long = (snakemake(folder, "--dry-run", "--forceall", *options) for options in ((), ("--printshellcmds",)))
    for done in (short, long):
        assert done.returncode == 0
        assert re.search(r"^Job stats:\njob +count\n(.+\n)*total +4$", done.stdout, re.MULTILINE)
        assert re.search(r"^Job \d: look at what is not there\nReason: .+", done.stdout, re.MULTILINE)
    assert ["exec python" in done.stdout for done in (short, long)] == [False, True]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_configuration_file_that_is_not_there_is_one_line(folder: Path, options: tuple[str, ...]) -> None:
    done = snakemake(folder, "--configfile", "absent.yaml", *options)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "--configfile absent.yaml: No such file or directory"
    assert "Traceback" not in done.stdout


def test_an_error_of_the_workflow_is_shown(folder: Path) -> None:
    done = snakemake(folder, "absent.txt")
    assert done.returncode == 1
    assert "MissingRuleException" in done.stdout
    assert "absent.txt" in done.stdout
