"""The EPiC network, packed and hoisted, against its plain padded form.

The plain form is a transcription without the overheads of published code: performance figures elsewhere that are ratios
to particle_fm would be 1.05 to 1.4 times higher against that.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from benchmarks.padded_epic import PaddedEpic
from benchmarks.timing import Measurement, measure
from cloudchamber.networks.epic import Epic
from cloudchamber.networks.linear import for_inference
from cloudchamber.networks.packing import Packing
from cloudchamber.settings.networks import EpicSettings

__all__ = ["measurements"]

_FEATURES = 3
# Clouds that sampling evaluates together on a CPU.
_PIECE = 64


@final
@dataclass(frozen=True)
class _Case:
    """A batch of clouds.

    Attributes:
        name: what is evaluated.
        counts: (B,) particles of each cloud.
        width: padded length.
        peer_batch: clouds that the padded form evaluates together.
        evaluation, training: aimed-at ratios in float32 and in bfloat16, if any.
    """

    name: str
    counts: Tensor
    width: int
    peer_batch: int
    evaluation: tuple[float, float]
    training: tuple[float, float | None]


def _cases() -> tuple[_Case, ...]:
    # Multiplicities as of towers in boosted top jets.
    towers = np.random.default_rng(1).normal(70, 20, 256).round().clip(5, 150)
    return (
        _Case("N=30, all slots full, batch 256", torch.full((256,), 30), 30, 256, (2.0, 3.5), (1.5, 2.5)),
        _Case("N=150, 70 +- 20 particles, batch 64", torch.from_numpy(towers).long(), 150, 64, (4.0, 6.0), (3.0, None)),
    )


def _padded(case: _Case) -> tuple[Tensor, Tensor]:
    mask = torch.arange(case.width) < case.counts[:, None]
    points = torch.randn(*mask.shape, _FEATURES, generator=torch.Generator().manual_seed(2))
    return points * mask[:, :, None], mask


def _evaluations(case: _Case, dtype: torch.dtype) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    """Return one evaluation of all clouds at one time, as sampling does it: own in ``dtype``, plain in float32."""
    torch.manual_seed(3)
    network, plain = Epic(_FEATURES, 0, EpicSettings()), PaddedEpic(_FEATURES, 0, EpicSettings())
    plain.load_state_dict(network.state_dict())
    plain.fold()
    inference = for_inference(network, dtype)
    points, mask = _padded(case)
    time, nothing = torch.tensor([[0.4]]), torch.zeros(len(points), 0)
    pieces = [
        (some_points[some_mask], some_nothing, Packing(counts))
        for some_points, some_mask, some_nothing, counts in zip(
            *(values.split(_PIECE) for values in (points, mask, nothing.to(dtype), case.counts)), strict=True
        )
    ]
    batches = list(zip(*(values.split(case.peer_batch) for values in (points, mask, nothing)), strict=True))

    @torch.inference_mode()
    def own() -> Tensor:
        fields = [inference(rows.to(dtype), time, empty, packing).float() for rows, empty, packing in pieces]
        return torch.cat(fields)

    @torch.inference_mode()
    def peer() -> Tensor:
        fields = [
            plain(some_points, some_mask, time.expand(len(some_points), 1), empty)
            for some_points, some_mask, empty in batches
        ]
        return torch.cat(fields)

    difference = (own() - peer()[mask]).abs().max()
    if difference > (1e-5 if dtype == torch.float32 else 0.05):
        raise RuntimeError(f"{case.name}: the two forms differ by {difference}")
    return own, peer


def _training_steps(case: _Case, dtype: torch.dtype) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return forward and backward pass on the first 64 clouds: own with products in ``dtype``, plain in float32."""
    torch.manual_seed(3)
    network, plain = Epic(_FEATURES, 0, EpicSettings()), PaddedEpic(_FEATURES, 0, EpicSettings())
    plain.load_state_dict(network.state_dict())
    points, mask = (values[:_PIECE] for values in _padded(case))
    counts, rows = case.counts[:_PIECE], points[mask]
    time = torch.rand(len(points), 1, generator=torch.Generator().manual_seed(4))
    nothing = torch.zeros(len(points), 0)

    def own() -> None:
        network.zero_grad()
        # As trainings do with precision: bf16-mixed.
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            field = network(rows, time, nothing, Packing(counts))
        (field.float() - rows).square().sum().backward()

    def peer() -> None:
        plain.zero_grad()
        (plain(points, mask, time, nothing) - points).square().sum().backward()

    own()
    peer()
    found, expected = (
        torch.cat([weights.grad.flatten() for weights in of.parameters() if weights.grad is not None])
        for of in (network, plain)
    )
    difference = (found - expected).norm() / expected.norm()
    if difference > (1e-3 if dtype == torch.float32 else 0.03):
        raise RuntimeError(f"{case.name}: gradients of the two forms differ by {difference} of their length")
    return own, peer


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure evaluations and training steps of the network with 561,330 parameters."""
    for case in _cases():
        for dtype, target in zip((torch.float32, torch.bfloat16), case.evaluation, strict=True):
            own, peer = measure(*_evaluations(case, dtype), rounds)
            text = f"{case.name}: packed {_name(dtype)} against padded float32"
            yield Measurement("EPiC evaluation", text, own, peer, len(case.counts), "jets", target)
        for dtype, aim in zip((torch.float32, torch.bfloat16), case.training, strict=True):
            own, peer = measure(*_training_steps(case, dtype), rounds)
            slots = case.name.partition(", batch")[0]
            text = f"{slots}, batch {_PIECE}: packed {_name(dtype)} against padded float32"
            yield Measurement("EPiC training step", text, own, peer, _PIECE, "jets", aim)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
