"""The step ``sampling-time``: how long models take to generate a jet, against its number of particles."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch

from cloudchamber.devices import device_name, in_turns, present_device, seconds_of
from cloudchamber.errors import SettingsError
from cloudchamber.generative.artifact import build_sampler, load_artifact
from cloudchamber.generative.sampling import Sampler
from cloudchamber.hardware import clock_of
from cloudchamber.settings.base import parse
from cloudchamber.settings.generation import SamplingTimeSettings
from cloudchamber.settings.generators import SamplerSettings
from cloudchamber.storage import write_rows

__all__ = ["sampling_time"]


@final
@dataclass(frozen=True)
class _Case:
    """One model at one multiplicity."""

    model: str
    name: str
    settings: SamplerSettings
    sampler: Sampler
    conditions: int
    multiplicity: int


def sampling_time(models: Mapping[str, Any], settings: SamplingTimeSettings, output: Path) -> None:
    """Measure the time per jet of each model at each multiplicity and write it as CSV.

    All is measured in this process, on a GPU where there is one. Models and multiplicities take turns, round by round,
    after one round that warms up, so that a busy spell of the machine does not fall on one model. On a CPU the time is
    that of the process on all its threads, which other processes change little; on a GPU it is the elapsed time until
    the device has finished. The column ``clock`` says which. Conditions are zero, the mean of the training jets.

    Args:
        models: name -> mapping with ``sampler`` (its name), ``settings`` (of the sampler), ``weights`` and
            ``description``.
        settings: multiplicities, jets per measurement, rounds.
        output: CSV with ``seconds_per_jet`` (median), ``lowest`` and ``highest`` of the rounds, and
            ``seconds_per_evaluation``, the median over the network evaluations of a jet.

    Raises:
        InputError: a model cannot be read.
        SettingsError: a key of ``models`` is missing or wrong.
    """
    if not models:
        raise SettingsError("--models: names no model")
    device = present_device()
    cases = [case for name, entry in models.items() for case in _cases(name, entry, settings.multiplicities, device)]

    def measure(case: _Case) -> tuple[float, ...]:
        counts, conditions = (
            torch.full((settings.jets,), case.multiplicity),
            torch.zeros(settings.jets, case.conditions),
        )
        return (seconds_of(lambda: case.sampler.draw(counts, conditions, seed=0), device) / settings.jets,)

    found = in_turns(
        "sampling time", cases, settings.rounds, measure, lambda case: f"{case.model}, {case.multiplicity} particles"
    )
    clock, _ = clock_of(device.type)
    rows = []
    for case, measured in zip(cases, found, strict=True):
        seconds = [number for (number,) in measured]
        rows.append(
            {
                "model": case.model,
                "sampler": case.name,
                "solver": case.settings.solver,
                "precision": case.settings.precision,
                "evaluations": case.sampler.evaluations,
                "multiplicity": case.multiplicity,
                "jets": settings.jets,
                "device": device_name(device),
                "clock": clock,
                "threads": torch.get_num_threads(),
                "seconds_per_jet": statistics.median(seconds),
                "lowest": min(seconds),
                "highest": max(seconds),
                "seconds_per_evaluation": statistics.median(seconds) / case.sampler.evaluations,
            }
        )
    write_rows(output, rows)


def _cases(name: str, entry: Mapping[str, Any], multiplicities: tuple[int, ...], device: torch.device) -> list[_Case]:
    if not isinstance(entry, Mapping):
        raise SettingsError(f"--models: {name}: expected keys and values")
    missing = sorted({"sampler", "settings", "weights", "description"} - set(entry))
    if missing:
        raise SettingsError(f"--models: {name}: no key {missing}")
    settings = parse(SamplerSettings, entry["settings"], f"--models: {name}.settings")
    artifact = load_artifact(Path(entry["weights"]), Path(entry["description"]))
    sampler = build_sampler(artifact, settings, device)
    conditions = len(artifact.settings.conditions)
    return [_Case(name, entry["sampler"], settings, sampler, conditions, number) for number in multiplicities]
