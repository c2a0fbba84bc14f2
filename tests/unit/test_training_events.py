"""Event files of TensorBoard beside the history: the same rows, each once, and the same weights as without."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from prepared_jets import write_prepared_jets
from small_study import SETTINGS

from cloudchamber.cli import main
from cloudchamber.errors import InputError, StorageError
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.events import EVENTS, events
from cloudchamber.training.state import read_state

HISTORY = [{"step": 5, "training_loss": 2.0}, {"step": 10, "training_loss": 1.5, "validation_loss": 1.0}]


class _Writer:
    """Stands for the writer of TensorBoard: one line for each value, in a file for each process."""

    def __init__(self, log_dir: str) -> None:
        folder = Path(log_dir)
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"events.{len(list(folder.iterdir()))}"

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_: Any) -> None:
        self.flush()

    def add_scalar(self, name: str, value: float, step: int) -> None:
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(f"{name} {step} {value!r}\n")

    def flush(self) -> None:
        """Everything is written already."""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = _Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    monkeypatch.setitem(sys.modules, "tensorboard", ModuleType("tensorboard"))


def _lines(folder: Path) -> list[str]:
    return [line for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


def _train(folder: Path, state: str, **training: Any) -> dict[str, bytes]:
    """Train by the command and return the bytes of its outputs."""
    settings = json.dumps({**SETTINGS, "training": {**SETTINGS["training"], **training}})  # type: ignore[dict-item]
    outputs = {name: folder / state / name for name in ("weights", "description", "history")}
    command = ["train", str(folder / "prepared.h5"), "--settings", settings, "--seed", "1", "--state"]
    command += [
        str(folder / f"state_{state}"),
        *(text for name, path in outputs.items() for text in (f"--{name}", str(path))),
    ]
    assert main(command) == 0
    return {name: path.read_bytes() for name, path in outputs.items()}


def test_watching_changes_neither_weights_nor_history(stand_in: None, tmp_path: Path) -> None:
    write_prepared_jets(tmp_path / "prepared.h5", jets=60, width=5)
    alone, watched = _train(tmp_path, "alone"), _train(tmp_path, "watched", tensorboard=True)
    assert (alone["weights"], alone["history"]) == (watched["weights"], watched["history"])
    assert b"tensorboard" not in alone["description"]
    assert not list(tmp_path.glob(f"state_alone/*/{EVENTS}"))
    (folder,) = tmp_path.glob(f"state_watched/*/{EVENTS}")
    (state,) = tmp_path.glob("state_watched/*/step_000000004.pt")
    history = read_state(state)["history"]
    expected = [f"{name} {row['step']} {row[name]!r}" for row in history for name in row if name != "step"]
    assert _lines(folder) == expected
    # Whoever begins to watch has the same training, and sees what was before.
    _train(tmp_path, "alone", tensorboard=True)
    (folder,) = tmp_path.glob(f"state_alone/*/{EVENTS}")
    assert _lines(folder) == expected
    assert len(list((tmp_path / "state_alone").iterdir())) == 1


def test_a_training_that_goes_on_has_no_step_twice(stand_in: None, tmp_path: Path) -> None:
    with events(tmp_path, []) as add:
        for row in HISTORY:
            add(row)
    before = _lines(tmp_path / EVENTS)
    # The state on disk is older than the last row.
    with events(tmp_path, HISTORY[:1]) as add:
        assert _lines(tmp_path / EVENTS) == ["training_loss 5 2.0"]
        add(HISTORY[1])
    assert (
        _lines(tmp_path / EVENTS) == before == ["training_loss 5 2.0", "training_loss 10 1.5", "validation_loss 10 1.0"]
    )


def test_a_full_disk_is_one_line(stand_in: None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="file/events: cannot be written: "), events(tmp_path / "file", HISTORY):
        pytest.fail("nothing can be written")


def test_without_the_package_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    text = r"^training\.tensorboard needs the package 'tensorboard': pip install 'cloudchamber\[tensorboard\]'"
    with pytest.raises(InputError, match=text), events(tmp_path, []):
        pytest.fail("there is nothing to write with")


def test_settings_that_do_not_ask_for_it_do_not_name_it() -> None:
    assert "tensorboard" not in TrainingSettings(steps=1).model_dump(mode="json")
    assert TrainingSettings(steps=1, tensorboard=True).model_dump(mode="json")["tensorboard"] is True


# TensorBoard sets locales and opens files in its own way.
@pytest.mark.filterwarnings("ignore")
def test_tensorboard_reads_every_row_once(tmp_path: Path) -> None:
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="the extra 'tensorboard' is not installed"
    )
    with events(tmp_path, []) as add:
        for row in HISTORY:
            add(row)
    with events(tmp_path, HISTORY[:1]) as add:
        add(HISTORY[1])
    read = reader.EventAccumulator(str(tmp_path / EVENTS)).Reload()
    assert set(read.Tags()["scalars"]) == {"training_loss", "validation_loss"}
    for name in ("training_loss", "validation_loss"):
        expected = [(row["step"], row[name]) for row in HISTORY if name in row]
        assert [(event.step, event.value) for event in read.Scalars(name)] == expected
