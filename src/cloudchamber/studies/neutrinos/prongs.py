"""Which particles make up a prong: those close to a brighter one are merged into it."""

import numpy as np

__all__ = ["merged"]


def merged(event: np.ndarray, visible: np.ndarray, direction: np.ndarray, angle: float) -> np.ndarray:
    """Return for each particle the one into whose prong it goes, itself where it begins one; -1 where it left nothing.

    Particles are taken by falling energy. Each goes to the brightest of those before it that began a prong and are
    closer in angle.

    Args:
        event: (N,) int64, ordered.
        visible: (N,) energy in the strips.
        direction: (N, 3) unit vectors.
        angle: below which particles are merged [deg].

    Example:
        >>> along = np.array([[0.0, 0.0, 1.0], [0.0, 0.01, 0.99995], [0.0, 1.0, 0.0]])
        >>> merged(np.zeros(3, int), np.array([1.0, 2.0, 0.0]), along, 5.0)
        array([ 1,  1, -1])
    """
    order = np.lexsort((-visible, event))
    counts = np.bincount(event) if len(event) else np.zeros(0, np.int64)
    first = np.cumsum(counts) - counts
    width = int(counts.max(initial=0))
    # Events as rows, their particles by falling energy; -1 where there is none.
    slot = np.arange(len(event)) - first[event[order]]
    table = np.full((len(counts), width), -1)
    table[event[order], slot] = order
    seen = (table >= 0) & (visible[table] > 0)
    vectors = direction[table]
    cosine = np.cos(np.radians(angle))
    begins = np.zeros(table.shape, bool)
    target = np.full(table.shape, -1)
    for number in range(width):
        close = np.einsum("ek,enk->en", vectors[:, number], vectors[:, :number]) > cosine
        close &= begins[:, :number]
        taken = close.any(axis=1)
        begins[:, number] = seen[:, number] & ~taken
        host = close.argmax(axis=1) if number else np.zeros(len(table), np.int64)
        target[:, number] = np.where(taken, table[np.arange(len(table)), host], table[:, number])
        target[~seen[:, number], number] = -1
    result = np.full(len(event), -1)
    result[table[table >= 0]] = target[table >= 0]
    return result
