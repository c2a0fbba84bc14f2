"""Paths, objectives and solvers against closed forms.

For data that are normal, N(mu, s^2), everything is known: with signal a(t) and noise b(t) of a path, x_t is normal with
mean a mu and variance V = a^2 s^2 + b^2; the ideal predictions are linear in x; and the probability-flow equation
carries x(1) to a(0) mu + sqrt(V(0) / V(1)) (x(1) - a(1) mu).
"""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from cloudchamber.generative.objectives import Adversarial, Diffusion, Edm, FlowMatching, Objective
from cloudchamber.generative.paths import CosinePath, ExplodingPath, GaussianPath, StraightPath
from cloudchamber.generative.solvers import Field, solve
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP, SamplerSettings
from cloudchamber.settings.objectives import DiffusionSettings, EdmSettings, FlowMatchingSettings

MEAN, DEVIATION = 0.7, 0.4
PATHS: dict[str, GaussianPath] = {
    "straight": StraightPath(1e-4),
    "straight-wide": StraightPath(0.3),
    "cosine": CosinePath(0.999, 0.02),
    "exploding": ExplodingPath(0.01, 20.0, 7.0),
}
EDM = EdmSettings(kind="edm", sigma_min=0.005, sigma_max=40.0)
OBJECTIVES: dict[str, Objective] = {
    "flow matching": FlowMatching(FlowMatchingSettings(kind="flow_matching")),
    "diffusion": Diffusion(DiffusionSettings(kind="diffusion")),
    "edm": Edm(EDM),
}
ORDINARY = [solver for solver in EVALUATIONS_PER_STEP if solver != "one_step"]


def _now(time: float) -> Tensor:
    return torch.tensor([[time]], dtype=torch.float64)


def _variance(path: GaussianPath, time: Tensor) -> Tensor:
    return (path.signal(time) * DEVIATION) ** 2 + path.noise(time) ** 2


