"""Random numbers: one seed in the settings, independent streams for each model, stage and chunk."""

import operator
from zlib import crc32

import numpy as np

from cloudchamber.errors import InputError

__all__ = ["generator", "integer_seed", "sequence"]


def sequence(seed: int, *keys: str | int) -> np.random.SeedSequence:
    """Return the seed sequence of one stream.

    Streams with different ``keys`` (names of model, stage, shard, ...) are statistically independent, and the same
    seed and keys give the same stream on every machine.

    Raises:
        InputError: the seed is no whole number from 0 on. Numpy would take None for a seed of the moment.
    """
    try:
        found = operator.index(seed)
    except TypeError:
        found = -1
    if found < 0:
        raise InputError(f"seed: {seed!r}, expected a whole number from 0 on")
    spawn_key = tuple(crc32(str(key).encode()) for key in keys)
    return np.random.SeedSequence(entropy=found, spawn_key=spawn_key)


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """Return a numpy generator for the stream ``keys`` of ``seed``.

    Example:
        >>> generator(7, "epic_fm", "train").integers(100, size=3)
        array([94, 58, 52])
        >>> generator(7, "epic_fm", "sample").integers(100, size=3)
        array([10, 36, 92])
    """
    return np.random.Generator(np.random.PCG64(sequence(seed, *keys)))


def integer_seed(seed: int, *keys: str | int, bits: int = 63) -> int:
    """Return a non-negative integer of at most ``bits`` bits, for generators that are seeded by a number."""
    return int(sequence(seed, *keys).generate_state(1, np.uint64)[0]) >> (64 - bits)
