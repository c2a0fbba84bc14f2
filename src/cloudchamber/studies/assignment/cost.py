"""The step that measures how long an event takes: networks with their decoding, and chi-squares."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from cloudchamber.devices import device_name, in_turns, present_device, seconds_of
from cloudchamber.errors import InputError
from cloudchamber.hardware import clock_of
from cloudchamber.settings.entries import entries
from cloudchamber.storage import write_rows
from cloudchamber.studies.assignment.chi_square import best_assignments
from cloudchamber.studies.assignment.event_file import Events, read_events, read_part
from cloudchamber.studies.assignment.methods import CHI_SQUARES
from cloudchamber.studies.assignment.network_assignments import decode
from cloudchamber.studies.assignment.settings import CostSettings
from cloudchamber.studies.assignment.stored_network import load_network
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR
from cloudchamber.training.described_weights import parameters

__all__ = ["measure_cost"]

# Compiled loops are so fast that one call could not be told from the clock.
_CHI_SQUARE_EVENTS = 2000


@final
@dataclass(frozen=True)
class _Case:
    model: str
    parameters: int | str
    batch_size: int
    events: int
    work: Callable[[], object]
    device: torch.device


def measure_cost(events: Path, files: Mapping[str, Any], settings: CostSettings, output: Path) -> None:
    """Measure the time of an event and write a row for each method and size of batch as CSV.

    Methods take turns, round by round, after one round that warms up. A network counts with its decoding. A chi-square
    is called with the events of a batch at once, as a network is.

    Args:
        events: file in the layout of SPANet with the part "all/test".
        files: "models", a list with "name", "weights" and "description".
        settings: sizes of batches, rounds.
        output: CSV with ``seconds_per_event``, the median of the rounds, and ``lowest`` and ``highest``.

    Raises:
        InputError: a file cannot be used, or there is no event.
        SettingsError: a key is missing.
    """
    sample = read_events(events, ALL_HADRONIC_TOP_PAIR)
    test = sample[read_part(events, "all/test", len(sample))]
    if not len(test):
        raise InputError(f"{events}: the part 'all/test' is empty")
    device = present_device()
    cases = []
    for batch_size in settings.batch_sizes:
        batch = test[np.arange(batch_size) % len(test)]
        for entry in entries(files, "models", ("name", "weights", "description")):
            cases.append(_network_case(entry, batch, device))
        cases += [_chi_square_case(name, batch) for name in CHI_SQUARES]

    def measure(case: _Case) -> tuple[float, ...]:
        return (seconds_of(case.work, case.device) / case.events,)

    found = in_turns("cost", cases, settings.rounds, measure, lambda case: f"{case.model}, {case.batch_size}")
    rows = []
    for case, measured in zip(cases, found, strict=True):
        (seconds,) = zip(*measured, strict=True)
        clock, _ = clock_of(case.device.type)
        rows.append(
            {
                "model": case.model,
                "parameters": case.parameters,
                "batch_size": case.batch_size,
                "seconds_per_event": statistics.median(seconds),
                "lowest": min(seconds),
                "highest": max(seconds),
                "rounds": settings.rounds,
                "device": device_name(case.device),
                "clock": clock,
                "threads": torch.get_num_threads(),
            }
        )
    write_rows(output, rows)


def _network_case(entry: Mapping[str, Any], batch: Events, device: torch.device) -> _Case:
    stored = load_network(Path(entry["weights"]), Path(entry["description"]))
    network = stored.network.to(device)
    inputs = tuple(torch.from_numpy(values).to(device) for values in (batch.jets, batch.mask))

    @torch.inference_mode()
    def work() -> None:
        decode(network(*inputs), len(batch))

    return _Case(entry["name"], parameters(stored.network), len(batch), len(batch), work, device)


def _chi_square_case(name: str, batch: Events) -> _Case:
    method = CHI_SQUARES[name]
    repeats = max(1, _CHI_SQUARE_EVENTS // len(batch) // 10)

    def work() -> None:
        for _ in range(repeats):
            best_assignments(batch.jets, batch.mask, form=method.form, b_tags=method.b_tags)

    return _Case(name, "", len(batch), repeats * len(batch), work, torch.device("cpu"))
