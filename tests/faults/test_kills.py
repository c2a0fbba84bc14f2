"""Killed, terminated or started twice, trainings and sampling end in the same bits; two trainings never share."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_server import CommandServer, Fault
from contents import content
from prepared_jets import write_prepared_jets
from stages import STAGES, TRAININGS, Stage

KILLS = 20
STEPS = 60
# Files that a run writes, records included: a training saves every tenth step.
WRITTEN = dict.fromkeys(TRAININGS, STEPS // 10 + 6) | {"sample": 2}


def results(stage: Stage, folder: Path) -> dict[str, object]:
    return {option: content(path) for option, path in stage.paths(folder).items()}


def killed_at_a_write(server: CommandServer, name: str, command: list[str], chance: random.Random) -> bool:
    """Kill before or after a call that makes a file durable or visible; return whether it came to that.

    It comes to that in a run from the start. A file and its folder are made durable in one call each.
    """
    function, calls = chance.choice([("os.fsync", 2), ("os.replace", 1)])
    fault = Fault(function, chance.randint(1, calls * WRITTEN[name]), chance.choice(["kill", "after"]))
    status = server.run(command, fault=fault).status
    assert status in (0, -signal.SIGKILL)
    return status != 0


def killed_at_a_time(server: CommandServer, command: list[str], seconds: float) -> bool:
    running = server.start(command)
    time.sleep(seconds)
    running.signal(signal.SIGKILL)
    status = running.wait().status
    assert status in (0, -signal.SIGKILL)
    return status != 0


@pytest.mark.parametrize("name", ["train", "sample"])
def test_killed_at_twenty_points(server: CommandServer, inputs: Path, tmp_path: Path, name: str) -> None:
    """Half of them in the middle of a save, half at any time; each run is then finished and compared."""
    stage = TRAININGS[name](STEPS) if name in TRAININGS else STAGES[name]
    start = time.monotonic()
    server.succeed(stage.command(inputs, tmp_path / "whole"))
    duration = time.monotonic() - start
    expected = results(stage, tmp_path / "whole")
    chance = random.Random(19)
    kills = 0
    for number in range(KILLS):
        folder = tmp_path / str(number)
        command = stage.command(inputs, folder)
        if number % 2:
            assert killed_at_a_write(server, name, command, chance)
        else:
            kills += killed_at_a_time(server, command, chance.uniform(0, duration))
        server.succeed(command)
        assert results(stage, folder) == expected, f"kill {number}"
    assert kills >= KILLS / 4


@pytest.mark.parametrize("name", TRAININGS)
def test_killed_again_and_again(server: CommandServer, inputs: Path, tmp_path: Path, name: str) -> None:
    stage = TRAININGS[name](STEPS)
    server.succeed(stage.command(inputs, tmp_path / "whole"))
    command = stage.command(inputs, tmp_path / "killed")
    chance = random.Random(23)
    kills = sum(killed_at_a_write(server, name, command, chance) for _ in range(4))
    assert kills
    server.succeed(command)
    assert results(stage, tmp_path / "killed") == results(stage, tmp_path / "whole")


def test_terminated_in_a_process_of_its_own(server: CommandServer, inputs: Path, tmp_path: Path) -> None:
    """What the other tests fork, started as a user does."""
    stage = TRAININGS["train"](STEPS)
    server.succeed(stage.command(inputs, tmp_path / "whole"))
    folder = tmp_path / "terminated"
    command = [sys.executable, "-m", "cloudchamber", *stage.command(inputs, folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not list(folder.glob("state/*/step_*.pt")):
            assert process.poll() is None
            time.sleep(0.001)
        process.terminate()
        _, text = process.communicate(timeout=500)
    saved = max(int(path.stem.removeprefix("step_")) for path in folder.glob("state/*/step_*.pt"))
    assert process.returncode == 143, text
    last = text.splitlines()[-1]
    assert last.startswith(f"cloudchamber train: terminated after step {saved} of {STEPS}; state saved in ")
    assert not any(path.exists() for path in stage.paths(folder).values())
    server.succeed(stage.command(inputs, folder))
    assert results(stage, folder) == results(stage, tmp_path / "whole")


@pytest.mark.parametrize("name", TRAININGS)
def test_a_finished_training_only_writes_its_outputs_again(
    server: CommandServer, inputs: Path, tmp_path: Path, name: str
) -> None:
    stage = TRAININGS[name](STEPS)
    server.succeed(stage.command(inputs, tmp_path))
    before = results(stage, tmp_path)
    for path in stage.paths(tmp_path).values():
        path.unlink()
    done = server.run(stage.command(inputs, tmp_path))
    assert f"training: {STEPS}/{STEPS} (100 %) steps, 0.0/s" in done.text
    assert results(stage, tmp_path) == before


def test_other_data_do_not_go_on_from_the_old_state(server: CommandServer, inputs: Path, tmp_path: Path) -> None:
    stage = TRAININGS["train"](STEPS)
    command = stage.command(inputs, tmp_path)
    server.succeed(command)
    before = results(stage, tmp_path)
    command[command.index(str(inputs / "prepared.h5"))] = str(write_prepared_jets(tmp_path / "other.h5", seed=6))
    server.succeed(command)
    assert len(list((tmp_path / "state").iterdir())) == 2
    assert results(stage, tmp_path) != before


@pytest.mark.parametrize("name", TRAININGS)
def test_a_second_training_is_refused(server: CommandServer, inputs: Path, tmp_path: Path, name: str) -> None:
    stage = TRAININGS[name](STEPS)
    command = stage.command(inputs, tmp_path)
    first = server.start(command)
    first.wait_for(lambda: any(tmp_path.glob("state/*/step_*.pt")))
    first.signal(signal.SIGSTOP)
    second = server.run(command)
    first.signal(signal.SIGCONT)
    assert second.status == 6, second.text
    assert f"in use by another training (process {first.pid} on {os.uname().nodename})" in second.line
    assert first.wait().status == 0


@pytest.mark.parametrize("name", TRAININGS)
def test_states_with_strange_times_are_taken_up(server: CommandServer, inputs: Path, tmp_path: Path, name: str) -> None:
    """Clocks of several machines disagree: which state is the newest is a matter of its step."""
    stage = TRAININGS[name](STEPS)
    server.succeed(stage.command(inputs, tmp_path / "whole"))
    command = stage.command(inputs, tmp_path / "killed")
    assert server.run(command, fault=Fault("os.replace", 4, "kill")).status == -signal.SIGKILL
    states = sorted((tmp_path / "killed").glob("state/*/step_*.pt"))
    assert len(states) == 2
    for path, moment in zip(states, (time.time() + 1e6, 0.0), strict=True):
        os.utime(path, (moment, moment))
    done = server.run(command)
    assert done.status == 0
    assert "damaged" not in done.text
    assert results(stage, tmp_path / "killed") == results(stage, tmp_path / "whole")
