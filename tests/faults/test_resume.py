"""Training through the real command: killed, terminated, started twice; always the same bits in the end."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import pytest
from prepared_jets import write_prepared_jets
from safetensors.torch import load_file

STEPS = 240
SETTINGS = {
    "network": {"kind": "epic", "layers": 1, "hidden": 16, "latent": 4, "time_features": 8},
    "objective": {"kind": "flow_matching"},
    "conditions": ["jet_pt", "jet_mass"],
    "training": {
        "steps": STEPS,
        "batch_size": 32,
        "warmup_steps": 20,
        "validate_every": 110,
        "save_every": 20,
        "accelerator": "cpu",
    },
}
OUTPUTS = ("weights.safetensors", "description.json", "history.csv")
# Long enough for a busy machine; a training takes about three seconds, most of them imports.
PATIENCE = 180.0


@final
@dataclass(frozen=True)
class Training:
    """One training command with folders of its own."""

    prepared: Path
    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def start(self) -> subprocess.Popen[str]:
        weights, description, history = (str(self.folder / name) for name in OUTPUTS)
        command = ["train", str(self.prepared), "--settings", json.dumps(SETTINGS), "--seed", "7", "--threads", "1"]
        command += ["--state", str(self.state), "--weights", weights]
        command += ["--description", description, "--history", history]
        return subprocess.Popen(
            [sys.executable, "-m", "cloudchamber", *command], stderr=subprocess.PIPE, text=True, cwd=self.folder
        )

    def saved_steps(self) -> list[int]:
        return sorted(int(path.stem.removeprefix("step_")) for path in self.state.glob("*/step_*.pt"))

    def finish(self) -> str:
        """Run to the end and return what was written to standard error."""
        process = self.start()
        _, text = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, text
        return text

    def outputs(self) -> Sequence[bytes]:
        return [(self.folder / name).read_bytes() for name in OUTPUTS]


def _wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, f"ended before it could be stopped: {process.communicate()[1]}"
        assert time.monotonic() < deadline
        time.sleep(0.002)


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prepared_jets(tmp_path_factory.mktemp("data") / "prepared.h5", jets=240)


@pytest.fixture(scope="module")
def whole(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Training:
    """A training that nothing disturbs."""
    training = Training(prepared, tmp_path_factory.mktemp("whole"))
    training.finish()
    return training


@pytest.fixture
def training(prepared: Path, tmp_path: Path) -> Training:
    return Training(prepared, tmp_path)


def test_the_outputs_are_complete(whole: Training) -> None:
    lines = (whole.folder / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", "110", "220", "240"]
    description = json.loads((whole.folder / "description.json").read_text())
    weights = load_file(whole.folder / "weights.safetensors")
    assert description["parameters"] == sum(value.numel() for value in weights.values())
    assert description["provenance"]["seed"] == 7


def test_killed_at_random_moments_it_ends_in_the_same_bits(training: Training, whole: Training) -> None:
    chance = random.Random(20)
    # First before anything is saved, then some way behind what was saved before.
    for most in (0, 80, 80):
        goal = max(training.saved_steps(), default=0) + chance.randint(0, most)
        process = training.start()
        _wait_for(training.state.exists, process)
        _wait_for(lambda goal=goal: max(training.saved_steps(), default=0) >= goal, process)
        time.sleep(chance.uniform(0, 0.02))
        _kill(process)
        assert not any((training.folder / name).exists() for name in OUTPUTS)
    assert training.saved_steps()
    training.finish()
    assert training.outputs() == whole.outputs()
    left = sorted(path.name for path in training.state.glob("*/*"))
    assert left == ["lock", f"step_{STEPS - 20:09d}.pt", f"step_{STEPS:09d}.pt"]


def test_terminated_it_saves_says_so_and_goes_on(training: Training, whole: Training) -> None:
    process = training.start()
    _wait_for(lambda: bool(training.saved_steps()), process)
    process.terminate()
    _, text = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, text
    last = text.splitlines()[-1]
    saved = training.saved_steps()[-1]
    assert last.startswith(f"cloudchamber train: terminated after step {saved} of {STEPS}; state saved in ")
    assert "Traceback" not in text
    assert not any((training.folder / name).exists() for name in OUTPUTS)
    assert f"/{STEPS} (" in training.finish()
    assert training.outputs() == whole.outputs()


def test_a_second_process_on_the_same_state_is_refused(training: Training, whole: Training) -> None:
    first = training.start()
    _wait_for(lambda: bool(training.saved_steps()), first)
    os.kill(first.pid, signal.SIGSTOP)
    second = training.start()
    _, text = second.communicate(timeout=PATIENCE)
    os.kill(first.pid, signal.SIGCONT)
    assert second.returncode == 6, text
    refused = [line for line in text.splitlines() if line.startswith("cloudchamber train: ")]
    assert len(refused) == 1
    assert f"in use by another training (process {first.pid} on " in refused[0]
    assert "Traceback" not in text
    _, text = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, text
    assert training.outputs() == whole.outputs()


def test_a_finished_training_only_writes_its_outputs_again(training: Training, whole: Training) -> None:
    shutil.copytree(whole.state, training.state)
    text = training.finish()
    assert training.outputs() == whole.outputs()
    assert f"training: {STEPS}/{STEPS} (100 %) steps, 0.0/s" in text


def test_other_data_do_not_go_on_from_the_old_state(training: Training, whole: Training) -> None:
    shutil.copytree(whole.state, training.state)
    other = Training(write_prepared_jets(training.folder / "other.h5", jets=240, seed=6), training.folder)
    other.finish()
    assert len(list(training.state.iterdir())) == 2
    assert other.outputs() != whole.outputs()


def test_wrong_settings_are_one_line(training: Training) -> None:
    command = ["train", str(training.prepared), "--settings", '{"trainin": {}}', "--seed", "1", "--state", "s"]
    command += ["--weights", "w", "--description", "d", "--history", "h"]
    done = subprocess.run(
        [sys.executable, "-m", "cloudchamber", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=training.folder,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("cloudchamber train: settings: ")
    assert "trainin: Extra inputs are not permitted" in line
    assert not list(training.folder.iterdir())
