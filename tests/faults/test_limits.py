"""What is too much, or not a number, or not allowed: an exit status of its own, and what to change."""

import errno
import fcntl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from command_server import CommandServer, Fault
from project_copy import REPOSITORY
from stages import DRAWN, STAGES, TRAININGS, with_settings

from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import OutOfMemoryError
from cloudchamber.interruption import names_lack_of_memory

MB = 1 << 20


def states(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("state/*/step_*.pt")}


@pytest.mark.parametrize("name", TRAININGS)
def test_a_loss_that_blows_up(server: CommandServer, inputs: Path, tmp_path: Path, name: str) -> None:
    """Weights of a huge size are finite for some steps; those that were saved in this time stay."""
    stage = TRAININGS[name](40, learning_rate=1e30, warmup_steps=0, schedule="constant")
    done = server.run(stage.command(inputs, tmp_path))
    assert done.status == 5, done.text
    assert "the last saved state is in " in done.line
    assert "lower training.learning_rate or training.gradient_clip" in done.line
    for state in tmp_path.glob("state/*/*.pt"):
        weights = torch.load(state, weights_only=True)["network"]
        assert all(value.isfinite().all() for value in weights.values())
    assert not any(path.exists() for path in stage.paths(tmp_path).values())


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["prepare", "train", "sample-marginals", "observe", "to-jetnet"])
def test_values_that_are_no_numbers(
    server: CommandServer, inputs: Path, tmp_path: Path, name: str, value: float
) -> None:
    stage = STAGES[name]
    command = stage.command(inputs, tmp_path / "out")
    source = next(item for item in command if item.startswith(str(inputs)) and item.endswith(".h5"))
    clouds = read_clouds(source)
    points = clouds.points.copy()
    points[3, 0, 0] = value
    bad = tmp_path / "bad.h5"
    write_clouds(bad, replace(clouds, points=points))
    command[command.index(source)] = str(bad)
    done = server.run(command)
    assert done.status == 3, done.text
    assert done.line == f"cloudchamber {name}: {bad}: dataset 'points' holds values that are not finite"
    assert not (tmp_path / "out").exists()


_WIDE = {"kind": "epic", "layers": 1, "hidden": 8000, "latent": 4, "time_features": 4}


@pytest.mark.parametrize(
    ("name", "change", "advice"),
    [
        ("train", lambda command: with_settings(command, network=_WIDE), "lower training.batch_size"),
        ("ingest", lambda command: with_settings(command, max_particles=10**7), "lower step_size or max_particles"),
        ("draw-jets", lambda command: [item if item != str(DRAWN) else "60000000" for item in command], "draw fewer"),
    ],
)
def test_out_of_memory(
    server: CommandServer,
    inputs: Path,
    tmp_path: Path,
    name: str,
    change: Callable[[list[str]], list[str]],
    advice: str,
) -> None:
    stage = STAGES[name]
    command = change(stage.command(inputs, tmp_path / "out"))
    done = server.run(command, memory=600 * MB)
    assert done.status == 7, done.text
    assert done.line.startswith(f"cloudchamber {name}: out of memory: ")
    assert f"; {advice}" in done.line
    assert not any(path.exists() for path in stage.paths(tmp_path / "out").values())


def test_out_of_memory_keeps_the_last_state(server: CommandServer, inputs: Path, tmp_path: Path) -> None:
    stage = STAGES["train"]
    command = stage.command(inputs, tmp_path)
    assert server.run(command, fault=Fault("os.replace", 2, "kill")).status == -9
    before = states(tmp_path)
    assert list(before) == ["step_000000010.pt"]
    done = server.run(command, fault=Fault("os.fsync", 1, errno.ENOMEM))
    assert done.status == 7, done.text
    assert states(tmp_path) == before
    server.succeed(command)


def test_out_of_memory_on_a_gpu() -> None:
    text = "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 139.80 GiB\nof which"
    with (
        pytest.raises(OutOfMemoryError, match=r"out of memory: CUDA out of memory.*; lower training\.batch_size"),
        names_lack_of_memory("train"),
    ):
        raise torch.OutOfMemoryError(text)
    with pytest.raises(RuntimeError, match="shapes"), names_lack_of_memory("train"):
        raise RuntimeError("shapes differ")


@pytest.mark.parametrize("name", ["observe", "sample", "prepare", "from-jetnet"])
def test_files_that_another_program_has_locked_are_read(
    server: CommandServer, inputs: Path, tmp_path: Path, name: str
) -> None:
    """HDF5 asks for locks by itself, which network file systems refuse; here nothing asks."""
    with ExitStack() as held:
        for path in (*inputs.glob("*.h5"), *inputs.glob("*.hdf5")):
            fcntl.flock(held.enter_context(open(path, "rb")), fcntl.LOCK_EX)
        server.succeed(STAGES[name].command(inputs, tmp_path))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Bind a folder onto itself without the right to write; root may write where only the mode forbids it."""
    command = ["mount", "--bind", "-o", "ro", str(folder), str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no folder can be made read-only: {mounted.stderr.strip()}")
    try:
        with pytest.raises(OSError, match="Read-only"):
            (folder / "new").touch()
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", ["ingest", "prepare", "train", "sample", "compare", "from-jetnet"])
def test_inputs_in_a_folder_that_cannot_be_written_to(
    server: CommandServer, inputs: Path, tmp_path: Path, name: str
) -> None:
    with read_only(inputs):
        server.succeed(STAGES[name].command(inputs, tmp_path))


def test_outputs_into_a_folder_that_cannot_be_written_to(server: CommandServer, inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with read_only(tmp_path / "state"):
        done = server.run(STAGES["train"].command(inputs, tmp_path))
    assert done.status == 4, done.text
    assert f"{tmp_path}/state/" in done.line
    assert "cannot be written: Read-only file system" in done.line


def test_a_file_system_without_locks_is_named(server: CommandServer, inputs: Path, tmp_path: Path) -> None:
    command = STAGES["train"].command(inputs, tmp_path)
    done = server.run(command, fault=Fault("fcntl.flock", 1, errno.ENOLCK))
    assert done.status == 6, done.text
    assert "cannot be locked: No locks available; keep states on a file system that has locks" in done.line


def test_termination_is_not_taken_for_damage(server: CommandServer, inputs: Path, tmp_path: Path) -> None:
    """Bad files may be skipped, and a reader that is interrupted may not take its file for a bad one."""
    command = with_settings(STAGES["ingest"].command(inputs, tmp_path), on_bad_file="skip")
    done = server.run(command, fault=Fault("uproot.open", 2, "terminate"))
    assert done.status == 143, done.text
    assert "skipped" not in done.text
    assert not (tmp_path / "output/out.h5").exists()


@pytest.mark.parametrize("profile", sorted(path.name for path in (REPOSITORY / "profiles").iterdir()))
def test_profiles_wait_for_slow_file_systems(profile: str) -> None:
    settings = yaml.safe_load((REPOSITORY / "profiles" / profile / "profile.yaml").read_text(encoding="utf-8"))
    assert settings["latency-wait"] >= (5 if profile == "default" else 30)
