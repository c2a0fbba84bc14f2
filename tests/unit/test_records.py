"""Records beside files: what made them, and which bytes they are about."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prepared_jets import raw_jets

from cloudchamber.cli import main
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.provenance.verification import findings
from cloudchamber.records.environment import code_version, installed_packages, machine
from cloudchamber.records.record import files_named, read_record, record_path, recorded
from cloudchamber.storage import write_text


def _hash(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@pytest.fixture
def clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> str:
    monkeypatch.chdir(tmp_path)
    write_clouds("clouds.h5", raw_jets(60, 5, rng))
    return "clouds.h5"


def _prepare(source: str, output: str, seed: int = 4) -> dict[str, Any]:
    settings = '{"pt_scale": "log"}'
    split = output.replace(".h5", "_split.h5")
    command = ["prepare", source, "--settings", settings, "--seed", str(seed), "--output", output]
    assert main([*command, "--split-output", split, "--threads", "1"]) == 0
    record = read_record(Path(output))
    assert record is not None
    return record


def test_every_output_gets_the_record_of_the_command(clouds: str) -> None:
    record = _prepare(clouds, "out/a.h5")
    assert (record["step"], record["file"], record["sha256"]) == ("prepare", "out/a.h5", _hash("out/a.h5"))
    assert record["bytes"] == Path("out/a.h5").stat().st_size
    assert record["inputs"] == {clouds: _hash(clouds)}
    assert record["arguments"] == {"source": clouds, "settings": {"pt_scale": "log"}, "seed": 4}
    assert record["run"]["threads"] == 1
    assert 0 < record["run"]["elapsed_seconds"] < 60
    assert record["packages"]["numpy"] == np.__version__
    of_split = read_record(Path("out/a_split.h5"))
    assert of_split is not None
    assert of_split["sha256"] == _hash("out/a_split.h5")
    assert {**record, "file": 0, "sha256": 0, "bytes": 0} == {**of_split, "file": 0, "sha256": 0, "bytes": 0}


def test_what_differs_between_two_runs_is_in_the_record_and_not_in_the_file(clouds: str) -> None:
    first, second = (_prepare(clouds, f"{name}/a.h5") for name in "ab")
    assert Path("a/a.h5").read_bytes() == Path("b/a.h5").read_bytes()
    assert {key for key in first if first[key] != second[key]} <= {"file", "run"}


def test_an_input_that_changes_while_a_step_runs_is_said_and_stale(
    clouds: str, capsys: pytest.CaptureFixture[str], rng: np.random.Generator
) -> None:
    for changed in (False, True):
        with recorded("step", {"source": Path(clouds), "output": Path("out/a.txt")}, ("output",), 1):
            write_text(Path("out/a.txt"), "of the clouds before")
            if changed:
                write_clouds(clouds, raw_jets(61, 5, rng))
        said = f"warning: {clouds} was changed while 'step' ran" in capsys.readouterr().err
        assert said == changed
        stale = [finding for finding in findings(Path("out"))[2] if finding.fault == "stale"]
        assert bool(stale) == changed


def test_a_failed_step_keeps_the_record_of_the_old_file(clouds: str) -> None:
    before = _prepare(clouds, "a.h5")
    Path(clouds).write_bytes(b"no clouds")
    settings = ["--settings", "{}", "--seed", "1"]
    assert main(["prepare", clouds, *settings, "--output", "a.h5"]) == 3
    assert main(["prepare", clouds, *settings, "--output", "b.h5"]) == 3
    assert read_record(Path("a.h5")) == before
    assert read_record(Path("b.h5")) is None


@pytest.mark.parametrize("name", ["SLURM_PROCID", "LOCAL_RANK", "NODE_RANK"])
def test_only_the_process_that_writes_the_outputs_writes_records(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    for rank, there in (("1", False), ("0", True)):
        monkeypatch.setenv(name, rank)
        with recorded("step", {"output": path}, ("output",), 1):
            write_text(path, "content")
        assert record_path(path).exists() == there


def test_inputs_are_the_files_that_arguments_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.h5", "b.h5", "c.csv", "w.safetensors", "one.root", "two.root", "unused.h5", "s.yaml", "title.h5"):
        Path(name).write_text(name)
    files = {"models": [{"title": "b", "clouds": "b.h5", "settings": {"title": "title.h5"}}], "metrics": "c.csv"}
    arguments = {
        "source": Path("a.h5"),
        "files": json.dumps(files),
        "settings": "s.yaml",
        "model": [Path("w.safetensors"), Path("missing.json")],
        "classes": ["epic=b.h5"],
        "raw": ["*.root"],
        "jets": 10,
        "seed": 1,
        "split_output": None,
    }
    assert files_named(arguments) == ["a.h5", "b.h5", "c.csv", "one.root", "s.yaml", "two.root", "w.safetensors"]
    # A split is one of the settings, and a file.
    assert files_named({"settings": '{"split": {"indices": "unused.h5"}}'}) == ["unused.h5"]
    # Also what a table of data lists of others.
    Path("jets.parquet").write_text("jets")
    assert files_named({"files": '{"files": [{"file": "jets.parquet"}]}'}) == ["jets.parquet"]


@pytest.mark.parametrize("content", ["{", "[]", '{"format": "x", "version": 1}'])
def test_an_unusable_record_is_one_line(content: str, tmp_path: Path) -> None:
    record_path(tmp_path / "a.h5").parent.mkdir()
    record_path(tmp_path / "a.h5").write_text(content)
    with pytest.raises(InputError, match=r"a\.h5\.json"):
        read_record(tmp_path / "a.h5")


def _git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(["git", "-C", str(folder), *names, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_code_version_names_commit_and_changes(tmp_path: Path) -> None:
    package = tmp_path / "src/package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("A = 1\n")
    alone = code_version(package)
    assert (alone["commit"], alone["modified"]) == (None, None)
    _git(tmp_path, "init", "--quiet")
    assert code_version(package) == alone, "in the folder of a repository, not of its commits"
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "--quiet", "--message", "first")
    committed = code_version(package)
    assert (committed["commit"], committed["modified"]) == (_git(tmp_path, "rev-parse", "HEAD"), False)
    assert committed["sources"] == alone["sources"]
    (tmp_path / "notes.txt").write_text("outside of the package")
    assert code_version(package) == committed
    (package / "new.py").write_text("B = 2\n")
    changed = code_version(package)
    assert (changed["commit"], changed["modified"]) == (committed["commit"], True)
    assert changed["sources"] != committed["sources"]


def test_without_git_the_sources_are_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    version = code_version()
    assert version["commit"] is None
    assert len(version["sources"]) == 64


def test_a_system_that_does_not_tell_the_cores_of_a_process_has_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert machine()["cores"] == os.cpu_count()


def test_machine_and_packages_say_no_name_of_the_machine() -> None:
    import platform

    found = machine()
    assert found["cores"] >= 1
    assert found["memory_gib"] > 0
    assert found["processor"]
    assert platform.node() not in json.dumps({key: found[key] for key in ("processor", "cores", "accelerators")})
    assert installed_packages()["python"] == platform.python_version()
