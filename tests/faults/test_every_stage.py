"""Every command that writes: full disk, kill and termination while it writes, missing files, wrong settings."""

import errno
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from command_server import CommandServer, Fault, Finished
from commands import COMMANDS
from contents import content
from stages import STAGES, TRAININGS, WITH_HEPMC, WRITERS, Stage, with_settings

from cloudchamber.records.record import record_path

OLD = b"from before"
_OUTPUTS = [(name, option) for name in WRITERS for option in STAGES[name].outputs]
# The first counts for a quarter of a minute; the others are tried where their extra is installed.
_OPTIONAL = {
    *("gating count-five-inputs", "showers geant4-tables", "showers simulate-geant4"),
    *([] if WITH_HEPMC else ["detect"]),
}
# What reads no file is left out; downloads have tests of their own.
_READ_NOTHING = ("simulate", "solve", "split", "tabulate", "download", "geant4-tables")


@pytest.fixture(scope="session")
def whole(server: CommandServer, inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The folder of an undisturbed run of each stage."""
    folders = {name: tmp_path_factory.mktemp("whole") for name in WRITERS}
    for name, folder in folders.items():
        server.succeed(STAGES[name].command(inputs, folder))
    return folders


def test_no_command_that_writes_is_left_out() -> None:
    assert {name for name, command in COMMANDS.items() if command.get_default("outputs")} == set(STAGES) | _OPTIONAL


def put_old_files(stage: Stage, folder: Path) -> None:
    for path in stage.paths(folder).values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(OLD)


def old_files_stand_alone(stage: Stage, folder: Path) -> bool:
    return all(
        path.read_bytes() == OLD and list(path.parent.iterdir()) == [path] for path in stage.paths(folder).values()
    )


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Put a file system on ``folder`` in which only an old file and a filler have room."""
    old = {path.name: path.read_bytes() for path in folder.iterdir()}
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8k", "none", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted: {mounted.stderr.strip()}")
    try:
        for name, text in old.items():
            (folder / name).write_bytes(text)
        with open(folder / "filler", "wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(1024))
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def disk_full(done: Finished) -> str:
    assert done.status == 4, done.text
    assert "disk full after" in done.line
    return done.line


@pytest.mark.parametrize("name", WRITERS)
def test_beyond_the_largest_file_nothing_is_changed(
    server: CommandServer, inputs: Path, whole: Mapping[str, Path], tmp_path: Path, name: str
) -> None:
    """The first file that is written does not fit: a training's is its state."""
    stage = STAGES[name]
    put_old_files(stage, tmp_path)
    smallest = min(path.stat().st_size for path in stage.paths(whole[name]).values())
    line = disk_full(server.run(stage.command(inputs, tmp_path), largest_file=smallest // 2))
    written = [path for path in (*stage.paths(tmp_path).values(), tmp_path / "state") if str(path) in line]
    assert len(written) == 1, line
    assert old_files_stand_alone(stage, tmp_path)
    assert not list(tmp_path.glob("state/*/.step*"))


@pytest.mark.parametrize(("name", "option"), _OUTPUTS)
def test_a_full_disk_at_each_output(
    server: CommandServer, inputs: Path, tmp_path: Path, name: str, option: str
) -> None:
    stage = STAGES[name]
    put_old_files(stage, tmp_path)
    path = stage.paths(tmp_path)[option]
    with full_disk(path.parent):
        line = disk_full(server.run(stage.command(inputs, tmp_path)))
        assert path.read_bytes() == OLD
        assert sorted(item.name for item in path.parent.iterdir()) == ["filler", path.name]
    assert f"{path}: disk full after 0 bytes, " in line
    assert " needed; 0 bytes are free; nothing was changed" in line
    server.succeed(stage.command(inputs, tmp_path))


def test_a_full_disk_at_the_record_of_an_output(server: CommandServer, inputs: Path, tmp_path: Path) -> None:
    stage = STAGES["observe"]
    (path,) = stage.paths(tmp_path).values()
    record = record_path(path)
    record.parent.mkdir(parents=True)
    with full_disk(record.parent):
        line = disk_full(server.run(stage.command(inputs, tmp_path)))
        assert [item.name for item in record.parent.iterdir()] == ["filler"]
    assert f"{record}: disk full after 0 bytes, " in line
    server.succeed(stage.command(inputs, tmp_path))
    assert record.exists()


@pytest.mark.parametrize("name", TRAININGS)
def test_a_disk_that_is_full_of_states_keeps_them(
    server: CommandServer, inputs: Path, whole: Mapping[str, Path], tmp_path: Path, name: str
) -> None:
    stage = STAGES[name]
    done = server.run(stage.command(inputs, tmp_path), fault=Fault("os.fsync", 3, errno.ENOSPC))
    assert "step_000000020.pt" in disk_full(done)
    assert [path.name for path in tmp_path.glob("state/*/*.pt")] == ["step_000000010.pt"]
    server.succeed(stage.command(inputs, tmp_path))
    same_as_whole(stage, tmp_path, whole[name])


def same_as_whole(stage: Stage, folder: Path, whole: Path) -> None:
    for option, path in stage.paths(folder).items():
        assert content(path) == content(stage.paths(whole)[option]), f"{stage.name} --{option}"


@pytest.mark.parametrize("happens", ["kill", "after"])
@pytest.mark.parametrize("name", WRITERS)
def test_killed_while_it_writes(
    server: CommandServer, inputs: Path, whole: Mapping[str, Path], tmp_path: Path, name: str, happens: str
) -> None:
    """Before or after the first rename; the next run gives what an undisturbed one does."""
    stage = STAGES[name]
    put_old_files(stage, tmp_path)
    done = server.run(stage.command(inputs, tmp_path), fault=Fault("os.replace", 1, happens))
    assert done.status == -9
    for option, path in stage.paths(tmp_path).items():
        is_old = path.read_bytes() == OLD
        assert is_old or content(path) == content(stage.paths(whole[name])[option])
        assert is_old or happens == "after"
    server.succeed(stage.command(inputs, tmp_path))
    same_as_whole(stage, tmp_path, whole[name])


@pytest.mark.parametrize("name", WRITERS)
def test_terminated_while_it_writes(
    server: CommandServer, inputs: Path, whole: Mapping[str, Path], tmp_path: Path, name: str
) -> None:
    stage = STAGES[name]
    put_old_files(stage, tmp_path)
    done = server.run(stage.command(inputs, tmp_path), fault=Fault("os.fsync", 1, "terminate"))
    assert done.status == 143, done.text
    if name in TRAININGS:
        assert "terminated after step 11 of 20; state saved in " in done.line
        assert list(tmp_path.glob("state/*/step_000000011.pt"))
    else:
        assert done.line == f"cloudchamber {name}: terminated; no file is half written"
    assert old_files_stand_alone(stage, tmp_path)
    server.succeed(stage.command(inputs, tmp_path))
    same_as_whole(stage, tmp_path, whole[name])


@pytest.mark.parametrize(
    "name",
    sorted(name for name in STAGES if name.split()[-1] not in _READ_NOTHING and "gating" not in name),
)
def test_a_missing_file_is_one_line(server: CommandServer, tmp_path: Path, name: str) -> None:
    done = server.run(STAGES[name].command(tmp_path / "nowhere", tmp_path / "out"))
    assert done.status == 3, done.text
    assert str(tmp_path / "nowhere") in done.line
    assert not (tmp_path / "out").exists()


_WITH_SETTINGS = sorted(name for name, stage in STAGES.items() if "--settings" in stage.command(Path(), Path()))


@pytest.mark.parametrize("name", _WITH_SETTINGS)
def test_a_typo_is_one_line(server: CommandServer, inputs: Path, tmp_path: Path, name: str) -> None:
    done = server.run(with_settings(STAGES[name].command(inputs, tmp_path / "out"), tpyo=1))
    assert done.status == 2, done.text
    assert done.line == f"cloudchamber {name}: settings: tpyo: no such key"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "change", "key"),
    [
        ("simulate", {"events": 0}, "events"),
        ("simulate", {"pt_hat": [700, 500]}, "pt_hat"),
        ("simulate", {"commands": ["Top:gg2ttbr = on"]}, "Top:gg2ttbr"),
        ("ingest", {"max_particles": -1}, "max_particles"),
        ("ingest", {"step_size": "much"}, "step_size"),
        ("prepare", {"split": {"train": 0.9, "validation": 0.9}}, "split"),
        ("train", {"network": {"kind": "gnn"}}, "network"),
        ("train", {"training": {"steps": -5}}, "training.steps"),
        ("train", {"training": {"steps": 1, "learning_rate": float("nan")}}, "training.learning_rate"),
        ("train-jet-flow", {"hidden": []}, "hidden"),
        ("log-posterior", {"jets_per_class": 0}, "jets_per_class"),
        ("sample", {"solver": "rk4", "evaluations": 6}, "evaluations"),
        ("compare", {"bins": 0}, "bins"),
        ("solver-scan", {"evaluations": []}, "evaluations"),
        ("sampling-time", {"multiplicities": [0]}, "multiplicities"),
    ],
)
def test_an_impossible_value_is_one_line(
    server: CommandServer, inputs: Path, tmp_path: Path, name: str, change: Mapping[str, Any], key: str
) -> None:
    done = server.run(with_settings(STAGES[name].command(inputs, tmp_path / "out"), **change))
    assert done.status == 2, done.text
    assert key in done.line
    # Pythia is asked last, when the folder is there.
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("simulate", "--seed", "-1"),
        ("train", "--threads", "0"),
        ("draw-jets", "--jets", "0"),
        ("draw-jets", "--jets", "many"),
        ("sample-marginals", "--seed", "1.5"),
        ("evaluate", "--files", "[1]"),
        ("evaluate", "--files", "{"),
        ("evaluate", "--files", "{}"),
        ("evaluate", "--files", '{"samples": [{}], "posteriors": [], "teacher_tests": [], "jets": []}'),
        ("evaluate", "--files", '{"samples": 3, "posteriors": [], "teacher_tests": [], "jets": []}'),
        ("sampling-time", "--models", '{"model": 3}'),
        ("sampling-time", "--models", "{}"),
        ("draw", "--files", '{"title": "x", "histories": [{}]}'),
        ("draw", "--files", '{"title": "x", "histories": 3}'),
        ("draw", "--files", '{"title": "x", "histories": []}'),
        ("tabulate", "--files", '{"settings": 3}'),
        ("summarise", "--files", '{"scale": "tiny", "seed": 1, "studies": []}'),
        ("summarise", "--files", '{"scale": "tiny", "seed": 1, "studies": [{"name": "gating"}]}'),
        ("log-posterior", "--classes", "model"),
    ],
)
def test_an_impossible_option_is_told(
    server: CommandServer, inputs: Path, tmp_path: Path, name: str, option: str, value: str
) -> None:
    """The parser of options says how to use them before it."""
    command = [*STAGES[name].command(inputs, tmp_path / "out"), "--threads", "1"]
    command[command.index(option) + 1] = value
    done = server.run(command)
    assert done.status == 2, done.text
    assert "Traceback" not in done.text
    assert option in done.text.splitlines()[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", STAGES)
def test_a_folder_that_cannot_be_made_is_one_line(
    server: CommandServer, inputs: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("no folder")
    done = server.run(STAGES[name].command(inputs, tmp_path / "file"))
    assert done.status == 4, done.text
    assert str(tmp_path / "file") in done.line