def _ideal_network(objective: Objective) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the prediction that minimises the loss for normal data: the mean of the target, given x_t."""
    path = objective.path

    def expected_noise(state: Tensor, time: Tensor) -> Tensor:
        return path.noise(time) / _variance(path, time) * (state - path.signal(time) * MEAN)

    def expected_velocity(state: Tensor, time: Tensor) -> Tensor:
        growth = path.signal_rate(time) * path.signal(time) * DEVIATION**2 + path.noise_rate(time) * path.noise(time)
        centred = state - path.signal(time) * MEAN
        return path.signal_rate(time) * MEAN + growth / _variance(path, time) * centred

    def expected_output(seen: Tensor, at: Tensor) -> Tensor:
        # The inputs of EDM (arXiv 2206.00364, table 1), inverted, and its outputs, for sigma_data = 1.
        sigma = (math.log(EDM.sigma_min) + at * math.log(EDM.sigma_max / EDM.sigma_min)).exp()
        state = seen * (sigma**2 + 1).sqrt()
        clean = state - sigma * sigma / (DEVIATION**2 + sigma**2) * (state - MEAN)
        return (clean - state / (sigma**2 + 1)) / (sigma / (sigma**2 + 1).sqrt())

    if isinstance(objective, Edm):
        return expected_output
    return expected_velocity if isinstance(objective, FlowMatching) else expected_noise


def _settings(solver: str, steps: int) -> SamplerSettings:
    return SamplerSettings.model_validate({"solver": solver, "evaluations": steps * EVALUATIONS_PER_STEP[solver]})


def _solution(objective: Objective, start: Tensor) -> Tensor:
    path = objective.path
    first, last = _now(1), path.grid(1)[-1:].reshape(1, 1)
    stretch = (_variance(path, last) / _variance(path, first)).sqrt()
    return path.signal(last) * MEAN + stretch * (path.noise(first) * start - path.signal(first) * MEAN)


def _solve(objective: Objective, solver: str, steps: int, start: Tensor, seed: int = 0) -> Tensor:
    field = Field(_ideal_network(objective), objective)
    return solve(field, start, _settings(solver, steps), torch.Generator().manual_seed(seed))


@pytest.fixture
def start() -> Tensor:
    return torch.linspace(-2, 2, 9, dtype=torch.float64).reshape(3, 3)


@pytest.mark.parametrize("name", PATHS)
@given(time=st.floats(0, 1))
def test_rates_are_the_derivatives(name: str, time: float) -> None:
    path = PATHS[name]
    now = torch.tensor(time, dtype=torch.float64, requires_grad=True)
    for function, rate in ((path.signal, path.signal_rate), (path.noise, path.noise_rate)):
        # The product with zero keeps what is constant in the graph.
        (derivative,) = torch.autograd.grad(function(now) + 0 * now, now)
        assert float(rate(now).detach()) == pytest.approx(float(derivative), abs=1e-12)


@pytest.mark.parametrize(("name", "signal"), [("straight", 0.0), ("cosine", 0.02)])
def test_paths_begin_at_the_data_and_end_in_noise(name: str, signal: float) -> None:
    path = PATHS[name]
    assert float(path.signal(_now(1))) == pytest.approx(signal, abs=1e-12)
    assert float(path.noise(_now(1))) == pytest.approx(math.sqrt(1 - signal**2), abs=1e-12)
    assert float(path.signal(_now(0))) == pytest.approx(0.999, abs=1.1e-3)
    assert float(path.noise(_now(0))) < 0.05


@given(st.floats(0, 1))
def test_the_cosine_path_keeps_the_variance(time: float) -> None:
    path, now = PATHS["cosine"], _now(time)
    assert float(path.signal(now) ** 2 + path.noise(now) ** 2) == pytest.approx(1, abs=1e-12)


def _diffusion_of_the_equation(path: GaussianPath, now: Tensor) -> Tensor:
    """Return g^2 = (b^2)' - 2 f b^2 of dx = f x dt + g dW, with f = a'/a (arXiv 2011.13456, appendix B)."""
    signal, noise = path.signal(now), path.noise(now)
    return 2 * noise * path.noise_rate(now) - 2 * path.signal_rate(now) / signal * noise**2


@pytest.mark.parametrize("name", ["cosine", "exploding"])
@given(time=st.floats(0, 1))
def test_diffusion_is_that_of_the_equation(name: str, time: float) -> None:
    path, now = PATHS[name], _now(time)
    assert float(path.diffusion(now)) == pytest.approx(float(_diffusion_of_the_equation(path, now)), rel=1e-9)


@pytest.mark.parametrize("name", ["straight", "straight-wide"])
@given(time=st.floats(0, 0.99))
def test_diffusion_of_the_straight_path_is_that_of_the_equation_times_the_signal(name: str, time: float) -> None:
    path, now = PATHS[name], _now(time)
    expected = _diffusion_of_the_equation(path, now) * path.signal(now)
    assert float(path.diffusion(now)) == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("name", OBJECTIVES)
@given(st.floats(0, 1), st.integers(0, 2**32))
def test_the_true_prediction_gives_back_clean_data_and_noise(name: str, time: float, seed: int) -> None:
    objective, now = OBJECTIVES[name], _now(time)
    generator = torch.Generator().manual_seed(seed)
    clean, noise = (torch.randn(5, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    noisy = objective.path.signal(now) * clean + objective.path.noise(now) * noise
    target = (1 - 1e-4) * noise - clean if isinstance(objective, FlowMatching) else noise
    if isinstance(objective, Edm):
        now = now.clamp(1e-3)
        sigma = float(objective.path.noise(now))
        noisy = clean + sigma * noise
        target = (clean - noisy / (sigma**2 + 1)) * math.sqrt(sigma**2 + 1) / sigma
    estimated_clean, estimated_noise = objective.estimate(target, noisy, now)
    torch.testing.assert_close(estimated_clean, clean, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(estimated_noise, noise, rtol=1e-10, atol=1e-10)
    velocity = Field(lambda state, at: target, objective).velocity(noisy, now)
    expected = objective.path.signal_rate(now) * clean + objective.path.noise_rate(now) * noise
    torch.testing.assert_close(velocity, expected, rtol=1e-10, atol=1e-10)


def test_clipped_estimates_still_explain_the_state() -> None:
    objective = Diffusion(DiffusionSettings(kind="diffusion", clip=2.0))
    noisy, now = torch.tensor([[3.0, -0.5]], dtype=torch.float64), _now(0.9)
    clean, noise = objective.estimate(torch.zeros_like(noisy), noisy, now)
    assert clean[0, 0] == 2.0
    assert (clean.abs() <= 2).all()
    torch.testing.assert_close(objective.path.signal(now) * clean + objective.path.noise(now) * noise, noisy)


def _pole(start: Tensor) -> Tensor:
    """Return x(0) of dx/dt = x^2 cos t, whose solution is 1 / (c - sin t), from x(1)."""
    return 1 / (1 / start + math.sin(1))


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("ddim", 1), ("midpoint", 2), ("heun", 2), ("rk4", 4)])
@pytest.mark.parametrize("problem", ["x^2 cos t", "diffusion of normal data"])
def test_the_order_of_each_solver(problem: str, solver: str, order: int, start: Tensor) -> None:
    errors = []
    # Halving the step divides the error by 2^order, as soon as the step is small against where the flow bends.
    for steps in (64, 128, 256):
        if problem == "x^2 cos t":
            # With flow matching the prediction is the velocity, whatever it is.
            field = Field(lambda state, time: state**2 * time.cos(), OBJECTIVES["flow matching"])
            begin = start.abs() + 0.5
            end = solve(field, begin, _settings(solver, steps), torch.Generator())
            errors.append(float((end - _pole(begin)).abs().max()))
        else:
            end = _solve(OBJECTIVES["diffusion"], solver, steps, start)
            errors.append(float((end - _solution(OBJECTIVES["diffusion"], start)).abs().max()))
    measured = [math.log2(before / after) for before, after in pairwise(errors)]
    assert errors[-1] < 0.02
    assert measured == pytest.approx([order, order], abs=0.15)


def test_dpm_solver_is_of_second_order_in_the_logarithm_of_the_signal_to_noise_ratio(start: Tensor) -> None:
    # On a grid of equal ratios of noise levels; the last step, of first order, is as small as all others.
    path = ExplodingPath(0.05, 5.0, 1.0)
    path.grid = lambda steps: 100.0 ** -torch.linspace(0, 1, steps + 1, dtype=torch.float64)  # type: ignore[method-assign]
    objective = Adversarial()
    objective.path = path

    def network(state: Tensor, time: Tensor) -> Tensor:
        sigma = path.noise(time)
        return (MEAN * sigma**2 + state * DEVIATION**2) / (DEVIATION**2 + sigma**2)

    exact = _solution(objective, start)
    errors = []
    for steps in (64, 128, 256):
        end = solve(Field(network, objective), start, _settings("dpm_solver", steps), torch.Generator())
        errors.append(float((end - exact).abs().max()))
    assert errors[-1] < 1e-3
    assert [math.log2(before / after) for before, after in pairwise(errors)] == pytest.approx([2, 2], abs=0.2)


def test_the_first_step_of_dpm_solver_is_ddim(start: Tensor) -> None:
    for objective in OBJECTIVES.values():
        first, second = (_solve(objective, solver, 1, start) for solver in ("ddim", "dpm_solver"))
        torch.testing.assert_close(first, second, rtol=1e-10, atol=1e-10)


def test_the_last_step_of_dpm_solver_does_not_extrapolate(start: Tensor) -> None:
    for objective in OBJECTIVES.values():
        # Of two steps one is the first and one the last; of four some lie between them.
        (ddim, dpm), (ddim_of_four, dpm_of_four) = (
            [_solve(objective, solver, steps, start) for solver in ("ddim", "dpm_solver")] for steps in (2, 4)
        )
        torch.testing.assert_close(dpm, ddim, rtol=1e-9, atol=1e-9)
        assert not torch.allclose(dpm_of_four, ddim_of_four, rtol=1e-3, atol=1e-3)


def test_one_step_takes_the_estimate_of_the_clean_data(start: Tensor) -> None:
    objective = OBJECTIVES["flow matching"]
    # At t = 1 the state says nothing about the data, of which the best estimate is the mean.
    torch.testing.assert_close(_solve(objective, "one_step", 1, start), torch.full_like(start, MEAN))
    doubled = Field(lambda state, time: 2 * state * time, Adversarial())
    torch.testing.assert_close(solve(doubled, start, _settings("one_step", 1), torch.Generator()), 2 * start)


def test_the_grid_of_the_exploding_path() -> None:
    grid = PATHS["exploding"].grid(18) * 20.0
    # arXiv 2206.00364, eq. 5.
    expected = [(20 ** (1 / 7) + i / 18 * (0.01 ** (1 / 7) - 20 ** (1 / 7))) ** 7 for i in range(19)]
    assert grid.tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("solver", ["euler", "midpoint", "heun", "rk4", "ddim", "dpm_solver"])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_noise_is_carried_to_the_data(name: str, solver: str, start: Tensor) -> None:
    objective = OBJECTIVES[name]
    exact = _solution(objective, start)
    errors = [float((_solve(objective, solver, steps, start) - exact).abs().max()) for steps in (50, 400)]
    # At least first order: an eighth of the step, at most an eighth of the error (and some, for Euler's second order).
    assert errors[1] < errors[0] / 8 * 1.2
    assert errors[1] < 0.01


def test_ddim_is_euler_on_the_straight_path(start: Tensor) -> None:
    objective = OBJECTIVES["flow matching"]
    first, second = (_solve(objective, solver, 17, start) for solver in ("ddim", "euler"))
    torch.testing.assert_close(first, second, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("solver", ORDINARY)
@pytest.mark.parametrize("steps", [1, 7])
def test_exactly_the_asked_evaluations_are_spent(solver: str, steps: int, start: Tensor) -> None:
    objective = OBJECTIVES["flow matching"]
    ideal = _ideal_network(objective)
    times: list[float] = []

    def network(state: Tensor, time: Tensor) -> Tensor:
        # A flow map is told the interval of the step too.
        assert time.shape == (1, 2 if solver == "flow_map" else 1)
        times.append(float(time[0, 0]))
        return ideal(state, time[:, :1])

    field, reported = Field(network, objective), list[Tensor]()
    settings = _settings(solver, steps)
    solve(field, start, settings, torch.Generator().manual_seed(1), reported.append)
    assert len(times) == field.evaluations == settings.evaluations
    assert len(reported) == steps
    assert times[0] == 1
    assert all(0 <= time <= 1 for time in times)


def _euler_maruyama_moments(path: GaussianPath, steps: int) -> tuple[float, float]:
    """Return mean and variance after the discrete stochastic steps, from the score of the normal distribution."""
    mean, variance = 0.0, float(path.noise(_now(1))) ** 2
    for before, after in pairwise(path.grid(steps).tolist()):
        now, step = _now(before), before - after
        spread = float(_variance(path, now))
        signal, noise, g2 = (float(rate(now)) for rate in (path.signal, path.noise, path.diffusion))
        signal_rate, noise_rate = float(path.signal_rate(now)), float(path.noise_rate(now))
        growth = (signal_rate * signal * DEVIATION**2 + noise_rate * noise) / spread
        # dx = (v - g^2/2 score) dt with score = -(x - a mu) / V, backwards in time.
        slope = growth + g2 / 2 / spread
        mean = mean - step * (signal_rate * MEAN + slope * (mean - signal * MEAN))
        variance = (1 - step * slope) ** 2 * variance + step * g2
    return mean, variance


@pytest.mark.parametrize("name", OBJECTIVES)
def test_euler_maruyama_draws_the_data(name: str) -> None:
    objective = OBJECTIVES[name]
    draws = 20_000
    start = torch.randn(draws, 1, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    drawn = _solve(objective, "euler_maruyama", 100, start, seed=5)
    mean, variance = _euler_maruyama_moments(objective.path, 100)
    assert float(drawn.mean()) == pytest.approx(mean, abs=4.5 * math.sqrt(variance / draws))
    assert float(drawn.var()) == pytest.approx(variance, abs=4.5 * variance * math.sqrt(2 / draws))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_moments_of_euler_maruyama_converge_to_those_of_the_data(name: str) -> None:
    path = OBJECTIVES[name].path
    end = _now(float(path.grid(1)[-1]))
    mean, variance = float(path.signal(end)) * MEAN, float(_variance(path, end))
    errors = []
    for steps in (200, 400, 800):
        found_mean, found_variance = _euler_maruyama_moments(path, steps)
        errors.append((abs(found_mean - mean), abs(found_variance - variance)))
    for kind in range(2):
        ratios = [before[kind] / after[kind] for before, after in pairwise(errors)]
        # Order one, or better where the leading error cancels.
        assert errors[-1][kind] < 1e-3 or ratios[-1] == pytest.approx(2, abs=0.3)
        assert errors[-1][kind] < 0.01


def test_the_stochastic_solver_follows_its_generator(start: Tensor) -> None:
    objective = OBJECTIVES["diffusion"]
    first, again, other = (_solve(objective, "euler_maruyama", 20, start, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-3)


def test_the_state_keeps_its_precision(start: Tensor) -> None:
    for dtype in (torch.float32, torch.float64):
        for solver in ORDINARY:
            if solver == "euler_maruyama" and dtype == torch.float64:
                continue
            ideal = _ideal_network(OBJECTIVES["flow matching"])
            field = Field(lambda state, time, of=ideal: of(state, time[:, :1]), OBJECTIVES["flow matching"])
            assert solve(field, start.to(dtype), _settings(solver, 2), torch.Generator()).dtype == dtype
