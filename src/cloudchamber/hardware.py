"""What a measurement ran on, and the clock that suits it."""

import platform
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["clock_of", "processor"]


def processor() -> str:
    """Return the name of the processor as the system tells it, or its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def clock_of(kind: str) -> tuple[str, Callable[[], float]]:
    """Return name and clock [s] for measurements on a kind of device.

    On a CPU it is the time of the process on all its threads, which other processes change little; elsewhere the
    elapsed time.
    """
    return ("CPU", time.process_time) if kind == "cpu" else ("elapsed", time.perf_counter)
