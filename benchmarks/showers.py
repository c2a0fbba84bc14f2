"""Showers: attention within windows of layers against dense attention, showers at once against spot by spot."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.timing import Measurement, measure
from cloudchamber.studies.showers import electromagnetic
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.layer_windows import LayerWindows
from cloudchamber.studies.showers.parametrised import simulate_showers

__all__ = ["measurements"]

_POINTS, _SHOWERS, _LAYERS, _WINDOW = (300, 1000), 8, 78, 2
_HEADS, _WIDTH = 4, 64
_ENERGY, _AT_ONCE, _ALONE = 10.0, 200, 4


def _counts(points: int, generator: torch.Generator) -> Tensor:
    """Return (B, L) points of layers of showers like those of photons and pions in equal parts."""
    layer = torch.arange(_LAYERS)
    early = torch.exp(-0.5 * ((layer - 11) / 6.0) ** 2)
    late = torch.exp(-0.5 * ((layer - 35) / 16.0) ** 2)
    shape = early / early.sum() + late / late.sum()
    drawn = torch.multinomial(shape.expand(_SHOWERS, -1), points, replacement=True, generator=generator)
    return torch.stack([row.bincount(minlength=_LAYERS) for row in drawn])


def _padded(products: Tensor, counts: Tensor, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return queries, keys and values (3, B, heads, P, D), and which see each other (B, 1, P, P)."""
    points = int(counts.sum(dim=1)[0])
    padded = products.new_zeros(len(counts), width, products.shape[1])
    padded[:, :points] = products.view(len(counts), points, -1)
    layers = torch.full((len(counts), width), -_LAYERS)
    layers[:, :points] = torch.arange(_LAYERS).repeat(len(counts)).repeat_interleave(counts.flatten()).view(-1, points)
    near = (layers[:, :, None] - layers[:, None]).abs() <= _WINDOW
    parts = padded.unflatten(2, (3, _HEADS, -1)).permute(2, 0, 3, 1, 4)
    return parts, near[:, None], torch.arange(width) < points


def _attention(points: int, filled: float, rounds: int) -> Iterator[Measurement]:
    generator = torch.Generator().manual_seed(1)
    counts = _counts(points, generator)
    products = torch.randn(int(counts.sum()), 3 * _WIDTH, generator=generator)
    windows, width = LayerWindows(counts, _WINDOW), round(points / filled)
    parts, near, there = _padded(products, counts, width)
    bias = torch.zeros(near.shape).masked_fill(~near, -math.inf)

    def explicit() -> Tensor:
        queries, keys, values = parts.unbind()
        scores = queries @ keys.transpose(2, 3) * (_WIDTH // _HEADS) ** -0.5 + bias
        return (scores.softmax(dim=3) @ values).transpose(1, 2).flatten(2)

    def fused() -> Tensor:
        queries, keys, values = parts.unbind()
        attended = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=near)
        return attended.transpose(1, 2).flatten(2)

    with torch.inference_mode():
        own = windows.attend(products, _HEADS).view(len(counts), points, _WIDTH)
        torch.testing.assert_close(own, explicit()[:, there], rtol=1e-4, atol=1e-5)
        for name, peer, target in (("masked softmax", explicit, 4.0), ("torch's masked attention", fused, 1.0)):
            own_seconds, peer_seconds = measure(lambda: windows.attend(products, _HEADS), peer, rounds)
            case = f"attention of {points} points, {filled:.0%} of the padded length, against {name}"
            yield Measurement("showers", case, own_seconds, peer_seconds, len(counts), "showers", target)


def _spot_by_spot(rng: np.random.Generator) -> list[tuple[float, float, int, float]]:
    """Return the spots of one shower of an electron at normal incidence, drawn one by one."""
    stack = geometry_of("ild_like")
    medium, energy = stack.plates[0].medium, np.array([_ENERGY])
    profile = electromagnetic.draw_profiles(energy, medium, rng)
    edges = stack.radiation_depths[None]
    mean, share = _ENERGY * profile.fractions(edges)[0], profile.spot_fractions(edges)[0]
    number = float(electromagnetic.spot_number(energy)[0])
    spots = []
    for layer in range(stack.layers):
        in_layer = rng.poisson(number * share[layer])
        tau = np.array([0.5 * (edges[0, layer] + edges[0, layer + 1])]) / profile.peak
        for _ in range(in_layer):
            core, tail, weight = electromagnetic.radial_parameters(energy, tau, medium)
            scale = core[0] if rng.random() < weight[0] else tail[0]
            uniform, phi = rng.random(), rng.uniform(0, 2 * math.pi)
            radius = medium.moliere_radius * scale * math.sqrt(uniform / (1 - uniform))
            visible = mean[layer] * stack.sampling_fractions[layer] / in_layer
            spots.append((radius * math.cos(phi), radius * math.sin(phi), layer, visible))
    return spots


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure showers per second on one core."""
    for points in _POINTS:
        for filled in (1.0, 0.5):
            yield from _attention(points, filled, rounds)
    rng, stack = np.random.default_rng(1), geometry_of("ild_like")
    direction = np.tile([0.0, 0.0, 1.0], (_AT_ONCE, 1))
    electrons = Particles(np.full(_AT_ONCE, _ENERGY), direction, np.full(_AT_ONCE, 11))
    own_seconds, peer_seconds = measure(
        lambda: simulate_showers(electrons, stack, rng), lambda: [_spot_by_spot(rng) for _ in range(_ALONE)], rounds
    )
    scaled = tuple(seconds * _AT_ONCE / _ALONE for seconds in peer_seconds)
    case = f"{_AT_ONCE} parametrised electrons of {_ENERGY:g} GeV at once, against a loop over spots"
    yield Measurement("showers", case, own_seconds, scaled, _AT_ONCE, "showers")
