"""Timing: two ways to do one thing, side by side in one process.

The rounds of both sides are interleaved, so that other load on the machine meets both. What counts is CPU seconds of
the process on one thread: wall time says little on a busy machine.
"""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import final

import numpy as np
import torch

__all__ = ["COLUMNS", "Measurement", "machine", "measure"]

COLUMNS = (
    "benchmark",
    "case",
    "own_best_s",
    "own_median_s",
    "peer_best_s",
    "peer_median_s",
    "ratio_best",
    "ratio_median",
    "own_per_second",
    "unit",
    "target",
    "machine",
)


@final
@dataclass(frozen=True)
class Measurement:
    """CPU seconds of own and peer in each round.

    Attributes:
        benchmark, case: what was measured, and against what.
        own, peer: seconds of each round; ``peer`` is empty where the comparison is with a rate.
        units, unit: how many of what one round handles.
        target: the ratio that is aimed at (own rate over peer rate), or None.
        rate: units per second to compare with where there is no peer in this process.
    """

    benchmark: str
    case: str
    own: tuple[float, ...]
    peer: tuple[float, ...]
    units: int
    unit: str
    target: float | None = None
    rate: float | None = None

    @property
    def ratio_best(self) -> float:
        """How many times faster the best round of own is than that of the peer."""
        return self._ratio(min)

    @property
    def ratio_median(self) -> float:
        """The same of the medians; the distance to :attr:`ratio_best` says how far to trust either."""
        return self._ratio(median)

    def _ratio(self, summary: Callable[[tuple[float, ...]], float]) -> float:
        if self.rate is not None:
            return self.units / summary(self.own) / self.rate
        return summary(self.peer) / summary(self.own)

    def row(self) -> dict[str, str]:
        """Return the values of :data:`COLUMNS`."""
        peer_best, peer_median = (min(self.peer), median(self.peer)) if self.peer else (None, None)
        values = (min(self.own), median(self.own), peer_best, peer_median, self.ratio_best, self.ratio_median)
        texts = [self.benchmark, self.case, *(_text(value) for value in values)]
        texts += [_text(self.units / min(self.own)), self.unit, _text(self.target), machine()]
        return dict(zip(COLUMNS, texts, strict=True))


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def measure(
    own: Callable[[], object],
    peer: Callable[[], object] | None,
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the CPU seconds of each round of ``own`` and of ``peer``, after one round of each to warm up.

    Args:
        own, peer: what is measured; without a peer the comparison is with a rate.
        rounds: of each.
        clock: of what they take: by default the time of this process.
    """
    sides = [own] if peer is None else [own, peer]
    seconds: list[list[float]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for side, taken in zip(sides, seconds, strict=True):
            start = clock()
            side()
            if number:
                taken.append(clock() - start)
    return tuple(seconds[0]), tuple(seconds[1]) if peer is not None else ()


def machine() -> str:
    """Return processor and versions that the figures hold for."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    units = "+".join(name for name in ("avx2", "avx512f", "amx_bf16") if name in flags)
    processor = names[0] if names else platform.processor()
    return f"{processor} ({units}), one thread, torch {torch.__version__}, numpy {np.__version__}"
