"""Flow maps: closed forms of where trajectories go, the loss, and the weights that come from the teacher."""

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cloudchamber.errors import SettingsError
from cloudchamber.generative.artifact import Artifact, build_network, build_sampler
from cloudchamber.generative.flow_map import FlowMapTask, Segments, implied_ends
from cloudchamber.generative.objectives import Edm, PathObjective, build_path_objective
from cloudchamber.generative.solvers import Field, solve
from cloudchamber.generative.trajectories import trajectories
from cloudchamber.networks.packing import PackedClouds, Packing
from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.settings.base import parse
from cloudchamber.settings.flow_maps import DistillationSettings, FlowMapModel
from cloudchamber.settings.generators import GeneratorSettings, SamplerSettings
from cloudchamber.settings.objectives import DiffusionSettings, EdmSettings, FlowMatchingSettings

MEAN, DEVIATION = 0.7, 0.4
OBJECTIVES = {
    "flow_matching": FlowMatchingSettings(kind="flow_matching", sigma_min=1e-3),
    "edm": EdmSettings(kind="edm", sigma_max=20.0),
    "diffusion": DiffusionSettings(kind="diffusion", clip=1e9, likelihood_weight=0.0),
}
NETWORKS = {
    "epic": {"kind": "epic", "layers": 2, "hidden": 8, "latent": 4, "time_features": 4},
    "transformer": {"kind": "transformer", "layers": 1, "heads": 2, "hidden": 8, "feed_forward": 8, "time_features": 4},
}


def _map(objective: PathObjective, state: Tensor, time: Tensor, end: Tensor) -> Tensor:
    """Return where the trajectory of data N(MEAN, DEVIATION^2) goes: it keeps its place among its equals."""

    def moments(at: Tensor) -> tuple[Tensor, Tensor]:
        signal, noise = objective.path.signal(at), objective.path.noise(at)
        return signal * MEAN, (signal.square() * DEVIATION**2 + noise.square()).sqrt()

    (mean, deviation), (end_mean, end_deviation) = moments(time), moments(end)
    return end_mean + end_deviation / deviation * (state - mean)


