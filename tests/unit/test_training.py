"""The training loop: schedule, history, average, best weights, divergence."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import pytest
import torch
from small_training import (
    IDENTITY,
    SETTINGS,
    InterruptedTrainingError,
    Regression,
    fit_task,
    interrupt,
    same,
    saved_steps,
)
from torch import Tensor, nn

from cloudchamber.errors import DivergenceError
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.average import WeightAverage
from cloudchamber.training.learning_rate import learning_rate_factor
from cloudchamber.training.state import load_state
from cloudchamber.training.task import Task
from cloudchamber.training.trainer import Trained


@pytest.fixture
def whole(tmp_path: Path) -> Trained:
    """The result of a training that nothing interrupts."""
    return fit_task(Regression(), tmp_path / "whole")


def test_the_schedule() -> None:
    cosine = TrainingSettings(steps=100, warmup_steps=10)
    assert [learning_rate_factor(step, TrainingSettings(steps=9, schedule="constant")) for step in (0, 5, 8)] == [
        1,
        1,
        1,
    ]
    assert learning_rate_factor(0, cosine) == pytest.approx(0.1)
    assert learning_rate_factor(4, cosine) == pytest.approx(0.5 * (1 + math.cos(math.pi * 0.04)) / 2)
    assert learning_rate_factor(50, cosine) == pytest.approx(0.5)
    assert 0 < learning_rate_factor(99, cosine) < 3e-4
    constant = TrainingSettings(steps=100, warmup_steps=10, schedule="constant")
    assert learning_rate_factor(9, constant) == learning_rate_factor(70, constant) == 1


def test_the_history_holds_step_learning_rate_and_figures(whole: Trained) -> None:
    assert [row["step"] for row in whole.history] == [6, 12, 18, 23]
    for row in whole.history:
        assert set(row) == {"step", "learning_rate", "training_loss", "error"}
        assert row["learning_rate"] == pytest.approx(1e-2 * learning_rate_factor(row["step"] - 1, SETTINGS))
    assert whole.history[-1]["error"] < whole.history[0]["error"]
    assert whole.first


def test_between_validations_the_history_has_the_training_loss(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"record_every": 4})
    whole = fit_task(Regression(), tmp_path / "whole", settings)
    assert [row["step"] for row in whole.history] == [4, 6, 8, 12, 16, 18, 20, 23]
    assert [row["step"] for row in whole.history if "error" in row] == [6, 12, 18, 23]
    # Each is the mean since the row before: together they are those of the single steps.
    each = fit_task(Regression(), tmp_path / "each", SETTINGS.model_copy(update={"record_every": 1})).history
    losses = {row["step"]: row["training_loss"] for row in each}
    for before, row in zip([0, 4, 6, 8, 12, 16, 18, 20], whole.history, strict=True):
        mean = sum(losses[step] for step in range(before + 1, row["step"] + 1)) / (row["step"] - before)
        assert row["training_loss"] == pytest.approx(mean)
    # Rows and what was summed up since the last one are part of the state.
    with pytest.raises(InterruptedTrainingError):
        fit_task(Regression(at_step={16: interrupt}), tmp_path / "state", settings)
    assert same(fit_task(Regression(), tmp_path / "state", settings), whole)


def test_training_learns(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"steps": 400, "validate_every": 400})
    trained = fit_task(Regression(), tmp_path, settings)
    # The target is the sum of three standard normals: an untrained network misses it by their variance, 3.
    assert trained.history[-1]["error"] < 0.5


def test_the_average_of_the_weights() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = WeightAverage(network, decay=0.75)
    expected = {name: value.clone() for name, value in network.state_dict().items()}
    for _ in range(5):
        with torch.no_grad():
            for value in network.parameters():
                value.add_(torch.rand_like(value))
        network.train()(torch.randn(4, 2))
        average.update(network)
        for name, value in network.state_dict().items():
            moves = value.is_floating_point()
            expected[name] = 0.75 * expected[name] + 0.25 * value if moves else value.clone()
    for name, value in expected.items():
        torch.testing.assert_close(average.weights[name], value, msg=name)
    assert int(average.weights["1.num_batches_tracked"]) == 5
    restored = WeightAverage(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), decay=0.75)
    restored.load(average.weights)
    assert all(torch.equal(restored.weights[name], value) for name, value in average.weights.items())


def test_the_result_is_the_average_and_not_the_last_step(whole: Trained, tmp_path: Path) -> None:
    state = load_state(tmp_path / "whole", IDENTITY, pytest.fail)
    assert state is not None
    assert all(torch.equal(whole.weights[name], value) for name, value in state["average"].items())
    assert not torch.equal(state["network"]["0.weight"], whole.weights["0.weight"])


def test_the_seed_decides_everything(whole: Trained, tmp_path: Path) -> None:
    assert same(fit_task(Regression(), tmp_path / "again"), whole)
    assert not same(fit_task(Regression(), tmp_path / "other", seed=5), whole)


def test_muon_without_a_matrix_to_move_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = SETTINGS.model_copy(update={"muon_learning_rate": 0.02})
    said = "training: no weights are a matrix that Muon moves (training.muon_learning_rate)\n"
    fit_task(Regression(), tmp_path / "with", settings)
    assert said not in capsys.readouterr().err
    small = Regression()
    small.network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    fit_task(small, tmp_path / "without", settings)
    assert said in capsys.readouterr().err


def test_a_batch_larger_than_the_sample_is_the_sample_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = fit_task(Regression(), tmp_path / "whole", SETTINGS.model_copy(update={"batch_size": 29}))
    assert "training.batch_size" not in capsys.readouterr().err
    larger = fit_task(Regression(), tmp_path / "larger", SETTINGS.model_copy(update={"batch_size": 256}))
    line = "training: batches of 29 examples, all there are, and not 256 (training.batch_size)\n"
    assert capsys.readouterr().err.count(line) == 1
    assert same(larger, whole)


@final
class _Overfitting(Task):
    """What :class:`Regression` is, with a validation loss that falls until the third validation and rises again."""

    def __init__(self, at_step: dict[int, Callable[[Tensor], Tensor]] | None = None) -> None:
        self._task = Regression(at_step)
        self.network, self.size = self._task.network, self._task.size
        self.seen: list[dict[str, Tensor]] = []

    def to(self, device: torch.device) -> None:
        self._task.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        return self._task.loss(network, rows, generator, share)

    def validate(self, network: nn.Module) -> dict[str, Any]:
        self.seen.append({name: value.clone() for name, value in network.state_dict().items()})
        step = int(network.state_dict()["1.num_batches_tracked"])
        return {"validation_loss": abs(step - 18.0)}


def test_the_best_weights_are_those_of_the_lowest_validation_loss(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"keep": "best"})
    task = _Overfitting()
    trained = fit_task(task, tmp_path / "whole", settings)
    losses = [row["validation_loss"] for row in trained.history]
    assert losses == [12.0, 6.0, 0.0, 5.0]
    assert all(torch.equal(trained.weights[name], value) for name, value in task.seen[2].items())
    assert not torch.equal(trained.weights["0.weight"], task.seen[3]["0.weight"])
    # Killed after the best one, and started again.
    with pytest.raises(InterruptedTrainingError):
        fit_task(_Overfitting({22: interrupt}), tmp_path / "resumed", settings)
    assert same(fit_task(_Overfitting(), tmp_path / "resumed", settings), trained)


def _infinite_gradient(loss: Tensor) -> Tensor:
    return loss + (loss - loss.detach()).sqrt()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda loss: loss * math.nan, "loss is nan at step 10"),
        (lambda loss: loss * math.inf, "loss is inf at step 10"),
        (_infinite_gradient, "norm of the gradient is (nan|inf) at step 10"),
    ],
)
def test_divergence_stops_the_training_and_keeps_the_last_good_state(
    tmp_path: Path, spoil: Callable[[Tensor], Tensor], message: str
) -> None:
    # Step 10 is one that is saved.
    with pytest.raises(DivergenceError, match=message) as caught:
        fit_task(Regression({10: spoil}), tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert saved_steps(tmp_path) == [5]
    state = load_state(tmp_path, IDENTITY, pytest.fail)
    assert state is not None
    assert all(value.isfinite().all() for value in state["network"].values())


def test_divergence_names_the_learning_rates_that_there_are(tmp_path: Path) -> None:
    for muon, named in (
        (None, "training.learning_rate or"),
        (0.02, "training.learning_rate, training.muon_learning_rate or"),
    ):
        settings = SETTINGS.model_copy(update={"muon_learning_rate": muon})
        with pytest.raises(DivergenceError, match=f"; lower {named} training.gradient_clip"):
            fit_task(Regression({10: lambda loss: loss * math.nan}), tmp_path / str(muon), settings)


def test_mixed_precision_trains(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"precision": "bf16-mixed"})
    trained = fit_task(Regression(), tmp_path, settings)
    assert trained.history[-1]["error"] < trained.history[0]["error"]
    assert all(value.dtype != torch.bfloat16 for value in trained.weights.values())
