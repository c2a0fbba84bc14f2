"""Trainings on the device: the steps of the CPU where nothing is random, resumption, bfloat16, every kind of task."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import pytest
import torch
from examples_of_gpu_tests import CLASSES, EPIC, PARTICLENET, classifier_jets, jets, score_states, showers, training
from torch import Tensor, nn

from cloudchamber.errors import TerminatedError
from cloudchamber.generative.flow_map import FlowMapTask
from cloudchamber.generative.objectives import FlowMatching, build_path_objective
from cloudchamber.generative.task import GenerationTask
from cloudchamber.networks.epic import Epic
from cloudchamber.networks.packing import PackedClouds
from cloudchamber.networks.particlenet import ParticleNet
from cloudchamber.settings.objectives import DiffusionSettings, EdmSettings, FlowMatchingSettings
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.studies.active_matter.score_settings import LossSettings
from cloudchamber.studies.active_matter.score_task import ScoreTask
from cloudchamber.studies.showers.allshowers import AllShowers
from cloudchamber.studies.showers.model_settings import AllShowersNetwork
from cloudchamber.studies.showers.shower_tasks import ShowerFlowTask
from cloudchamber.training.classification import ClassificationTask
from cloudchamber.training.task import Task
from cloudchamber.training.trainer import Trained, fit

_FLOW = FlowMatchingSettings(kind="flow_matching")
_SEGMENTS = 4


def _trained(task: Task, settings: TrainingSettings, folder: Path) -> Trained:
    return fit(task, settings, 1, folder, {"test": "gpu"})


def _classification() -> ClassificationTask:
    torch.manual_seed(1)
    *inputs, target = classifier_jets(120)
    train, validation = torch.arange(90), torch.arange(90, 120)
    return ClassificationTask(ParticleNet(PARTICLENET, 5, CLASSES), tuple(inputs), target, train, validation)


def _generation(objective: Any = _FLOW) -> GenerationTask:
    torch.manual_seed(2)
    network = Epic(3, 0, EPIC)
    return GenerationTask(network, build_path_objective(objective), jets(96, 8), jets(20, 8, 2), lambda v: v, 3)


def _flow_map() -> FlowMapTask:
    torch.manual_seed(3)
    true, number = jets(40, 8), 40
    noise = torch.randn(true.values.shape, generator=torch.Generator().manual_seed(4))
    times = torch.linspace(1, 0, _SEGMENTS + 1)
    states = torch.cat([time * noise + (1 - time) * true.values for time in times], dim=1)
    paths = PackedClouds(states, true.offsets, torch.zeros(number, 0))
    network = Epic(3, 0, EPIC, intervals=True)
    return FlowMapTask(network, build_path_objective(_FLOW), paths, paths, _SEGMENTS, lambda v: v, true, 5)


def _showers() -> ShowerFlowTask:
    torch.manual_seed(6)
    network = AllShowers(AllShowersNetwork(kind="allshowers", width=16, heads=2, feed_forward=16, counts_hidden=8), 9)
    return ShowerFlowTask(network, FlowMatching(_FLOW), showers(48), showers(8), "independent", 7)


def _score() -> ScoreTask:
    score, states = score_states("local score", 48)
    rows, drives = torch.arange(48), torch.ones(48)
    return ScoreTask(score, LossSettings(), states, drives, rows[:40], rows[40:], 8, 8)


TASKS: dict[str, Callable[[], Task]] = {
    "log posterior": _classification,
    "flow matching": _generation,
    "diffusion": lambda: _generation(DiffusionSettings(kind="diffusion")),
    "EDM": lambda: _generation(EdmSettings(kind="edm")),
    "flow map": _flow_map,
    "showers": _showers,
    "score of active matter": _score,
}


def test_a_training_without_noise_goes_the_way_of_the_cpu(device: torch.device, tmp_path: Path) -> None:
    weights = []
    for at, name in ((torch.device("cpu"), "cpu"), (device, "there")):
        weights.append(_trained(_classification(), training(at, learning_rate=1e-4), tmp_path / name).weights)
    for name, expected in weights[0].items():
        # Ten steps of AdamW move a weight by a thousandth at most, whatever the size of its gradient.
        torch.testing.assert_close(weights[1][name], expected, rtol=1e-3, atol=1e-3, msg=name)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_every_task_is_trained(device: torch.device, tmp_path: Path, name: str, precision: str) -> None:
    task = TASKS[name]()
    before = {key: value.clone() for key, value in task.network.state_dict().items()}
    trained = _trained(task, training(device, steps=30, precision=precision, validate_every=15), tmp_path)
    assert [row["step"] for row in trained.history] == [15, 30]
    assert all(torch.isfinite(value).all() for value in trained.weights.values())
    assert any(not torch.equal(value, before[key]) for key, value in trained.weights.items())
    assert all(
        value.device.type == "cpu" and value.dtype == before[key].dtype for key, value in trained.weights.items()
    )


@pytest.mark.parametrize("name", ["log posterior", "flow matching"])
def test_bfloat16_learns_as_float32_does(device: torch.device, tmp_path: Path, name: str) -> None:
    losses = []
    for precision in ("32-true", "bf16-mixed"):
        settings = training(device, steps=60, precision=precision, validate_every=60, record_every=10)
        history = _trained(TASKS[name](), settings, tmp_path / precision).history
        losses.append(history[-1]["training_loss"])
        assert losses[-1] < history[0]["training_loss"]
    assert abs(losses[1] - losses[0]) < 0.15 * losses[0]


@final
class _Stopped(Task):
    """A task whose process is asked to end in the middle."""

    def __init__(self, task: Task, step: int) -> None:
        self.network, self.size, self._task, self._left = task.network, task.size, task, step

    def to(self, device: torch.device) -> None:
        self._task.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return self._task.loss(network, rows, generator, share)

    def validate(self, network: nn.Module) -> dict[str, Any]:
        return self._task.validate(network)


@pytest.mark.parametrize("name", ["log posterior", "flow matching", "showers"])
def test_a_training_that_is_ended_goes_on_where_it_was(device: torch.device, tmp_path: Path, name: str) -> None:
    settings = training(device)
    whole = _trained(TASKS[name](), settings, tmp_path / "whole")
    with pytest.raises(TerminatedError, match="terminated after step 7 of 10"):
        _trained(_Stopped(TASKS[name](), 7), settings, tmp_path / "ended")
    resumed = _trained(TASKS[name](), settings, tmp_path / "ended")
    exact = device.type == "cpu"
    for key, expected in whole.weights.items():
        error = 0.0 if exact else 2e-3
        torch.testing.assert_close(resumed.weights[key], expected, rtol=error, atol=error, msg=key)
    for row, other in zip(resumed.history, whole.history, strict=True):
        assert row["training_loss"] == pytest.approx(other["training_loss"], rel=1e-3)
