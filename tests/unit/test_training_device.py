"""A training that asks for a GPU where there is none says so in one line, before anything is computed."""

import pytest
import torch

from cloudchamber.errors import SettingsError
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.processes import OneProcessOnCPU, processes_of


def test_a_gpu_that_is_not_there_is_named_with_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match=r"^training\.accelerator: cuda, and torch .* finds no GPU"):
        processes_of(TrainingSettings(steps=1, accelerator="cuda"))
    assert isinstance(processes_of(TrainingSettings(steps=1, accelerator="auto")), OneProcessOnCPU)


def test_more_processes_than_examples_are_refused() -> None:
    """A batch is rounded down to a multiple of the processes, here to none."""
    assert TrainingSettings(steps=1, batch_size=8, devices=4, nodes=2).batch_size == 8
    with pytest.raises(ValueError, match="batch_size: 7 examples cannot be shared by 8 processes"):
        TrainingSettings(steps=1, batch_size=7, devices=4, nodes=2)
