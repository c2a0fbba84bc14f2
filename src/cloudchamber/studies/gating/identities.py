"""Identities of attention, evaluated on random inputs in double precision, each beside a variant that breaks it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor
from torch.nn import functional

from cloudchamber.studies.gating.attention import (
    gated_dot_product_attention,
    multiplexer,
    output_gating,
    pooled_attention,
    sufficient_strength,
    synaptic_gating,
    threshold_gates,
    xor_as_gated_or,
)

__all__ = ["IDENTITIES", "Identity", "evaluate_identities"]

_POINTS, _KEYS, _WIDTH, _VALUES = 7, 6, 5, 4
_INPUTS, _SELECTORS = 6, 3
# Rounding of sums of a few dozen terms of order one.
_ROUNDING = 1e-12
_XOR = 0b0110

# Deviations of the identity and of its broken variant, from so many random inputs.
_Evaluation = Callable[[torch.Generator, int], tuple[float, float]]


@final
@dataclass(frozen=True)
class Identity:
    """An equality that can be tried on numbers.

    Attributes:
        name: short.
        statement: one sentence.
        control: in a few words, the variant that breaks it.
        tolerance: up to which deviation it holds.
        evaluate: draws inputs and returns the largest deviations of the identity and of the variant.
    """

    name: str
    statement: str
    control: str
    tolerance: float
    evaluate: _Evaluation


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _largest(first: Tensor, second: Tensor) -> float:
    return float((first - second).abs().max())


def _softmax_attention(generator: torch.Generator, trials: int) -> tuple[float, float]:
    queries = _normal(generator, trials, _POINTS, _WIDTH)
    keys = _normal(generator, trials, _KEYS, _WIDTH)
    values = _normal(generator, trials, _KEYS, _VALUES)
    gated = gated_dot_product_attention(queries, keys, values)
    attended, unscaled = (
        functional.scaled_dot_product_attention(queries, keys, values, scale=scale) for scale in (None, 1.0)
    )
    return _largest(gated, attended), _largest(gated, unscaled)


def _one_outgoing_edge(generator: torch.Generator, trials: int) -> tuple[float, float]:
    output, gate = _normal(generator, 2, trials)
    weights = _normal(generator, 2)
    one, both = (
        _largest(output_gating(output, gate, edges), synaptic_gating(output, gate, edges))
        for edges in (weights[:1], weights)
    )
    return one, both


def _multiplexing(generator: torch.Generator, trials: int) -> tuple[float, float]:
    units = 2**_SELECTORS
    weights, thresholds = _normal(generator, units, _INPUTS), _normal(generator, units)
    points = 2.0 * torch.randint(2, (trials, _INPUTS), generator=generator, dtype=torch.float64) - 1.0
    selected = torch.randint(units, (trials,), generator=generator)
    selectors = ((selected[:, None] >> torch.arange(_SELECTORS)) & 1).to(torch.float64)
    expected = threshold_gates((points * weights[selected]).sum(dim=1) - thresholds[selected])
    wrong = [
        float((multiplexer(points, selectors, weights, thresholds, strength) != expected).double().mean())
        for strength in (sufficient_strength(weights, thresholds), 0.0)
    ]
    return wrong[0], wrong[1]


def _xor(generator: torch.Generator, trials: int) -> tuple[float, float]:
    tables = [xor_as_gated_or(false) for false in (-1, 0)]
    product, ungated = (max((table[name] ^ _XOR).bit_count() / 4 for table in tables) for name in ("product", "or"))
    return product, ungated


def _permuted_points(generator: torch.Generator, trials: int) -> tuple[float, float]:
    points = _normal(generator, trials, _POINTS, _WIDTH)
    maps = [_normal(generator, _WIDTH, width) for width in (_WIDTH, _WIDTH, _VALUES)]
    # One order for each trial: drawn keys, sorted.
    order = _normal(generator, trials, _POINTS).argsort(dim=1)
    moved = points.take_along_dim(order[..., None], dim=1)
    pooled = _largest(pooled_attention(points, *maps), pooled_attention(moved, *maps))
    first, other = (gated_dot_product_attention(*(rows @ matrix for matrix in maps))[:, 0] for rows in (points, moved))
    return pooled, _largest(first, other)


IDENTITIES: tuple[Identity, ...] = (
    Identity(
        "softmax attention",
        "Softmax attention is gating twice: queries gate keys to dot products, and their softmax gates values.",
        "dot products without their scale",
        _ROUNDING,
        _softmax_attention,
    ),
    Identity(
        "one outgoing edge",
        "Gating the output of a neuron with one outgoing edge is gating the weight of that edge.",
        "two outgoing edges, one of them gated",
        _ROUNDING,
        _one_outgoing_edge,
    ),
    Identity(
        "multiplexing",
        f"Additive activation attention with {_SELECTORS} selectors picks one of {2**_SELECTORS} linear threshold "
        "gates.",
        "no attention: an OR of all gates",
        0.0,
        _multiplexing,
    ),
    Identity(
        "XOR",
        "OR gated by NAND is XOR, whether false is written -1 or 0.",
        "OR without its gate",
        0.0,
        _xor,
    ),
    Identity(
        "pooled attention",
        "The mean over points of their self-attention does not depend on the order of the points.",
        "the first point in place of the mean",
        _ROUNDING,
        _permuted_points,
    ),
)


def evaluate_identities(generator: torch.Generator, trials: int) -> list[dict[str, Any]]:
    """Return each identity with its statement and the largest deviation found, one line each.

    Args:
        generator: where random inputs come from.
        trials: number of random inputs behind each identity.
    """
    lines = []
    for identity in IDENTITIES:
        deviation, control = identity.evaluate(generator, trials)
        lines.append(
            {
                "identity": identity.name,
                "statement": identity.statement,
                "deviation": deviation,
                "tolerance": identity.tolerance,
                "holds": deviation <= identity.tolerance,
                "control": identity.control,
                "control_deviation": control,
            }
        )
    return lines
