"""Each loss is least at the exact score of a linear system, where it is minus the entropy production."""

from typing import Any

import numpy as np
import pytest
import torch
from scores_of_tests import MLP, model, ones, states_of
from systems_of_tests import TRAP, system
from torch import Tensor

from cloudchamber.settings.base import parse
from cloudchamber.studies.active_matter.losses import ScoreLoss
from cloudchamber.studies.active_matter.score_settings import LossSettings
from cloudchamber.studies.active_matter.systems.system import System


class _Linear(torch.nn.Module):
    """n = z M^T, beside the attributes of a score."""

    def __init__(self, matrix: Tensor, one: System) -> None:
        super().__init__()
        self.matrix, self.system, self.shift = torch.nn.Parameter(matrix), one, True
        self.diffusions = torch.tensor(one.diffusions)

    def forward(self, state: Tensor, drive: Tensor, chosen: Tensor | None = None) -> Tensor:
        return state @ self.matrix.T

    def base(self, state: Tensor, drive: Tensor) -> Tensor:
        return self.system.drift(state, drive)

    def velocity(self, state: Tensor, drive: Tensor) -> Tensor:
        return -self.diffusions * self(state, drive)

    def score(self, state: Tensor, drive: Tensor) -> Tensor:
        return self(state, drive) + self.base(state, drive) / self.diffusions


@pytest.mark.parametrize(
    ("loss", "tolerance"),
    [
        ({"kind": "divergence"}, 1e-3),
        ({"kind": "transition", "step": 0.02}, 0.06),
        ({"kind": "additive", "sigma": 0.02}, 0.06),
    ],
)
def test_losses_are_least_at_the_exact_score_where_they_are_minus_the_production(
    loss: dict[str, Any], tolerance: float
) -> None:
    """On whitened points, whose covariance is the exact one, the minimum has no error of sampling but that of the
    noise."""
    one = system(TRAP)
    covariance = np.array([[0.866667, 0.666667], [0.666667, 1.0]])
    points = np.random.default_rng(3).standard_normal((20_000, 2))
    points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T))).T @ np.linalg.cholesky(covariance).T
    states = torch.from_numpy(points - points.mean(axis=0))[:, None]
    drift = -one.drift(np.eye(2)[:, None], 1.0).reshape(2, 2).T
    best = torch.from_numpy((-np.linalg.inv(covariance) + drift / one.diffusions[:, None]).copy())
    noise = torch.from_numpy(np.random.default_rng(4).standard_normal(states.shape))

    def value(matrix: Tensor) -> Tensor:
        score = _Linear(matrix, one)
        found: Tensor = ScoreLoss(parse(LossSettings, loss), score)(score, states, ones(states), None, noise).mean()  # type: ignore[arg-type]
        return found

    assert value(best).item() == pytest.approx(-5 / 3, abs=tolerance)
    score = _Linear(best, one)
    ScoreLoss(parse(LossSettings, loss), score)(score, states, ones(states), None, noise).mean().backward()  # type: ignore[arg-type]
    assert score.matrix.grad is not None
    assert score.matrix.grad.abs().max() < 2 * tolerance
    # A wrong score lies above by E[delta D delta].
    wrong = best + torch.tensor([[0.3, -0.1], [0.2, 0.4]])
    excess = np.trace((wrong - best).numpy() @ covariance @ (wrong - best).numpy().T @ np.diag(one.diffusions))
    assert (value(wrong) - value(best)).item() == pytest.approx(excess, abs=tolerance)


def test_the_residual_vanishes_for_the_exact_score_alone() -> None:
    one = system(TRAP)
    covariance = np.array([[0.8666666666666667, 2 / 3], [2 / 3, 1.0]])
    drift = -one.drift(np.eye(2)[:, None], 1.0).reshape(2, 2).T
    best = torch.from_numpy((-np.linalg.inv(covariance) + drift / one.diffusions[:, None]).copy())
    states = states_of(one, 50)
    settings = parse(LossSettings, {"kind": "divergence", "residual": 1.0})
    for matrix, expected in ((best, 0.0), (best + 0.2, None)):
        score = _Linear(matrix, one)
        residual = ScoreLoss(settings, score)._residual(states, ones(states))  # type: ignore[arg-type]
        if expected is None:
            # Written out: div v + v . s of linear functions.
            velocity, full = score.velocity(states, ones(states)), score.score(states, ones(states))
            divergence = -(torch.tensor(one.diffusions) * torch.diagonal(matrix)).sum()
            written = (divergence + (velocity * full).sum(dim=(1, 2))).square()
            assert torch.allclose(residual, written)
            assert residual.mean() > 1e-3
        else:
            assert residual.abs().max() < 1e-20


def test_antithetic_noise_has_a_small_variance_at_a_small_step() -> None:
    one = system(TRAP)
    score, states = model(MLP, one), states_of(one, 4000)
    noise = torch.from_numpy(np.random.default_rng(4).standard_normal(states.shape))
    spreads = {}
    for antithetic in (True, False):
        settings = parse(LossSettings, {"kind": "additive", "sigma": 0.001, "antithetic": antithetic})
        spreads[antithetic] = ScoreLoss(settings, score)(score, states, ones(states), None, noise).std().item()
    assert spreads[False] > 30 * spreads[True]
