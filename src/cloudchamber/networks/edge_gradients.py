"""Compiled loops for the gradients of what :mod:`cloudchamber.networks.edge_loops` computes.

A message is normalised over its batch, so that it feels its own gradient and, through mean and variance, two sums over
all edges. They are taken first; then the gradient of each message is made where it is used. Whether a message passed
the rectifier is computed again, which takes less time than reading what was stored.
"""

import numpy as np

from cloudchamber.compiled_loops import compiled
from cloudchamber.networks.edge_loops import BLOCK, ZERO, add_block

__all__ = [
    "edge_gradients",
    "edge_sums",
    "mean_gradients",
    "mean_sums",
    "message_gradients",
    "message_sums",
]


@compiled()
def edge_sums(
    gradient: np.ndarray,
    centre: np.ndarray,
    other: np.ndarray,
    neighbours: np.ndarray,
    degree: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return two sums over edges, (H,) float64: of the gradients that pass the rectifier, alone and times the message.

    Args:
        gradient: (E, H) of what :func:`cloudchamber.networks.edge_loops.join` wrote; the others are its arguments.
    """
    width = centre.shape[1]
    total, products = np.zeros(width), np.zeros(width)
    block, block_products = np.zeros(width, np.float32), np.zeros(width, np.float32)
    edge = 0
    for i in range(len(degree)):
        of_centre = centre[i]
        for _ in range(degree[i]):
            of_other, of_edge = other[neighbours[edge]], gradient[edge]
            for k in range(width):
                value = of_centre[k] + of_other[k]
                passed = of_edge[k] if scale[k] * value + shift[k] > ZERO else ZERO
                block[k] += passed
                block_products[k] += passed * value
            edge += 1
        if i % BLOCK == BLOCK - 1:
            add_block(total, products, block, block_products)
    add_block(total, products, block, block_products)
    return total, products


@compiled()
def edge_gradients(
    gradient: np.ndarray,
    centre: np.ndarray,
    other: np.ndarray,
    neighbours: np.ndarray,
    degree: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
    slope: np.ndarray,
    constant: np.ndarray,
    of_centres: np.ndarray,
    of_others: np.ndarray,
) -> None:
    """Add the gradients of ``centre`` and ``other``, given what each message feels through the statistics.

    That is ``slope`` times the message plus ``constant``, beside the gradient times ``scale`` where it passes.
    """
    width = centre.shape[1]
    edge = 0
    for i in range(len(degree)):
        of_centre, to_centre = centre[i], of_centres[i]
        for _ in range(degree[i]):
            j = neighbours[edge]
            of_other, to_other, of_edge = other[j], of_others[j], gradient[edge]
            for k in range(width):
                value = of_centre[k] + of_other[k]
                passed = of_edge[k] if scale[k] * value + shift[k] > ZERO else ZERO
                moved = scale[k] * passed + slope[k] * value + constant[k]
                to_centre[k] += moved
                to_other[k] += moved
            edge += 1


@compiled()
def message_sums(
    gradient: np.ndarray, messages: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same sums as :func:`edge_sums` of (E, H) messages."""
    width = messages.shape[1]
    total, products = np.zeros(width), np.zeros(width)
    block, block_products = np.zeros(width, np.float32), np.zeros(width, np.float32)
    for edge in range(len(messages)):
        message, of_edge = messages[edge], gradient[edge]
        for k in range(width):
            passed = of_edge[k] if scale[k] * message[k] + shift[k] > ZERO else ZERO
            block[k] += passed
            block_products[k] += passed * message[k]
        if edge % BLOCK == BLOCK - 1:
            add_block(total, products, block, block_products)
    add_block(total, products, block, block_products)
    return total, products


@compiled()
def message_gradients(
    gradient: np.ndarray,
    messages: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
    slope: np.ndarray,
    constant: np.ndarray,
    result: np.ndarray,
) -> None:
    """Write the gradients (E, H) of messages; arguments as of :func:`edge_gradients`."""
    for edge in range(len(messages)):
        message, of_edge, to_edge = messages[edge], gradient[edge], result[edge]
        for k in range(len(scale)):
            passed = of_edge[k] if scale[k] * message[k] + shift[k] > ZERO else ZERO
            to_edge[k] = scale[k] * passed + slope[k] * message[k] + constant[k]


@compiled()
def mean_sums(
    gradient: np.ndarray, messages: np.ndarray, degree: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same sums as :func:`edge_sums`, given the gradient of the (M, H) mean over neighbours."""
    width = messages.shape[1]
    total, products = np.zeros(width), np.zeros(width)
    block, block_products = np.zeros(width, np.float32), np.zeros(width, np.float32)
    edge = 0
    for i in range(len(degree)):
        of_particle, share = gradient[i], np.float32(1.0 / max(degree[i], 1))
        for _ in range(degree[i]):
            message = messages[edge]
            for k in range(width):
                passed = share * of_particle[k] if scale[k] * message[k] + shift[k] > ZERO else ZERO
                block[k] += passed
                block_products[k] += passed * message[k]
            edge += 1
        if i % BLOCK == BLOCK - 1:
            add_block(total, products, block, block_products)
    add_block(total, products, block, block_products)
    return total, products


@compiled()
def mean_gradients(
    gradient: np.ndarray,
    messages: np.ndarray,
    degree: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
    slope: np.ndarray,
    constant: np.ndarray,
    result: np.ndarray,
) -> None:
    """Write the gradients (E, H) of messages, given that of their (M, H) mean; see :func:`edge_gradients`."""
    width = messages.shape[1]
    edge = 0
    for i in range(len(degree)):
        of_particle, share = gradient[i], np.float32(1.0 / max(degree[i], 1))
        for _ in range(degree[i]):
            message, to_edge = messages[edge], result[edge]
            for k in range(width):
                passed = share * of_particle[k] if scale[k] * message[k] + shift[k] > ZERO else ZERO
                to_edge[k] = scale[k] * passed + slope[k] * message[k] + constant[k]
            edge += 1
