"""The device of a computation that is not a training, and measurements of time on it."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from cloudchamber.hardware import clock_of, processor
from cloudchamber.progress import progress

__all__ = ["device_name", "in_turns", "present_device", "seconds_of"]

Case = TypeVar("Case")


def present_device() -> torch.device:
    """Return a GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """Return the name of a GPU, or that of the processor."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Return the seconds that work takes until the device has finished, by the clock that suits it."""
    _, now = clock_of(device.type)
    _finish(device)
    start = now()
    work()
    _finish(device)
    return now() - start


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def in_turns(
    name: str,
    cases: Sequence[Case],
    rounds: int,
    measure: Callable[[Case], tuple[float, ...]],
    label: Callable[[Case], str],
) -> list[list[tuple[float, ...]]]:
    """Return the measurements of each case, a tuple per round.

    Cases take turns, round by round, after one round that warms up, so that a busy spell of the machine does not fall
    on one of them.

    Args:
        name: what the progress is called.
        cases: what is measured.
        rounds: how often each is measured.
        measure: returns the numbers of one measurement.
        label: what a case is called in the progress.
    """
    found: list[list[tuple[float, ...]]] = [[] for _ in cases]
    with progress(name, (rounds + 1) * len(cases), "measurements") as bar:
        for turn in range(rounds + 1):
            for case, measured in zip(cases, found, strict=True):
                bar.note(label(case))
                numbers = measure(case)
                if turn > 0:
                    measured.append(numbers)
                bar.update()
    return found