def _steps(objective: PathObjective, start: Tensor, times: Tensor) -> Tensor:
    """Go along ``times`` by steps of DDIM, each with the ends that the closed form implies."""
    state = start
    for time, end in pairwise(times[:, None, None]):
        clean, noise = implied_ends(
            objective.path, state, _map(objective, state, time, end), time, end, lambda shared: shared
        )
        state = objective.path.signal(end) * clean + objective.path.noise(end) * noise
    return state


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_map_is_where_small_steps_of_the_teacher_go(objective: str) -> None:
    exact = build_path_objective(OBJECTIVES[objective])
    path = exact.path
    start = torch.randn(50, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    times = path.grid(2000)[:, None, None]
    state = start * path.noise(times[0])
    for time, end in pairwise(times):
        middle = (time + end) / 2
        state = state - (time - end) * _velocity(exact, state - (time - middle) * _velocity(exact, state, time), middle)
    torch.testing.assert_close(state, _map(exact, start * path.noise(times[0]), times[0], times[-1]), rtol=0, atol=3e-5)


def _velocity(objective: PathObjective, state: Tensor, time: Tensor) -> Tensor:
    """Return the velocity of the probability flow of Gaussian data in closed form."""
    path = objective.path
    signal, noise = path.signal(time), path.noise(time)
    variance = signal.square() * DEVIATION**2 + noise.square()
    deviation = state - signal * MEAN
    clean = MEAN + signal * DEVIATION**2 / variance * deviation
    return path.signal_rate(time) * clean + path.noise_rate(time) * noise / variance * deviation


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_any_number_of_exact_steps_ends_at_the_same_place(objective: str) -> None:
    exact = build_path_objective(OBJECTIVES[objective])
    start = torch.randn(20, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64) * 1.5
    one, eight = (_steps(exact, start, exact.path.grid(number)) for number in (1, 8))
    torch.testing.assert_close(eight, one, rtol=1e-10, atol=1e-10)


def test_an_exact_step_on_a_straight_path_is_an_euler_step() -> None:
    objective = build_path_objective(OBJECTIVES["flow_matching"])
    state, end_state = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    time, end = torch.full((1, 1), 0.75, dtype=torch.float64), torch.full((1, 1), 0.25, dtype=torch.float64)
    clean, noise = implied_ends(objective.path, state, end_state, time, end, lambda shared: shared)
    velocity = objective.path.signal_rate(time) * clean + objective.path.noise_rate(time) * noise
    torch.testing.assert_close(velocity, (end_state - state) / (0.25 - 0.75))


def _mixture_map(state: Tensor, time: float, end: float) -> Tensor:
    """Return where a trajectory of data at -1 and 1 goes on a straight path: it keeps its quantile, by bisection."""

    def share(values: Tensor, at: float) -> Tensor:
        parts = [torch.special.ndtr((values - (1 - at) * place) / at) for place in (-1.0, 1.0)]
        return (parts[0] + parts[1]) / 2

    target = share(state, time)
    low, high = torch.full_like(state, -20.0), torch.full_like(state, 20.0)
    for _ in range(80):
        middle = (low + high) / 2
        below = share(middle, end) < target
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return (low + high) / 2


def test_the_map_of_a_mixture_is_its_monotone_transport() -> None:
    objective = build_path_objective(FlowMatchingSettings(kind="flow_matching", sigma_min=0.0))
    start = torch.linspace(-2.5, 2.5, 12, dtype=torch.float64)[:, None]

    def network(state: Tensor, time: Tensor) -> Tensor:
        now, end = float(time[0, 0]), float(time[0, 0] - time[0, 1])
        return (state - _mixture_map(state, now, end)) / (now - end)

    times = objective.path.grid(4)
    ends = []
    for steps in (1, 2, 4):
        # To t = 1/4 only: at zero all mass lies on two points, and quantiles between them are none.
        state = start
        part = times[:-1] if steps == 4 else torch.linspace(1, 0.25, steps + 1, dtype=torch.float64)
        for now, after in pairwise(part):
            time = torch.stack([now, now - after]).reshape(1, 2)
            state = state - (now - after) * network(state, time)
        ends.append(state)
    torch.testing.assert_close(ends[0], _mixture_map(start, 1.0, 0.25))
    torch.testing.assert_close(ends[1], ends[0], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(ends[2], ends[0], rtol=1e-9, atol=1e-9)


def _settings(network: str, objective: str, conditions: tuple[str, ...] = ()) -> GeneratorSettings:
    values = {
        "network": NETWORKS[network],
        "objective": OBJECTIVES[objective].model_dump(),
        "conditions": conditions,
        "training": {"steps": 3, "accelerator": "cpu"},
    }
    return parse(GeneratorSettings, values, "test")


def _artifact(settings: GeneratorSettings) -> Artifact:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        network = build_network(settings)
    fit = Standardisation.fit(np.random.default_rng(1).normal(size=(9, 3)), ("eta_rel", "phi_rel", "pt_rel"))
    return Artifact(settings, network, fit, fit)


def _clouds(conditions: int = 0) -> PackedClouds:
    generator = torch.Generator().manual_seed(5)
    counts = torch.randint(1, 6, (40,), generator=generator)
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    values = torch.randn(int(offsets[-1]), 3, generator=generator)
    return PackedClouds(values, offsets, torch.randn(40, conditions, generator=generator))


def _student(settings: GeneratorSettings, segments: int, teacher: nn.Module) -> nn.Module:
    network = build_network(settings.model_copy(update={"flow_map_segments": segments}))
    network.load_state_dict(teacher.state_dict(), strict=False)
    return network


@pytest.mark.parametrize("network", NETWORKS)
def test_a_fresh_flow_map_is_its_teacher_for_every_interval(network: str) -> None:
    teacher = _artifact(_settings(network, "flow_matching")).network
    student = _student(_settings(network, "flow_matching"), 8, teacher)
    values, packing, conditions = _clouds().take(torch.arange(6))
    time = torch.linspace(0.1, 1, 6)[:, None]
    for interval in (0.0, 0.3, 1.0):
        both = torch.cat([time, torch.full_like(time, interval)], dim=1)
        torch.testing.assert_close(
            student(values, both, conditions, packing), teacher(values, time, conditions, packing), rtol=0, atol=0
        )
    nn.init.normal_(student.time.interval.weight)
    moved = student(values, torch.cat([time, torch.full_like(time, 0.5)], dim=1), conditions, packing)
    assert not torch.allclose(moved, teacher(values, time, conditions, packing))


@pytest.mark.parametrize("network", NETWORKS)
def test_particles_of_a_flow_map_have_no_order(network: str) -> None:
    student = _student(_settings(network, "edm"), 4, _artifact(_settings(network, "edm")).network)
    nn.init.normal_(student.time.interval.weight)
    packing = Packing(torch.tensor([5, 4]))
    values, time = torch.randn(9, 3), torch.tensor([[0.9, 0.5], [0.4, 0.2]])
    order = torch.tensor([2, 0, 4, 3, 1, 8, 5, 7, 6])
    found, moved = (student(rows, time, torch.empty(2, 0), packing) for rows in (values, values[order]))
    torch.testing.assert_close(moved, found[order])


class _Exact(nn.Module):
    """A network that predicts what the exact map of Gaussian data does in the segment that it is asked for."""

    def __init__(self, objective: PathObjective, time_of: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.objective, self.time_of = objective, time_of
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, seen: Tensor, both: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        time, end = self.time_of(both[:, :1]), self.time_of(both[:, :1] - both[:, 1:])
        spread = packing.spread if len(time) > 1 else lambda shared: shared
        scale = self.objective.inputs(torch.ones(1, 1), time, lambda shared: shared)[0]
        state = seen / (spread(scale) if scale.numel() > 1 else scale)
        end_state = _map(self.objective, state, spread(time), spread(end))
        clean, noise = implied_ends(self.objective.path, state, end_state, time, end, spread)
        if isinstance(self.objective, Edm):
            skip, out = (spread(factor) for factor in self.objective._factors(time))
            return (clean - skip * state) / out
        return (
            self.objective.path.signal_rate(spread(time)) * clean + self.objective.path.noise_rate(spread(time)) * noise
        )


def _edm_time(network_time: Tensor) -> Tensor:
    settings = OBJECTIVES["edm"]
    assert isinstance(settings, EdmSettings)
    lowest, highest = math.log(settings.sigma_min), math.log(settings.sigma_max)
    return (lowest + network_time * (highest - lowest)).exp() / settings.sigma_max


def _exact_task(objective: str, segments: int) -> FlowMapTask:
    """Return the task on exact trajectories of Gaussian data, with a network that predicts them."""
    exact = build_path_objective(OBJECTIVES[objective])
    clouds = _clouds()
    times = exact.path.grid(segments).float()[:, None, None]
    start = clouds.values * exact.path.noise(times[0])
    states = torch.cat([_map(exact, start, times[0], time) for time in times], dim=1)
    drawn = PackedClouds(states, clouds.offsets, clouds.conditions)
    network = _Exact(exact, _edm_time if objective == "edm" else lambda time: time)
    return FlowMapTask(network, exact, drawn, drawn, segments, lambda values: values, clouds, seed=1)


@pytest.mark.parametrize("objective", ["flow_matching", "edm"])
def test_the_loss_of_the_exact_map_is_zero_and_of_another_is_not(objective: str) -> None:
    task = _exact_task(objective, 8)
    generator = torch.Generator().manual_seed(6)
    rows = torch.arange(40)
    assert float(task.loss(task.network, rows, generator, slice(0, 40))) < 2e-5
    assert float(task.loss(lambda *inputs: task.network(*inputs) + 0.1, rows, generator, slice(0, 40))) > 0.02
    # Blind to the interval: the segments of one trajectory are not all alike.
    blind = _Exact(task.network.objective, task.network.time_of)

    def forward(seen: Tensor, both: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        return blind(seen, torch.cat([both[:, :1], 0.5 * both[:, :1]], dim=1), conditions, packing)

    assert float(task.loss(forward, rows, generator, slice(0, 40))) > 1e-3


def test_shares_of_processes_make_up_the_loss() -> None:
    task = _exact_task("flow_matching", 4)
    network = lambda *inputs: task.network(*inputs) + 0.2  # noqa: E731
    rows = torch.arange(40)
    whole = task.loss(network, rows, torch.Generator().manual_seed(7), slice(0, 40))
    shares = [
        task.loss(network, rows, torch.Generator().manual_seed(7), share) for share in (slice(0, 20), slice(20, 40))
    ]
    torch.testing.assert_close((shares[0] + shares[1]) / 2, whole)


def test_every_segment_is_drawn_and_lengths_as_often_as_each_other() -> None:
    segments = Segments(build_path_objective(OBJECTIVES["flow_matching"]), 4, 3)
    first, last = segments.draw(30_000, torch.Generator().manual_seed(8))
    lengths = (last - first).bincount(minlength=5)
    assert lengths[[0, 3]].sum() == 0
    torch.testing.assert_close(lengths[[1, 2, 4]] / 30_000, torch.full((3,), 1 / 3), rtol=0.05, atol=0)
    assert {(int(a), int(b)) for a, b in zip(first, last, strict=True)} == {
        (0, 4), (0, 2), (2, 4), (0, 1), (1, 2), (2, 3), (3, 4)
    }  # fmt: skip


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_trajectories_are_what_the_teacher_is_sampled_with(objective: str) -> None:
    settings = _settings("epic", objective, ("jet_pt",))
    teacher, clouds = _artifact(settings), _clouds(1)
    rows = torch.tensor([3, 3, 7])
    sampler = SamplerSettings(solver="heun", evaluations=8)
    drawn = trajectories(teacher, clouds, rows, sampler, 2, seed=5)
    states = drawn.values.reshape(len(drawn.values), 3, 3)
    path = build_path_objective(OBJECTIVES[objective]).path
    counts = drawn.offsets.diff()
    assert torch.equal(counts, clouds.offsets.diff()[rows])
    assert torch.equal(drawn.conditions, clouds.conditions[rows])
    start = states[:, 0] / path.noise(path.grid(1)[0]).float()
    packing = Packing(counts)
    network = teacher.network.eval()

    def predict(state: Tensor, time: Tensor) -> Tensor:
        return network(state, time, drawn.conditions, packing)

    with torch.no_grad():
        field = Field(predict, build_path_objective(OBJECTIVES[objective]))
        end = solve(field, start, sampler, torch.Generator())
    torch.testing.assert_close(states[:, 2], end, rtol=1e-4, atol=1e-4)
    assert not torch.equal(states[: counts[0], 0], states[counts[0] : 2 * counts[0], 0])


def test_a_flow_map_and_its_solver_need_each_other() -> None:
    settings = _settings("epic", "flow_matching")
    device = torch.device("cpu")
    with pytest.raises(SettingsError, match="flow_map samples flow maps"):
        build_sampler(_artifact(settings), SamplerSettings(solver="flow_map", evaluations=1), device)
    student = _artifact(settings.model_copy(update={"flow_map_segments": 4}))
    with pytest.raises(SettingsError, match="divides 4"):
        build_sampler(student, SamplerSettings(solver="flow_map", evaluations=3), device)
    with pytest.raises(SettingsError, match="divides 4"):
        build_sampler(student, SamplerSettings(solver="midpoint", evaluations=4), device)
    drawn = build_sampler(student, SamplerSettings(solver="flow_map", evaluations=2), device)
    assert drawn.draw(torch.tensor([3, 2]), torch.empty(2, 0), seed=1).shape == (5, 3)
    assert drawn.evaluations == 2


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"teacher_sampler": {"solver": "euler_maruyama", "evaluations": 8}}, "learns from one of"),
        ({"teacher_sampler": {"solver": "midpoint", "evaluations": 8}}, "multiple of segments"),
        ({"segments": 3}, "segments"),
    ],
)
def test_teachers_that_cannot_teach_are_refused(values: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        parse(DistillationSettings, {"training": {"steps": 1}, **values}, Path("settings"))


@pytest.mark.parametrize(
    "sampler", [{"solver": "midpoint", "evaluations": 2}, {"solver": "flow_map", "evaluations": 3}]
)
def test_samplers_that_a_flow_map_has_not_are_refused(sampler: dict[str, object]) -> None:
    values = {"kind": "flow_map", "title": "map", "teacher": "epic_fm", "training": {"steps": 1}}
    with pytest.raises(SettingsError, match=r"samplers\.few: a flow map"):
        parse(FlowMapModel, {**values, "samplers": {"few": sampler}}, Path("settings"))
