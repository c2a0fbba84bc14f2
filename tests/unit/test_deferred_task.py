"""A training whose data are made late is the training that it stands for, and makes no data once it is finished."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import pytest
import torch
from prepared_jets import write_prepared_jets
from torch import Tensor, nn

from cloudchamber.generative import train_flow_map
from cloudchamber.generative.train import train
from cloudchamber.settings.base import parse
from cloudchamber.settings.flow_maps import DistillationSettings
from cloudchamber.settings.generators import GeneratorSettings
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.deferred_task import DeferredTask
from cloudchamber.training.task import Task
from cloudchamber.training.trainer import fit

LOOP = {"steps": 6, "batch_size": 4, "validate_every": 3, "save_every": 3, "accelerator": "cpu"}
IDENTITY = {"settings": {}}


@final
class _Fit(Task):
    def __init__(self, network: nn.Module, size: int = 9) -> None:
        self.network, self.size = network, size
        self._values = torch.linspace(0, 1, size)[:, None]

    def to(self, device: torch.device) -> None:
        self._values = self._values.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        values = self._values[rows][share]
        noise = torch.randn(len(rows), 1, generator=generator)[share]
        return (network(values) - values - 0.1 * noise).square().mean()

    def validate(self, network: nn.Module) -> dict[str, Any]:
        with torch.no_grad():
            return {"validation_loss": float((network(self._values) - self._values).square().mean())}


def _network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return nn.Linear(1, 1)


def test_weights_are_those_of_the_task_that_it_stands_for(tmp_path: Path) -> None:
    settings, made = parse(TrainingSettings, LOOP), []

    def deferred() -> DeferredTask:
        network = _network()

        def make() -> Task:
            made.append(1)
            return _Fit(network)

        return DeferredTask(network, 9, make)

    expected = fit(_Fit(_network()), settings, 1, tmp_path / "a", IDENTITY)
    found = fit(deferred(), settings, 1, tmp_path / "b", IDENTITY)
    assert made == [1]
    again = fit(deferred(), settings, 1, tmp_path / "b", IDENTITY)
    assert made == [1], "it was finished"
    for other in (found, again):
        assert other.history == expected.history
        assert all(torch.equal(other.weights[name], value) for name, value in expected.weights.items())


def test_another_size_than_was_said_is_refused(tmp_path: Path) -> None:
    network = _network()
    with pytest.raises(ValueError, match="a task of 9 examples, expected 8"):
        fit(DeferredTask(network, 8, lambda: _Fit(network)), parse(TrainingSettings, LOOP), 1, tmp_path / "a", IDENTITY)


def test_a_finished_flow_map_of_jets_draws_no_trajectories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_prepared_jets(tmp_path / "prepared.h5", jets=60, width=5)
    network = {"kind": "epic", "layers": 1, "hidden": 8, "latent": 4, "time_features": 4}
    model = {"network": network, "objective": {"kind": "flow_matching"}, "training": LOOP}
    sampler = {"solver": "midpoint", "evaluations": 4}
    to_map = parse(
        DistillationSettings, {"segments": 2, "trajectories": 12, "teacher_sampler": sampler, "training": LOOP}
    )

    def outputs(folder: str) -> dict[str, Path]:
        names = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}
        return {key: tmp_path / folder / name for key, name in names.items()}

    train(source, parse(GeneratorSettings, model), 1, tmp_path / "state", **outputs("teacher"))
    teacher = outputs("teacher")
    given = (source, teacher["weights"], teacher["description"], to_map, 1, tmp_path / "state")
    train_flow_map.train_flow_map(*given, **outputs("first"))

    def refused(*_: Any) -> None:
        raise AssertionError("trajectories are drawn")

    monkeypatch.setattr(train_flow_map, "trajectories", refused)
    train_flow_map.train_flow_map(*given, **outputs("again"))
    for name in ("weights", "history"):
        assert outputs("again")[name].read_bytes() == outputs("first")[name].read_bytes()
