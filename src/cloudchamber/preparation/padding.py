"""Sort the particles of each cloud by transverse momentum, truncate, pad: flat values in, rectangular arrays out."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numba import njit

__all__ = ["Padded", "pad"]

_SHORT = 48  # below this length insertion sort is faster than clearing the radix sort's counters


@final
@dataclass(frozen=True)
class Padded:
    """Clouds of the same padded length P.

    Attributes:
        points: (N, P, F) float32, particles by falling pT, zero where ``mask`` is false.
        mask: (N, P) bool.
        pt_sums: (N, 2) float64, scalar sum of pT of all particles and of those kept [GeV].
    """

    points: np.ndarray
    mask: np.ndarray
    pt_sums: np.ndarray


def pad(columns: np.ndarray, offsets: np.ndarray, width: int) -> Padded:
    """Sort, truncate and pad clouds.

    Particles are sorted by falling pT before truncation; those of equal pT stay in their order.

    Args:
        columns: (F, total) values of all particles; row 0 is pT [GeV], without NaN.
        offsets: (N + 1,) int64; the particles of cloud i are ``columns[:, offsets[i]:offsets[i + 1]]``.
        width: P, the most particles kept.
    """
    n = len(offsets) - 1
    columns = np.ascontiguousarray(columns, dtype=np.float32)
    padded = Padded(
        points=np.zeros((n, width, len(columns)), np.float32),
        mask=np.zeros((n, width), np.bool_),
        pt_sums=np.zeros((n, 2)),
    )
    _fill(columns, np.asarray(offsets, np.int64), padded.points, padded.mask, padded.pt_sums)
    return padded


@njit(cache=True)
def _fill(columns: np.ndarray, offsets: np.ndarray, points: np.ndarray, mask: np.ndarray, pt_sums: np.ndarray) -> None:
    bits = columns[0].view(np.uint32)
    longest = 0
    for cloud in range(len(offsets) - 1):
        longest = max(longest, offsets[cloud + 1] - offsets[cloud])
    keys = np.empty(longest, np.uint64)
    spare = np.empty(longest, np.uint64)
    counters = np.empty((4, 256), np.int64)
    for cloud in range(len(offsets) - 1):
        first = offsets[cloud]
        n = offsets[cloud + 1] - first
        for slot in range(n):
            keys[slot] = _descending(bits[first + slot]) << np.uint64(32) | np.uint64(slot)
        ordered = _insertion_sort(keys, n) if n < _SHORT else _radix_sort(keys, spare, counters, n)
        for slot in range(n):
            source = first + np.int64(ordered[slot] & np.uint64(0xFFFFFFFF))
            pt_sums[cloud, 0] += columns[0, source]
            if slot < points.shape[1]:
                pt_sums[cloud, 1] += columns[0, source]
                mask[cloud, slot] = True
                for column in range(len(columns)):
                    points[cloud, slot, column] = columns[column, source]


@njit(cache=True)
def _descending(bits: np.uint32) -> np.uint64:
    """Map the bits of a float32 to an integer that falls as the float rises (IEEE 754 order, -0.0 equal to 0.0)."""
    wide = np.uint64(bits)
    if wide > np.uint64(0x80000000):
        return wide
    wide &= np.uint64(0x7FFFFFFF)
    return wide ^ np.uint64(0x7FFFFFFF)


@njit(cache=True)
def _insertion_sort(keys: np.ndarray, n: int) -> np.ndarray:
    for i in range(1, n):
        key = keys[i]
        j = i
        while j > 0 and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            j -= 1
        keys[j] = key
    return keys


@njit(cache=True)
def _radix_sort(keys: np.ndarray, spare: np.ndarray, counters: np.ndarray, n: int) -> np.ndarray:
    """Sort by the upper 32 bits, byte by byte from the lowest; stable, so the lower half needs no pass."""
    counters[:] = 0
    for i in range(n):
        for byte in range(4):
            counters[byte, keys[i] >> np.uint64(32 + 8 * byte) & np.uint64(255)] += 1
    for byte in range(4):
        position = 0
        for value in range(256):
            count = counters[byte, value]
            counters[byte, value] = position
            position += count
        for i in range(n):
            value = keys[i] >> np.uint64(32 + 8 * byte) & np.uint64(255)
            spare[counters[byte, value]] = keys[i]
            counters[byte, value] += 1
        keys, spare = spare, keys
    return keys
