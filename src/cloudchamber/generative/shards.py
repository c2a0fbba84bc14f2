"""A sample drawn by several jobs: which jets each draws for, and how their files become one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, final

from cloudchamber.cloud_file import read_clouds, read_header
from cloudchamber.cloud_writer import create_clouds
from cloudchamber.errors import InputError, SettingsError

__all__ = ["JETS", "WHOLE", "Shard", "gather_sample"]

# Key of the meta data that has the first jet of a shard, the first behind it, and how many all shards have.
JETS = "jets"


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
    """Write the shards of one sample to ``output``, in their order, holding one of them in memory at a time.

    Jets, particles and what made them are those of a draw in one piece; the time per jet is the mean over the jets.

    Raises:
        InputError: a file is no shard, one is missing or there twice, they are not of one sample, or one does not begin
            where another ends.
    """
    shards: dict[int, Path] = {}
    first = read_header(parts[0])
    for path in parts:
        meta = read_header(path)
        shard = Shard.parse(meta["shard"]) if "shard" in meta else None
        if shard is None or JETS not in meta or shard.of != len(parts) or shard.number in shards:
            raise InputError(f"{path}: not one of {len(parts)} different shards of a sample")
        if _origin(meta) != _origin(first):
            raise InputError(f"{path}: not of the sample of {parts[0]}: other model, jets, settings or seed")
        shards[shard.number] = path
    total = _refuse_gaps(shards)
    seconds, negative = 0.0, 0
    layout = read_clouds(shards[1])[:0]
    columns = (layout.point_columns, layout.feature_columns, layout.label_columns)
    with create_clouds(output, layout.mask.shape[1], *columns) as writer:
        for number in sorted(shards):
            clouds = read_clouds(shards[number])
            writer.append(clouds.points, clouds.mask, clouds.features, clouds.labels)
            seconds += clouds.meta["sampler"]["seconds_per_jet"] * len(clouds)
            negative += clouds.meta["particles_without_momentum"]
        sampler = {**first["sampler"], "seconds_per_jet": seconds / writer.rows}
        counted = {"sampler": sampler, "particles_without_momentum": negative}
        writer.add_meta({**read_header(shards[1]), "shard": str(WHOLE), JETS: [0, total, total], **counted})


def _refuse_gaps(shards: Mapping[int, Path]) -> int:
    """Refuse shards that do not hold each jet once, as where chunks of a GPU and of a CPU parted them; return the jets.

    Args:
        shards: files by their numbers, which are all there.
    """
    end = 0
    for number in sorted(shards):
        first, stop, total = read_header(shards[number])[JETS]
        if first != end or (number == len(shards) and stop != total):
            raise InputError(
                f"{shards[number]}: has the jets from {first} to {stop} of {total}, and the shards before it those to"
                f" {end}, as where some were drawn on a GPU and others on a CPU: draw all on one kind of device"
            )
        end = stop
    return end


def _origin(meta: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what all shards of a sample have in common."""
    return tuple(meta["provenance"][name] for name in ("inputs", "settings", "seed"))
