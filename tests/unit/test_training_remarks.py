"""Settings of a training that do less than they seem to are said at its start."""

import pytest
from torch import nn

from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.average import WeightAverage
from cloudchamber.training.learning_rate import learning_rate_factor
from cloudchamber.training.remarks import remarks


def _said(**settings: object) -> list[str]:
    return list(remarks(TrainingSettings(**settings), size=1000, without_matrices=False))  # type: ignore[arg-type]


@pytest.mark.parametrize(("steps", "share"), [(500, "61%"), (1000, "37%"), (2990, "5%"), (3000, None)])
def test_weights_at_the_start_that_stay_in_the_average(steps: int, share: str | None) -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    average = WeightAverage(network, 0.999)
    nn.init.zeros_(network.weight)
    for _ in range(steps):
        average.update(network)
    (left,) = average.weights.values()
    said = _said(steps=steps)
    assert bool(said) == (share is not None) == (float(left) > 0.05)
    if share is not None:
        assert f"{float(left):.0%}" == share
        assert f"are to {share} those before the first of its {steps} steps (training.ema_decay: 0.999)" in said[0]


def test_a_learning_rate_that_is_never_reached() -> None:
    assert _said(steps=5000, warmup_steps=1000) == []
    settings = {"steps": 5000, "warmup_steps": 20000, "schedule": "constant"}
    (line,) = _said(**settings)
    loop = TrainingSettings(**settings)  # type: ignore[arg-type]
    assert max(learning_rate_factor(step, loop) for step in range(5000)) == 0.25
    assert line.startswith("the learning rate reaches 25% of what is set, in 5000 steps")


@pytest.mark.parametrize(("steps", "keep", "said"), [(400, "best", True), (400, "last", False), (1000, "best", False)])
def test_best_weights_of_a_single_validation(steps: int, keep: str, said: bool) -> None:
    lines = _said(steps=steps, keep=keep, validate_every=500, ema_decay=0.9)
    line = "the best weights are the last ones: the only validation is after all 400 steps"
    assert lines == [f"{line} (training.validate_every: 500)"] * said
