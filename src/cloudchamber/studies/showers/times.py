"""The step ``measure-time``: how long a shower takes, against its energy."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from cloudchamber import seeds
from cloudchamber.devices import device_name, in_turns, present_device, seconds_of
from cloudchamber.errors import InputError
from cloudchamber.hardware import clock_of
from cloudchamber.metrics.tables import read_table
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.settings.base import parse
from cloudchamber.settings.entries import entries, need
from cloudchamber.storage import write_rows
from cloudchamber.studies.showers.model_settings import ShowerSampler
from cloudchamber.studies.showers.parametrised_sample import parametrised_points
from cloudchamber.studies.showers.sample import draw_counts, draw_points
from cloudchamber.studies.showers.settings import TimesSettings
from cloudchamber.studies.showers.shower_file import geometry_in, open_showers, particles_of
from cloudchamber.studies.showers.shower_models import CountModel, PointModel, load_counts, load_points
from cloudchamber.studies.showers.source_settings import IngestionSettings
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["measure_time"]

_ENERGIES = 3
_PARAMETRISED, _GEANT4 = "parametrised", "geant4"
_GEANT4_COLUMNS = ("pdg", "energy", "seconds", "processor")


@final
@dataclass(frozen=True)
class _Case:
    """One way to make showers of one species and energy."""

    name: str
    sampler: str
    species: str
    rows: np.ndarray
    model: PointModel | None
    settings: ShowerSampler | None


def measure_time(source: Path, files: Mapping[str, Any], settings: TimesSettings, output: Path) -> None:
    """Measure the time of a shower of each model and of the parametrisation, of each species at three energies.

    All is measured in this process, on a GPU where there is one; cases take turns. A model needs its numbers of points
    first, whose time counts. The parametrisation is read as raw files are, and that counts too. Times of Geant4 are
    those of the jobs that simulated the showers: of each species and energy, of as many showers of nearest energies.

    Args:
        source: file of showers, whose part "asked" says which particles.
        files: "models", a list of "name", "sampler", "settings" of the sampler, "weights", "description"; "counts"; and
            "geant4", a list of tables of times that ``simulate-geant4`` has written, which may be empty.
        settings: showers drawn at once, rounds.
        output: CSV with ``seconds_per_shower`` (median), ``lowest`` and ``highest`` of the rounds; of Geant4 their mean
            over showers, less and more its standard error.

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing.
        StorageError: the table cannot be written.
    """
    listed = entries(files, "models", ("name", "sampler", "settings", "weights", "description"), may_be_empty=True)
    counts = need(files, "counts")
    counter = load_counts(Path(need(counts, "weights")), Path(need(counts, "description")))
    models = [
        (item, load_points(Path(item["weights"]), Path(item["description"])), parse(ShowerSampler, item["settings"]))
        for item in listed
    ]
    device = present_device()
    with open_showers(source, ("asked",)) as showers:
        cases = []
        for species, rows in _groups(showers, settings.showers):
            cases.append(_Case(_PARAMETRISED, "none", species, rows, None, None))
            cases += [
                _Case(item["name"], item["sampler"], species, rows, model, sampler) for item, model, sampler in models
            ]

        def measure(case: _Case) -> tuple[float, ...]:
            return (seconds_of(lambda: _draw(case, showers, counter), device) / len(case.rows),)

        found = in_turns(
            "time of a shower", cases, settings.rounds, measure, lambda case: f"{case.name}, {case.species}"
        )
        rows_out = [
            _row(case, showers, [seconds for (seconds,) in measured])
            for case, measured in zip(cases, found, strict=True)
        ]
        tables = [read_table(path, _GEANT4_COLUMNS) for path in need(files, "geant4")]
        if tables:
            known = pd.concat(tables, ignore_index=True)
            rows_out += [_of_geant4(known, case, showers) for case in cases if case.name == _PARAMETRISED]
    write_rows(output, rows_out)


def _groups(showers: PackedCloudFile, number: int) -> list[tuple[str, np.ndarray]]:
    """Return rows of showers of nearly one energy, for each species at its lowest, middle and highest energies."""
    asked = showers.part("asked")
    asked = asked[showers.counts[asked] > 0]
    groups = []
    for name, item in SPECIES.items():
        rows = asked[showers.label("pdg")[asked] == item.pdg]
        if not len(rows):
            continue
        rows = rows[np.argsort(showers.feature("energy")[rows], kind="stable")]
        size = min(number, max(1, len(rows) // _ENERGIES))
        for place in np.linspace(0, len(rows) - size, _ENERGIES).astype(int):
            groups.append((name, rows[place : place + size]))
    return groups


def _draw(case: _Case, showers: PackedCloudFile, counter: CountModel) -> None:
    if case.model is None or case.settings is None:
        rng = seeds.generator(0, "showers", "time")
        parametrised_points(showers, case.rows, geometry_in(showers), IngestionSettings(), rng)
        return
    particles = particles_of(showers, case.rows)
    counts = draw_counts(counter, particles, seed=0)
    draw_points(case.model, particles, counts, case.settings.settings, seed=0)


def _row(case: _Case, showers: PackedCloudFile, seconds: list[float]) -> dict[str, Any]:
    device = present_device()
    return {
        "model": case.name,
        "sampler": case.sampler,
        "species": case.species,
        "energy": float(showers.feature("energy")[case.rows].mean()),
        "points": float(showers.counts[case.rows].mean()),
        "seconds_per_shower": statistics.median(seconds),
        "lowest": min(seconds),
        "highest": max(seconds),
        "showers": len(case.rows),
        "rounds": len(seconds),
        "device": device_name(device),
        "clock": clock_of(device.type)[0],
    }


def _of_geant4(known: pd.DataFrame, case: _Case, showers: PackedCloudFile) -> dict[str, Any]:
    """Return the row of Geant4 for the species and the energy of another case."""
    energy = float(showers.feature("energy")[case.rows].mean())
    of_species = known[known["pdg"] == SPECIES[case.species].pdg]
    if of_species.empty:
        raise InputError(f"the times of Geant4 have none of {case.species}")
    nearest = of_species.iloc[np.argsort((of_species["energy"] - energy).abs(), kind="stable")[: len(case.rows)]]
    seconds = nearest["seconds"].to_numpy(float)
    mean, error = float(seconds.mean()), float(seconds.std() / np.sqrt(len(seconds)))
    return {
        "model": _GEANT4,
        "sampler": "none",
        "species": case.species,
        "energy": float(nearest["energy"].mean()),
        "points": float(showers.counts[case.rows].mean()),
        "seconds_per_shower": mean,
        "lowest": mean - error,
        "highest": mean + error,
        "showers": len(seconds),
        "rounds": 1,
        "device": str(nearest["processor"].iloc[0]),
        "clock": clock_of("cpu")[0],
    }
