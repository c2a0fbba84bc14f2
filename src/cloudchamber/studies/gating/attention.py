"""Attention as gating: softmax attention, output and synaptic gating, multiplexing, XOR in one layer, pooling.

The mechanisms are those of arXiv 2202.08371. An attending unit adds to the activation of another one (additive
activation attention, which multiplexes), multiplies its output (output gating) or multiplies one of its weights
(synaptic gating). That the identities hold is elementary; how they are written here is our own.
"""

from typing import Literal

import torch
from torch import Tensor

__all__ = [
    "additive_activation_attention",
    "gated_dot_product_attention",
    "multiplexer",
    "output_gating",
    "pooled_attention",
    "sufficient_strength",
    "synaptic_gating",
    "threshold_gates",
    "xor_as_gated_or",
]


def output_gating(output: Tensor, gate: Tensor, weights: Tensor) -> Tensor:
    """Return what a neuron sends along its outgoing edges after a gate has multiplied its output.

    Args:
        output, gate: (...) outputs of the neuron and of the gate.
        weights: (E,) of its outgoing edges.

    Returns:
        (..., E): all edges carry the gate.
    """
    return (output * gate)[..., None] * weights


def synaptic_gating(output: Tensor, gate: Tensor, weights: Tensor, edge: int = 0) -> Tensor:
    """Return what a neuron sends along its outgoing edges after a gate has multiplied the weight of one of them.

    With a single edge this is :func:`output_gating`; with several the others are left as they were.

    Args:
        output, gate: (...) outputs of the neuron and of the gate.
        weights: (E,) of its outgoing edges.
        edge: the gated one.

    Returns:
        (..., E).
    """
    factors = torch.ones((*gate.shape, len(weights)), dtype=gate.dtype)
    factors[..., edge] = gate
    return output[..., None] * (weights * factors)


def gated_dot_product_attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return softmax attention written as two layers of gating.

    First each component of a query gates that of a key, and a neuron with equal weights adds the products: their scaled
    dot product. Then each entry of the softmax gates a value on its way to the sum.

    Args:
        queries: (..., N, D).
        keys: (..., M, D).
        values: (..., M, E).

    Returns:
        (..., N, E), as ``torch.nn.functional.scaled_dot_product_attention`` gives it.
    """
    products = queries[..., :, None, :] * keys[..., None, :, :]
    gates = (products.sum(dim=-1) * queries.shape[-1] ** -0.5).softmax(dim=-1)
    return (gates[..., None] * values[..., None, :, :]).sum(dim=-2)


def pooled_attention(points: Tensor, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return the mean over points of self-attention among them, which does not depend on their order.

    Args:
        points: (..., N, D).
        queries, keys: (D, K) maps of a point.
        values: (D, E) map of a point.

    Returns:
        (..., E).
    """
    return gated_dot_product_attention(points @ queries, points @ keys, points @ values).mean(dim=-2)


def threshold_gates(activations: Tensor) -> Tensor:
    """Return the outputs of linear threshold gates: true where the activation is positive."""
    return activations > 0


def additive_activation_attention(activations: Tensor, selectors: Tensor, strength: float) -> Tensor:
    """Return activations after attending units have silenced all units but the one that they select.

    Unit u is named by the binary digits of u, bit 0 first. An attending unit adds ``-strength`` to each unit whose
    digit differs from its own: a linear form of the selectors, so that the sum is one activation still.

    Args:
        activations: (..., 2^k).
        selectors: (..., k) 0 or 1.
        strength: at least the largest activation, or units that are not selected may stay active.

    Returns:
        (..., 2^k); that of the selected unit is unchanged.
    """
    digits = (torch.arange(activations.shape[-1])[:, None] >> torch.arange(selectors.shape[-1])) & 1
    differing = selectors[..., None, :] + digits - 2 * selectors[..., None, :] * digits
    return activations - strength * differing.sum(dim=-1)


def sufficient_strength(weights: Tensor, thresholds: Tensor) -> float:
    """Return an attention that silences every unit on every input of ones and zeros or of signs.

    It lies a little above the largest activation: sums of the same terms in another order round to other numbers.

    Args:
        weights: (U, n).
        thresholds: (U,).
    """
    return float((weights.abs().sum(dim=-1) + thresholds.abs()).max()) * (1 + 1e-9)


def multiplexer(points: Tensor, selectors: Tensor, weights: Tensor, thresholds: Tensor, strength: float) -> Tensor:
    """Return the outputs of the selected one of 2^k linear threshold gates, by a network of such gates alone.

    Each gate of the first layer sees inputs and selectors (:func:`additive_activation_attention`); the gate of the
    second is an OR. So one network holds 2^k functions of its inputs, chosen independently: the kind of construction
    behind the lower bounds of capacities in arXiv 2202.08371.

    Args:
        points: (B, n) inputs.
        selectors: (B, k) 0 or 1.
        weights: (2^k, n) of the gates.
        thresholds: (2^k,) of the gates.
        strength: see :func:`sufficient_strength`.

    Returns:
        (B,) bool.
    """
    activations = additive_activation_attention(points @ weights.T - thresholds, selectors, strength)
    outputs = threshold_gates(activations).to(points.dtype)
    return threshold_gates(outputs.sum(dim=-1) - 0.5)


def xor_as_gated_or(false: Literal[-1, 0] = 0) -> dict[str, int]:
    """Return truth tables of OR, of NAND and of one gated by the other, which is XOR: one layer of two linear gates.

    No linear threshold gate is XOR. The two gates are never both false, so that both ways to write false give XOR.

    Args:
        false: how a gate writes false, -1 or 0; true is 1.

    Returns:
        "or", "nand" and "product": bit i is the value on the input whose binary digits are those of i.
    """
    sums = ((torch.arange(4)[:, None] >> torch.arange(2)) & 1).sum(dim=1)
    either, not_both = (torch.where(threshold_gates(item), 1, false) for item in (2 * sums - 1, 3 - 2 * sums))
    outputs = {"or": either, "nand": not_both, "product": either * not_both}
    return {name: int(((values > 0) * 2 ** torch.arange(4)).sum()) for name, values in outputs.items()}
