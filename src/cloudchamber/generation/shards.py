"""A sample drawn by several jobs: which jets each draws for, and how their files become one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, final

import numpy as np

from cloudchamber.cloud import Clouds, read_clouds, write_clouds
from cloudchamber.errors import InputError, SettingsError

__all__ = ["WHOLE", "Shard", "gather_sample"]


@final
@dataclass(frozen=True)
class Shard:
    """One of several equal parts.

    Attributes:
        number: from 1.
        of: how many there are.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the shard that is written as in ``2-of-8``.

        Raises:
            SettingsError: it is written otherwise, or there is no such part.
        """
        match = re.fullmatch(r"(\d+)-of-(\d+)", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise SettingsError(f"--shard: '{text}' is no part of a whole; expected as in 2-of-8")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}-of-{self.of}"

    def rows(self, jets: int, size: int) -> slice:
        """Return which of ``jets`` are in this part; parts begin where chunks of ``size`` jets do.

        Raises:
            InputError: there are fewer chunks than parts.
        """
        chunks = -(-jets // size)
        if chunks < self.of:
            raise InputError(f"{jets} jets are {chunks} chunks of {size}; they cannot be shared by {self.of} shards")
        first, end = (number * chunks // self.of for number in (self.number - 1, self.number))
        return slice(first * size, min(end * size, jets))


# All jets in one piece.
WHOLE = Shard(1, 1)


def gather_sample(parts: Sequence[Path], output: Path) -> None:
    """Write the shards of one sample to ``output``, in their order.

    Jets, particles and what made them are those of a draw in one piece; the time per jet is the mean over the jets.

    Raises:
        InputError: a file is no shard, one is missing or there twice, or they are not of one sample.
    """
    shards: dict[int, Clouds] = {}
    first = read_clouds(parts[0])
    for path in parts:
        clouds = read_clouds(path)
        shard = Shard.parse(clouds.meta["shard"]) if "shard" in clouds.meta else None
        if shard is None or shard.of != len(parts) or shard.number in shards:
            raise InputError(f"{path}: not one of {len(parts)} different shards of a sample")
        if _origin(clouds.meta) != _origin(first.meta):
            raise InputError(f"{path}: not of the sample of {parts[0]}: other model, jets, settings or seed")
        shards[shard.number] = clouds
    ordered = [shards[number] for number in sorted(shards)]
    sizes = [len(clouds) for clouds in ordered]
    times = [clouds.meta["sampler"]["seconds_per_jet"] for clouds in ordered]
    whole = replace(
        ordered[0],
        points=np.concatenate([clouds.points for clouds in ordered]),
        mask=np.concatenate([clouds.mask for clouds in ordered]),
        features=np.concatenate([clouds.features for clouds in ordered]),
        labels=np.concatenate([clouds.labels for clouds in ordered]),
        meta={
            **ordered[0].meta,
            "shard": str(WHOLE),
            "sampler": {**ordered[0].meta["sampler"], "seconds_per_jet": float(np.average(times, weights=sizes))},
            "particles_without_momentum": sum(clouds.meta["particles_without_momentum"] for clouds in ordered),
        },
    )
    write_clouds(output, whole)


def _origin(meta: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what all shards of a sample have in common."""
    return tuple(meta["provenance"][name] for name in ("inputs", "settings", "seed"))
