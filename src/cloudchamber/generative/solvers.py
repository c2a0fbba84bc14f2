"""Solvers that integrate from noise (t = 1) to data on the time grid of the path, and count their evaluations."""

from collections.abc import Callable
from itertools import pairwise
from typing import final

import torch
from torch import Tensor

from cloudchamber.generative.objectives import Objective
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP, SamplerSettings, Solver

__all__ = ["Field", "solve"]


@final
class Field:
    """What a solver sees of a model: estimates and velocities, each at the cost of one counted evaluation.

    Args:
        network: maps an input (M, F) and a time (1, 1) to the prediction (M, F).
        objective: says what the network sees and what its prediction means.
    """

    def __init__(self, network: Callable[[Tensor, Tensor], Tensor], objective: Objective) -> None:
        self._network = network
        self._objective = objective
        self.path = objective.path
        self.evaluations = 0

    def estimate(self, state: Tensor, time: Tensor, end: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the estimated clean data and noise, both (M, F); ``end`` (1, 1) is where a flow map is to go."""
        self.evaluations += 1
        seen, network_time = self._objective.inputs(state, time, lambda shared: shared)
        if end is not None:
            interval = network_time - self._objective.inputs(state, end, lambda shared: shared)[1]
            network_time = torch.cat([network_time, interval], dim=1)
        prediction = self._network(seen, network_time)
        return self._objective.estimate(prediction, state, time)

    def velocity(self, state: Tensor, time: Tensor) -> Tensor:
        """Return dx/dt (M, F) of the probability-flow equation."""
        clean, noise = self.estimate(state, time)
        return self.path.signal_rate(time) * clean + self.path.noise_rate(time) * noise


Step = Callable[[Field, Tensor, Tensor, Tensor, torch.Generator], Tensor]


def _euler(field: Field, state: Tensor, time: Tensor, step: Tensor, generator: torch.Generator) -> Tensor:
    return state - step * field.velocity(state, time)


def _midpoint(field: Field, state: Tensor, time: Tensor, step: Tensor, generator: torch.Generator) -> Tensor:
    middle = state - step / 2 * field.velocity(state, time)
    return state - step * field.velocity(middle, time - step / 2)


def _heun(field: Field, state: Tensor, time: Tensor, step: Tensor, generator: torch.Generator) -> Tensor:
    first = field.velocity(state, time)
    second = field.velocity(state - step * first, time - step)
    return state - step / 2 * (first + second)


def _rk4(field: Field, state: Tensor, time: Tensor, step: Tensor, generator: torch.Generator) -> Tensor:
    first = field.velocity(state, time)
    second = field.velocity(state - step / 2 * first, time - step / 2)
    third = field.velocity(state - step / 2 * second, time - step / 2)
    fourth = field.velocity(state - step * third, time - step)
    return state - step / 6 * (first + 2 * second + 2 * third + fourth)


def _euler_maruyama(field: Field, state: Tensor, time: Tensor, step: Tensor, generator: torch.Generator) -> Tensor:
    """One step of the reverse-time stochastic equation dx = (v - g^2/2 score) dt + g dW (arXiv 2011.13456)."""
    clean, noise = field.estimate(state, time)
    velocity = field.path.signal_rate(time) * clean + field.path.noise_rate(time) * noise
    diffusion = field.path.diffusion(time)
    drift = velocity + diffusion / 2 * noise / field.path.noise(time)
    kick = torch.randn(state.shape, generator=generator, device=state.device)
    return state - step * drift + (diffusion * step).sqrt() * kick


def _ddim(field: Field, state: Tensor, time: Tensor, step: Tensor, generator: torch.Generator) -> Tensor:
    """One step of DDIM (arXiv 2010.02502, eq. 12, deterministic): keep the estimates, change the rates."""
    clean, noise = field.estimate(state, time)
    return field.path.signal(time - step) * clean + field.path.noise(time - step) * noise


def _flow_map(field: Field, state: Tensor, time: Tensor, step: Tensor, generator: torch.Generator) -> Tensor:
    """One step of DDIM with what a flow map predicts for this step."""
    clean, noise = field.estimate(state, time, time - step)
    return field.path.signal(time - step) * clean + field.path.noise(time - step) * noise


def _one_step(field: Field, state: Tensor, time: Tensor, step: Tensor, generator: torch.Generator) -> Tensor:
    """The estimate of the clean data itself, for models that are made for one evaluation."""
    clean, _ = field.estimate(state, time)
    return clean


@final
class _DpmSolver:
    """DPM-Solver++(2M) (arXiv 2211.01095, algorithm 2): extrapolates the estimates of clean data linearly in ln SNR.

    The first step and the last are of first order: there is nothing to extrapolate from, and ln SNR leaps at the end.
    """

    def __init__(self, steps: int) -> None:
        self._left = steps
        self._clean: Tensor | None = None
        self._leap = torch.inf

    def __call__(self, field: Field, state: Tensor, time: Tensor, step: Tensor, generator: torch.Generator) -> Tensor:
        path, after = field.path, time - step
        clean, _ = field.estimate(state, time)
        shrink = path.noise(after) / path.noise(time)
        leap = float((path.signal(after) / path.signal(time) / shrink).log())
        self._left -= 1
        extrapolated = clean
        if self._clean is not None and self._left:
            extrapolated = clean + leap / (2 * self._leap) * (clean - self._clean)
        self._clean, self._leap = clean, leap
        return shrink * state + (path.signal(after) - path.signal(time) * shrink) * extrapolated


_STEPS: dict[Solver, Step] = {
    "euler": _euler,
    "midpoint": _midpoint,
    "heun": _heun,
    "rk4": _rk4,
    "euler_maruyama": _euler_maruyama,
    "ddim": _ddim,
    "flow_map": _flow_map,
    "one_step": _one_step,
}


def solve(
    field: Field,
    start: Tensor,
    settings: SamplerSettings,
    generator: torch.Generator,
    on_step: Callable[[Tensor], None] | None = None,
) -> Tensor:
    """Integrate ``field`` from ``start`` (M, F), noise of unit variance, to data.

    The state stays in float32 whatever the precision of the network. Exactly ``settings.evaluations`` evaluations are
    spent; ``field.evaluations`` counts them.

    Args:
        field: the model.
        start: (M, F) standard normal noise.
        settings: solver and number of evaluations.
        generator: noise of the stochastic solver.
        on_step: called with the state after each step.

    Example:
        >>> from cloudchamber.generative.objectives import FlowMatching
        >>> from cloudchamber.settings.objectives import FlowMatchingSettings
        >>> objective = FlowMatching(FlowMatchingSettings(kind="flow_matching", sigma_min=0.0))
        >>> field = Field(lambda state, time: (state - 2) / time, objective)  # all data lie at 2
        >>> start, generator = torch.randn(4, 1), torch.Generator()
        >>> drawn = solve(field, start, SamplerSettings(solver="midpoint", evaluations=8), generator)
        >>> torch.allclose(drawn, torch.full((4, 1), 2.0))
        True
        >>> field.evaluations
        8
    """
    steps = settings.evaluations // EVALUATIONS_PER_STEP[settings.solver]
    times = field.path.grid(steps)
    advance = _DpmSolver(steps) if settings.solver == "dpm_solver" else _STEPS[settings.solver]
    state = start * field.path.noise(times[0]).to(start)
    for now, after in pairwise(times):
        time = now.to(state).reshape(1, 1)
        state = advance(field, state, time, (now - after).to(state).reshape(1, 1), generator)
        if on_step is not None:
            on_step(state)
    return state
