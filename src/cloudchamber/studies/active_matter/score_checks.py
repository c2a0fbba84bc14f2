"""Identities that the score of any density fulfils (Stein), and those of a stationary flow: each is zero if they hold.

None needs the exact score. All are without units: relative to what the terms of the identity are by themselves.
"""

from collections.abc import Iterator

import numpy as np

from cloudchamber.studies.active_matter.blocks import Mean, block_mean

__all__ = ["CHECKS", "score_checks"]

CHECKS = {
    "stein_mean": "largest |E[s]| of a channel, times its standard deviation",
    "stein_identity": "root mean square entry of E[s z^T] + 1 of one particle; coordinates on a ring are left out",
    "stein_divergence": "1 + E[D div s] / E[s . D s]",
    "flow_mean": "E[v . s] relative to the square root of E[v . D^-1 v] E[s . D s]",
    "flow_residual": "root mean square of div v + v . s relative to that of the terms of v . s, one a channel",
}


def score_checks(
    states: np.ndarray,
    score: np.ndarray,
    velocity: np.ndarray,
    divergence: np.ndarray,
    drift_divergence: np.ndarray,
    diffusions: np.ndarray,
    blocks: np.ndarray,
    periodic: int = 0,
) -> Iterator[tuple[str, Mean]]:
    """Yield the name and the value of each of :data:`CHECKS`.

    Args:
        states, score, velocity: (M, N, C).
        divergence, drift_divergence: (M, N, C) derivatives of velocity and drift by their own coordinate.
        diffusions: (C,), all above zero.
        blocks: (M,) which snapshots count as one.
        periodic: how many of the channels, the first ones, are coordinates on a ring.
    """
    deviations = states.std(axis=(0, 1))
    means = [
        block_mean(score[..., channel].mean(axis=1) * deviations[channel], blocks) for channel in range(score.shape[2])
    ]
    largest = max(means, key=lambda item: abs(item.value))
    yield "stein_mean", Mean(abs(largest.value), largest.of_blocks, 0.0, largest.blocks, largest.snapshots)

    plain = slice(periodic, None)
    products = np.einsum("mna,mnb->mab", score[..., plain], states[..., plain]) / states.shape[1]
    entries = [
        [block_mean(products[:, first, second] + (first == second), blocks) for second in range(products.shape[2])]
        for first in range(products.shape[1])
    ]
    values = np.array([[item.value for item in line] for line in entries])
    errors = np.array([[item.of_blocks for item in line] for line in entries])
    size = float(np.sqrt(np.square(values).mean()))
    # To first order in the errors of the entries.
    error = float(np.sqrt(np.square(values * errors).sum()) / max(size * values.size, 1e-300))
    yield "stein_identity", Mean(size, error, 0.0, largest.blocks, largest.snapshots)

    slopes = (drift_divergence - divergence).sum(axis=(1, 2))
    squares = (np.square(score) * diffusions).sum(axis=(1, 2))
    scale = squares.mean()
    yield "stein_divergence", block_mean((slopes + squares) / scale, blocks)

    flow = (velocity * score).sum(axis=(1, 2))
    production = (np.square(velocity) / diffusions).sum(axis=(1, 2)).mean()
    yield "flow_mean", block_mean(flow / np.sqrt(production * scale), blocks)

    # In linear systems v . s itself is zero at every point: its terms are not.
    terms = np.square((velocity * score).sum(axis=1)).sum(axis=1).mean()
    mean = block_mean(np.square(divergence.sum(axis=(1, 2)) + flow) / terms, blocks)
    value = float(np.sqrt(mean.value))
    yield "flow_residual", Mean(value, mean.of_blocks / max(2 * value, 1e-300), 0.0, mean.blocks, mean.snapshots)
