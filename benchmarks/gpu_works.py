"""What :mod:`benchmarks.gpu` measures: training steps and draws of the networks at published sizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cloudchamber.generative.objectives import build_path_objective
from cloudchamber.generative.solvers import Field, solve
from cloudchamber.networks.epic import Epic
from cloudchamber.networks.folded_particlenet import with_folded_norms
from cloudchamber.networks.linear import for_inference
from cloudchamber.networks.packing import Packing
from cloudchamber.networks.particlenet import ParticleNet
from cloudchamber.networks.transformer import Transformer
from cloudchamber.settings.generators import SamplerSettings
from cloudchamber.settings.networks import EpicSettings, ParticleNetSettings, TransformerSettings
from cloudchamber.settings.objectives import FlowMatchingSettings
from cloudchamber.studies.showers.allshowers import CONDITIONS, AllShowers
from cloudchamber.studies.showers.model_settings import AllShowersNetwork

__all__ = ["WORKS", "Work"]

_FEATURES, _CLASSES, _LAYERS = 3, 7, 78
_PUBLISHED = ParticleNetSettings(
    neighbours=16, blocks=((64, 64, 64), (128, 128, 128), (256, 256, 256)), fusion=384, dense=256
)


@final
@dataclass(frozen=True)
class Work:
    """What is timed.

    Attributes:
        network: on the device.
        run: makes of the network, or of a compiled one, what is called in each round.
        units, unit: how many of what one round handles.
        static: whether a CUDA graph can hold it: nothing of it is decided on the host.
    """

    network: nn.Module
    run: Callable[[Any], Callable[[], object]]
    units: int
    unit: str
    static: bool


@final
@dataclass(frozen=True)
class _Clouds:
    """A batch on the device: packed rows, times, conditions, packing."""

    rows: Tensor
    time: Tensor
    conditions: Tensor
    packing: Packing


def _jets(number: int, particles: int, equal: bool, device: torch.device) -> _Clouds:
    """Return jets with so many particles each, or with 70 +- 20 of at most so many, as towers of boosted tops."""
    random = torch.Generator().manual_seed(1)
    drawn = (70 + 20 * torch.randn(number, generator=random)).round().clamp(5, particles).long()
    counts = torch.full((number,), particles) if equal else drawn
    rows = torch.randn(int(counts.sum()), _FEATURES, generator=random)
    time = torch.rand(number, 1, generator=random)
    return _Clouds(rows.to(device), time.to(device), torch.zeros(number, 0, device=device), Packing(counts.to(device)))


def _showers(number: int, points: int, device: torch.device) -> _Clouds:
    """Return showers with so many points each, most of them in the middle of the 78 layers."""
    random = torch.Generator().manual_seed(2)
    shape = torch.exp(-0.5 * ((torch.arange(_LAYERS) - 25.0) / 14.0) ** 2)
    layers = torch.multinomial(shape.expand(number, -1), points, replacement=True, generator=random)
    counts = torch.stack([row.bincount(minlength=_LAYERS) for row in layers])
    conditions = torch.randn(number, CONDITIONS, generator=random)
    conditions[:, CONDITIONS - 1] = 0
    conditions = torch.cat([conditions, counts.float()], dim=1).to(device)
    rows = torch.randn(number * points, _FEATURES, generator=random).to(device)
    time = torch.rand(number, 1, generator=random).to(device)
    return _Clouds(rows, time, conditions, Packing(counts.sum(dim=1).to(device)))


def _field_step(
    build: Callable[[bool], nn.Module], clouds: _Clouds, dtype: torch.dtype, small: bool, unit: str
) -> Work:
    """Return forward and backward pass of a network of velocities."""
    device = clouds.rows.device
    network = build(small).to(device)
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]

    def run(called: Any) -> Callable[[], object]:
        def step() -> None:
            for parameter in parameters:
                parameter.grad = None
            with torch.autocast(device.type, dtype, enabled=dtype != torch.float32, cache_enabled=False):
                field = called(clouds.rows, clouds.time, clouds.conditions, clouds.packing)
            (field.float() - clouds.rows).square().sum().backward()

        step()  # makes what is kept of the clouds, such as their order by size, which asks the device
        return step

    return Work(network, run, len(clouds.time), unit, static=True)


def _draw(
    build: Callable[[bool], nn.Module],
    clouds: _Clouds,
    solver: SamplerSettings,
    dtype: torch.dtype,
    small: bool,
    unit: str,
) -> Work:
    """Return the integration of noise to clouds; as a graph, all evaluations of it are one."""
    device = clouds.rows.device
    network = for_inference(build(small).to(device), dtype)
    objective = build_path_objective(FlowMatchingSettings(kind="flow_matching"))
    random, conditions = torch.Generator(device=device).manual_seed(3), clouds.conditions.to(dtype)

    def run(called: Any) -> Callable[[], object]:
        def evaluated(state: Tensor, time: Tensor) -> Tensor:
            return called(state.to(dtype), time, conditions, clouds.packing).float()

        @torch.inference_mode()
        def draw() -> Tensor:
            return solve(Field(evaluated, objective), clouds.rows, solver, random)

        draw()
        return draw

    # The times of a solver are made on the host.
    return Work(network, run, len(clouds.time), unit, static=False)


def _evaluation(
    build: Callable[[bool], nn.Module], clouds: _Clouds, dtype: torch.dtype, small: bool, unit: str
) -> Work:
    """Return one evaluation of sampling: all clouds at one time."""
    device = clouds.rows.device
    network = for_inference(build(small).to(device), dtype)
    rows, conditions, time = clouds.rows.to(dtype), clouds.conditions.to(dtype), torch.full((1, 1), 0.4, device=device)

    def run(called: Any) -> Callable[[], object]:
        @torch.inference_mode()
        def evaluate() -> Tensor:
            return called(rows, time, conditions, clouds.packing)

        evaluate()
        return evaluate

    return Work(network, run, len(clouds.time), unit, static=True)


def _classifier(device: torch.device, dtype: torch.dtype, small: bool, training: bool) -> Work:
    number, slots = (8 if small else 1024), 30
    random = torch.Generator().manual_seed(4)
    mask = (torch.arange(slots) < torch.randint(20, slots + 1, (number, 1), generator=random)).to(device)
    coordinates = torch.randn(number, slots, 2, generator=random).to(device)
    features = torch.randn(number, slots, 5, generator=random).to(device)
    target = (torch.arange(number) % _CLASSES).to(device)
    network: nn.Module = ParticleNet(ParticleNetSettings() if small else _PUBLISHED, 5, _CLASSES).to(device)
    if not training:
        network, features = with_folded_norms(network).to(dtype), features.to(dtype)

    def run(called: Any) -> Callable[[], object]:
        def step() -> None:
            network.zero_grad()
            with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
                logits = called(coordinates, features, mask)
            cross_entropy(logits.float(), target).backward()

        @torch.inference_mode()
        def infer() -> Tensor:
            return called(coordinates, features, mask)

        return step if training else infer

    # How many edges there are is asked of the device.
    return Work(network, run, number, "jets", static=False)


def _epic(small: bool, intervals: bool = False) -> nn.Module:
    return Epic(_FEATURES, 0, EpicSettings(layers=2, hidden=32) if small else EpicSettings(), intervals)


def _transformer(small: bool) -> nn.Module:
    return Transformer(_FEATURES, 0, TransformerSettings(layers=2) if small else TransformerSettings())


def _allshowers(small: bool) -> nn.Module:
    return AllShowers(AllShowersNetwork(kind="allshowers", layers=1 if small else 4), _LAYERS)


def _of_jets(particles: int, equal: bool, device: torch.device, small: bool, number: int) -> _Clouds:
    return _jets(8 if small else number, particles, equal, device)


def _training(build: Callable[[bool], nn.Module], particles: int, equal: bool) -> Callable[..., Work]:
    def made(device: torch.device, dtype: torch.dtype, small: bool) -> Work:
        return _field_step(build, _of_jets(particles, equal, device, small, 1024), dtype, small, "jets")

    return made


def _sampling(
    build: Callable[[bool], nn.Module], particles: int, equal: bool, solver: str | None, evaluations: int = 1
) -> Callable[..., Work]:
    def made(device: torch.device, dtype: torch.dtype, small: bool) -> Work:
        clouds = _of_jets(particles, equal, device, small, 4096)
        if solver is None:
            return _evaluation(build, clouds, dtype, small, "jets")
        number = min(evaluations, 4) if small else evaluations
        settings = SamplerSettings.model_validate({"solver": solver, "evaluations": number})
        return _draw(build, clouds, settings, dtype, small, "jets")

    return made


def _shower_step(device: torch.device, dtype: torch.dtype, small: bool) -> Work:
    clouds = _showers(2 if small else 64, 100 if small else 1000, device)
    return _field_step(_allshowers, clouds, dtype, small, "showers")


def _shower_draw(device: torch.device, dtype: torch.dtype, small: bool) -> Work:
    clouds = _showers(2 if small else 64, 100 if small else 1000, device)
    settings = SamplerSettings(solver="midpoint", evaluations=2 if small else 32)
    return _draw(_allshowers, clouds, settings, dtype, small, "showers")


_STUDENT = partial(_epic, intervals=True)

WORKS: Mapping[str, Callable[[torch.device, torch.dtype, bool], Work]] = {
    "EPiC-FM training step, N=30": _training(_epic, 30, True),
    "EPiC-FM training step, N=150 all full (one bucket)": _training(_epic, 150, True),
    "EPiC-FM training step, N=150, 70 +- 20 particles": _training(_epic, 150, False),
    "transformer training step, N=30": _training(_transformer, 30, True),
    "transformer training step, N=150, 70 +- 20 particles": _training(_transformer, 150, False),
    "ParticleNet training step, N=30": partial(_classifier, training=True),
    "AllShowers training step, 1,000 points": _shower_step,
    "EPiC-FM evaluation, N=30": _sampling(_epic, 30, True, None),
    "EPiC-FM evaluation, N=150, 70 +- 20 particles": _sampling(_epic, 150, False, None),
    "EPiC-FM sampling, midpoint, 200 evaluations, N=30": _sampling(_epic, 30, True, "midpoint", 200),
    "EPiC-FM sampling, midpoint, 200 evaluations, N=150, 70 +- 20 particles": _sampling(
        _epic, 150, False, "midpoint", 200
    ),
    "few-step student, 1 evaluation, N=30": _sampling(_STUDENT, 30, True, "flow_map", 1),
    "few-step student, 2 evaluations, N=30": _sampling(_STUDENT, 30, True, "flow_map", 2),
    "transformer evaluation, N=30": _sampling(_transformer, 30, True, None),
    "ParticleNet inference, folded, N=30": partial(_classifier, training=False),
    "AllShowers sampling, midpoint, 32 evaluations, 1,000 points": _shower_draw,
}
