"""Trainings that end too soon: resumed to the bit, damaged states passed over, foreign ones refused."""

import fcntl
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_training import (
    SETTINGS,
    InterruptedTrainingError,
    Regression,
    fit_task,
    interrupt,
    same,
    saved_steps,
)
from torch import Tensor

from cloudchamber.errors import StateError, TerminatedError
from cloudchamber.training.state import locked, save_state
from cloudchamber.training.trainer import Trained


@pytest.fixture
def whole(tmp_path: Path) -> Trained:
    """The result of a training that nothing interrupts."""
    return fit_task(Regression(), tmp_path / "whole")


@pytest.mark.parametrize("calls", [1, 5, 6, 13, 23])
def test_an_interrupted_training_goes_on_to_the_same_bits(whole: Trained, tmp_path: Path, calls: int) -> None:
    folder = tmp_path / "interrupted"
    with pytest.raises(InterruptedTrainingError):
        fit_task(Regression({calls: interrupt}), folder)
    torch.manual_seed(99)  # as in a new process
    resumed = Regression()
    assert same(fit_task(resumed, folder), whole)
    assert resumed.calls == 23 - (calls - 1) // 5 * 5
    finished = Regression()
    assert same(fit_task(finished, folder), whole)
    assert finished.calls == 0


def test_a_training_with_muon_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"muon_learning_rate": 0.02})
    trained = fit_task(Regression(), tmp_path / "whole", settings)
    with pytest.raises(InterruptedTrainingError):
        fit_task(Regression({13: interrupt}), tmp_path / "interrupted", settings)
    resumed = Regression()
    assert same(fit_task(resumed, tmp_path / "interrupted", settings), trained)
    assert resumed.calls == 23 - 10
    assert not same(fit_task(Regression(), tmp_path / "without"), trained)


def test_many_interruptions(whole: Trained, tmp_path: Path) -> None:
    folder = tmp_path / "interrupted"
    for _ in range(3):
        with pytest.raises(InterruptedTrainingError):
            fit_task(Regression({7: interrupt}), folder)
    assert same(fit_task(Regression(), folder), whole)


def test_a_termination_signal_saves_first(whole: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "terminated"

    def terminate(loss: Tensor) -> Tensor:
        os.kill(os.getpid(), 15)
        return loss

    with pytest.raises(TerminatedError, match="terminated after step 8 of 23"):
        fit_task(Regression({8: terminate}), folder)
    assert saved_steps(folder) == [5, 8]
    resumed = Regression()
    assert same(fit_task(resumed, folder), whole)
    assert resumed.calls == 15
    assert "warning" not in capsys.readouterr().err


def test_two_states_are_kept(whole: Trained, tmp_path: Path) -> None:
    assert saved_steps(tmp_path / "whole") == [20, 23]
    assert sorted(path.name for path in (tmp_path / "whole").iterdir()) == [
        "lock",
        "step_000000020.pt",
        "step_000000023.pt",
    ]


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(StateError, match=f"in use by another training .process {os.getpid()} on "):
        fit_task(Regression(), tmp_path)
    assert not saved_steps(tmp_path)
    with open(tmp_path / "lock", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
    content[content.index(largest.filename.encode()) + len(largest.filename) + 200] ^= 1
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-500])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_flip, _cut, _empty])
def test_a_damaged_state_is_passed_over_with_a_warning(
    whole: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "damaged"
    with pytest.raises(InterruptedTrainingError):
        fit_task(Regression({13: interrupt}), folder)
    assert saved_steps(folder) == [5, 10]
    damage(folder / "step_000000010.pt")
    capsys.readouterr()
    resumed = Regression()
    assert same(fit_task(resumed, folder), whole)
    assert resumed.calls == 18
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert "step_000000010.pt: damaged, trying the state before it" in warnings[0]


def test_when_every_state_is_damaged_the_training_does_not_start_over_by_itself(tmp_path: Path) -> None:
    with pytest.raises(InterruptedTrainingError):
        fit_task(Regression({13: interrupt}), tmp_path)
    for path in tmp_path.glob("step_*.pt"):
        _flip(path)
    with pytest.raises(StateError, match="none of 2 saved states can be read"):
        fit_task(Regression(), tmp_path)


def test_a_foreign_state_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path, 5, {"identity": json.dumps({"data": "other"}, sort_keys=True), "step": 5})
    with pytest.raises(StateError, match="belongs to other settings or data"):
        fit_task(Regression(), tmp_path)


def test_a_zip_file_that_is_no_state_counts_as_damaged(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, tmp_path / "step_000000005.pt")
    with pytest.raises(StateError):
        fit_task(Regression(), tmp_path)


def test_half_written_states_of_a_killed_process_are_cleared(tmp_path: Path) -> None:
    left = tmp_path / ".step_000000005.12345.pt"
    left.write_bytes(b"half")
    fit_task(Regression(), tmp_path)
    assert not left.exists()
