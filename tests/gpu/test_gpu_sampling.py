"""Sampling on the device: the same noise goes where it goes on the CPU; draws repeat; bfloat16 is close."""

import pytest
import torch
from examples_of_gpu_tests import EPIC, generator, jets
from torch import Tensor

from cloudchamber.generative.objectives import build_path_objective
from cloudchamber.generative.sampling import Sampler
from cloudchamber.generative.solvers import Field, solve
from cloudchamber.networks.epic import Epic
from cloudchamber.networks.linear import for_inference
from cloudchamber.networks.packing import Packing
from cloudchamber.settings.base import parse
from cloudchamber.settings.generators import SamplerSettings
from cloudchamber.settings.objectives import DiffusionSettings, EdmSettings, FlowMatchingSettings

_OBJECTIVES = {
    "flow matching": FlowMatchingSettings(kind="flow_matching"),
    "diffusion": DiffusionSettings(kind="diffusion"),
    "EDM": EdmSettings(kind="edm"),
}


def _network(intervals: bool = False) -> Epic:
    torch.manual_seed(1)
    return Epic(3, 0, EPIC, intervals)


def _settings(solver: str, precision: str = "float32") -> SamplerSettings:
    return parse(SamplerSettings, {"solver": solver, "evaluations": 8, "precision": precision})


@pytest.mark.parametrize("name", _OBJECTIVES)
@pytest.mark.parametrize("solver", ["euler", "midpoint", "heun", "ddim", "dpm_solver", "flow_map"])
@torch.inference_mode()
def test_a_trajectory_ends_where_it_does_on_the_cpu(device: torch.device, name: str, solver: str) -> None:
    if solver == "flow_map" and name != "flow matching":
        pytest.skip("the same step as ddim")
    network, objective = for_inference(_network(solver == "flow_map")), build_path_objective(_OBJECTIVES[name])
    values, packing, conditions = jets(30, 12).take(torch.arange(30))
    start = torch.randn(values.shape, generator=generator(2))
    ends = []
    for at in (torch.device("cpu"), device):
        there, counts, nothing = network.to(at), Packing(packing.counts.to(at)), conditions.to(at)

        def evaluated(state: Tensor, time: Tensor, there=there, counts=counts, nothing=nothing) -> Tensor:
            return there(state, time, nothing, counts)

        random = torch.Generator(device=at).manual_seed(3)
        ends.append(solve(Field(evaluated, objective), start.to(at), _settings(solver), random).cpu())
    torch.testing.assert_close(ends[1], ends[0], rtol=1e-3, atol=1e-3 * float(ends[0].abs().max()))


@pytest.mark.parametrize("solver", ["midpoint", "euler_maruyama"])
def test_a_draw_has_the_layout_of_the_cpu_and_repeats(device: torch.device, solver: str) -> None:
    objective = build_path_objective(_OBJECTIVES["diffusion"])
    sampler = Sampler(_network().to(device), objective, _settings(solver), features=3)
    counts = torch.arange(1, 101)
    seen: list[int] = []
    first = sampler.draw(counts, torch.zeros(100, 0), seed=1, on_chunk=seen.append)
    assert first.shape == (int(counts.sum()), 3)
    assert first.device.type == "cpu"
    assert first.isfinite().all()
    assert sum(seen) == 100
    assert sampler.evaluations == 8
    torch.testing.assert_close(sampler.draw(counts, torch.zeros(100, 0), seed=1), first, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(sampler.draw(counts, torch.zeros(100, 0), seed=2), first, atol=1e-2)


def test_a_draw_in_bfloat16_is_close(device: torch.device) -> None:
    objective = build_path_objective(_OBJECTIVES["flow matching"])
    counts = torch.full((64,), 20)
    drawn = [
        Sampler(_network().to(device), objective, _settings("midpoint", precision), features=3).draw(
            counts, torch.zeros(64, 0), seed=1
        )
        for precision in ("float32", "bfloat16")
    ]
    assert (drawn[1] - drawn[0]).abs().mean() < 0.05 * drawn[0].abs().mean()
