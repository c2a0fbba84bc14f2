"""The step from showers of all models to tables: metrics, profiles, spectra."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.metrics.frechet import frechet_physics_distance
from cloudchamber.metrics.kernel_distance import kernel_physics_distance
from cloudchamber.metrics.memorisation import repetition
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.tables import METRIC_COLUMNS, read_table
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.progress import progress
from cloudchamber.settings.entries import entries, need
from cloudchamber.storage import write_rows
from cloudchamber.studies.showers.measures import (
    Measure,
    distances,
    feature_edges,
    layer_sums,
    profile_errors,
    sample_of,
    summaries,
)
from cloudchamber.studies.showers.names import FEWEST_JUDGED
from cloudchamber.studies.showers.observables import FEATURES, RADIAL_EDGES, Observables, observe
from cloudchamber.studies.showers.settings import EvaluationSettings
from cloudchamber.studies.showers.shower_file import geometry_in, open_showers, refuse_other_showers
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["COLUMNS", "JUDGEMENT_COLUMNS", "TRUTH", "evaluate"]

COLUMNS = (*METRIC_COLUMNS, "low", "high")
JUDGEMENT_COLUMNS = (
    *("dataset", "model", "sampler", "seed", "metric", "feature", "value", "uncertainty"),
    *("floor", "floor_uncertainty", "n_reference", "n_generated"),
)
TRUTH = "truth"
_ALL = "all"
# Training showers among which copies are looked for.
_SEARCHED = 20_000
_FEWEST = FEWEST_JUDGED // 2


@final
@dataclass(frozen=True)
class _Sample:
    """Showers of one model and their particles: (n,) pdg and energy [GeV]."""

    name: str
    sampler: str
    seed: int
    meta: Mapping[str, Any]
    observables: Observables
    pdg: np.ndarray
    energy: np.ndarray


def evaluate(
    files: Mapping[str, Any],
    settings: EvaluationSettings,
    seed: int,
    metrics: Path,
    profiles: Path,
    spectra: Path,
) -> None:
    """Compare the showers of all models with the part "test", per species and in bins of the incident energy.

    The floor of a distance is that of the part "asked", whose particles the models are asked for: true showers that are
    as independent of the test as those of a perfect model.

    Args:
        files: "showers"; "samples", a list of "name", "sampler", "seed" and "path"; "judgements", made by ``judge``.
        settings: bins and resamplings.
        seed: of grids of cells and resamplings.
        metrics: CSV with :data:`COLUMNS`; ``dataset`` is the species, or "all" for what is of all together.
        profiles: CSV with mean energies of layers and rings.
        spectra: CSV with histograms of the features.

    Raises:
        InputError: a file cannot be used, or a species has too few showers.
        SettingsError: a key is missing.
        StorageError: a table cannot be written.
    """
    path = Path(need(files, "showers"))
    judgements = read_table(need(files, "judgements"), JUDGEMENT_COLUMNS)
    with open_showers(path, ("train", "test", "asked")) as showers:
        layers = geometry_in(showers).layers
        truth, floor, train = (_true(showers, part, seed) for part in ("test", "asked", "train"))
    samples = [_generated(item, path, seed) for item in entries(files, "samples", ("name", "sampler", "seed", "path"))]
    edges = settings.energy_edges or tuple(np.linspace(truth.energy.min(), truth.energy.max(), 4).tolist())
    rows: list[dict[str, Any]] = []
    profile_rows: list[dict[str, Any]] = []
    spectrum_rows: list[dict[str, Any]] = []
    species = [name for name, item in SPECIES.items() if (truth.pdg == item.pdg).any()]
    with progress("evaluation", len(species) * (len(samples) + 1), "samples") as bar:
        for name in species:
            of_truth, of_floor = (_of_species(side, name) for side in (truth, floor))
            if min(len(of_truth.energy), len(of_floor.energy)) < _FEWEST:
                raise InputError(f"{path}: the parts 'test' and 'asked' need {_FEWEST} showers of {name} each")
            floors = _compared(of_truth, of_floor, name, edges, settings, seed)
            rows += _rows(of_truth, name, _summed(of_truth, edges, settings, seed), {}, len(of_truth.energy))
            profile_rows += _profiles(of_truth, name, layers)
            spectrum_rows += _spectra(of_truth, of_truth, name, settings)
            bar.update()
            for sample in samples:
                chosen = _of_species(sample, name)
                if len(chosen.energy) >= _FEWEST:
                    found = _compared(of_truth, chosen, name, edges, settings, seed)
                    rows += _rows(chosen, name, found, floors, len(of_truth.energy))
                    rows += _rows(chosen, name, _summed(chosen, edges, settings, seed), {}, len(of_truth.energy))
                    profile_rows += _profiles(chosen, name, layers)
                    spectrum_rows += _spectra(of_truth, chosen, name, settings)
                bar.update()
    for sample in samples:
        rows += _of_all(truth, floor, train, sample, settings, seed)
    rows += _judged(judgements)
    write_rows(metrics, rows)
    write_rows(profiles, profile_rows)
    write_rows(spectra, spectrum_rows)


def _true(showers: PackedCloudFile, part: str, seed: int) -> _Sample:
    rows = showers.part(part)
    rows = rows[:_SEARCHED] if part == "train" else rows
    found = observe(showers, rows, seeds.generator(seed, "showers", "cells", part))
    return _Sample(TRUTH, "", 0, {}, found, showers.label("pdg")[rows], showers.feature("energy")[rows])


def _generated(item: Mapping[str, Any], source: Path, seed: int) -> _Sample:
    with open_showers(item["path"]) as showers:
        refuse_other_showers(showers, source)
        rows = np.arange(len(showers))
        rng = seeds.generator(seed, "showers", "cells", item["name"], item["sampler"], item["seed"])
        found = observe(showers, rows, rng)
        return _Sample(
            item["name"],
            item["sampler"],
            int(item["seed"]),
            showers.meta.get("sampler", {}),
            found,
            showers.label("pdg"),
            showers.feature("energy"),
        )


def _of_species(sample: _Sample, name: str) -> _Sample:
    return _chosen(sample, np.flatnonzero(sample.pdg == SPECIES[name].pdg))


def _chosen(sample: _Sample, rows: np.ndarray) -> _Sample:
    return _Sample(
        sample.name,
        sample.sampler,
        sample.seed,
        sample.meta,
        sample.observables[rows],
        sample.pdg[rows],
        sample.energy[rows],
    )


# Lowest and highest energy, or None for all; metric; feature.
_Key = tuple[tuple[float, float] | None, str, str]


def _bins(sample: _Sample, edges: tuple[float, ...]) -> Iterator[tuple[tuple[float, float] | None, _Sample]]:
    """Yield the showers of all energies, then those of each bin with showers enough; the last holds its upper edge."""
    yield None, sample
    for low, high in pairwise(edges):
        above = sample.energy <= high if high == edges[-1] else sample.energy < high
        rows = np.flatnonzero((sample.energy >= low) & above)
        if len(rows) >= _FEWEST:
            yield (low, high), _chosen(sample, rows)


def _compared(
    truth: _Sample,
    sample: _Sample,
    species: str,
    edges: tuple[float, ...],
    settings: EvaluationSettings,
    seed: int,
) -> dict[_Key, Estimate]:
    """Return the distances of one sample from truth, of all energies and in bins."""
    found: dict[_Key, Estimate] = {}
    of_truth = dict(_bins(truth, edges))
    for limits, some in _bins(sample, edges):
        if limits not in of_truth:
            continue
        reference = of_truth[limits].observables
        rng = seeds.generator(seed, "showers", "bootstrap", species, str(limits))
        measured = list(distances(reference, some.observables, settings.bins, settings.bootstraps, rng))
        measured += profile_errors(reference, some.observables, settings.bootstraps, rng)
        measured.append(layer_sums(reference, some.observables, settings.bootstraps, rng))
        found |= {(limits, item.metric, item.feature): item.estimate for item in measured}
    return found


def _summed(sample: _Sample, edges: tuple[float, ...], settings: EvaluationSettings, seed: int) -> dict[_Key, Estimate]:
    """Return response, resolution and hits of one sample, of all energies and in bins."""
    found: dict[_Key, Estimate] = {}
    for limits, some in _bins(sample, edges):
        rng = seeds.generator(seed, "showers", "summaries", sample.name, str(limits))
        measured: list[Measure] = list(summaries(some.observables, settings.bootstraps, rng))
        found |= {(limits, item.metric, item.feature): item.estimate for item in measured}
    return found


def _rows(
    sample: _Sample, dataset: str, found: Mapping[_Key, Estimate], floors: Mapping[_Key, Estimate], reference: int
) -> list[dict[str, Any]]:
    rows = []
    for (limits, metric, feature), estimate in found.items():
        floor = floors.get((limits, metric, feature))
        rows.append(
            _row(sample, dataset, metric, feature, estimate, floor, reference, len(sample.energy))
            | ({} if limits is None else {"low": limits[0], "high": limits[1]})
        )
    return rows


def _row(
    sample: _Sample,
    dataset: str,
    metric: str,
    feature: str,
    estimate: Estimate,
    floor: Estimate | None,
    reference: int,
    generated: int,
) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS, "") | {
        "study": "showers",
        "dataset": dataset,
        "model": sample.name,
        "sampler": sample.sampler,
        "nfe": sample.meta.get("evaluations_counted", ""),
        "seed": sample.seed,
        "metric": metric,
        "feature": feature,
        "value": estimate.value,
        "uncertainty": estimate.uncertainty,
        "floor": "" if floor is None else floor.value,
        "floor_uncertainty": "" if floor is None else floor.uncertainty,
        "n_reference": reference,
        "n_generated": generated,
    }


def _of_all(
    truth: _Sample,
    floor: _Sample,
    train: _Sample,
    sample: _Sample,
    settings: EvaluationSettings,
    seed: int,
) -> list[dict[str, Any]]:
    """Return what is of all species together: copies of training showers, Frechet and kernel distance."""
    high = [side.observables.high_level.astype(np.float64) for side in (truth, floor, train, sample)]
    centre, scale = high[0].mean(axis=0), high[0].std(axis=0)
    of_truth, of_floor, of_train, generated = ((side - centre) / np.where(scale > 0, scale, 1.0) for side in high)
    half = len(of_truth) // 2
    numbers = len(truth.energy), len(sample.energy)
    found = repetition(
        np.unique(of_train, axis=0), np.unique(of_truth[:half], axis=0), generated, of_truth[half:], "showers"
    )
    rows = [_row(sample, _ALL, name, "", value, least, *numbers) for name, (value, least) in found.items()]
    if min(len(of_truth), len(of_floor), len(generated)) >= settings.physics_distance_showers:
        for name, function in (("fpd", frechet_physics_distance), ("kpd", kernel_physics_distance)):
            both = [function(of_truth, side, seeds.generator(seed, "showers", name)) for side in (generated, of_floor)]
            rows.append(_row(sample, _ALL, name, "", both[0], both[1], *numbers))
    if "seconds_per_shower" in sample.meta:
        seconds = Estimate(float(sample.meta["seconds_per_shower"]), float("nan"))
        rows.append(_row(sample, _ALL, "seconds_per_shower", "", seconds, None, *numbers))
    return rows


def _judged(judgements: pd.DataFrame) -> list[dict[str, Any]]:
    filled = judgements.astype(object).where(judgements.notna(), "")
    return [
        dict.fromkeys(COLUMNS, "") | {"study": "showers"} | {name: row[name] for name in JUDGEMENT_COLUMNS}
        for row in filled.to_dict("records")
    ]


def _profiles(sample: _Sample, dataset: str, layers: int) -> list[dict[str, Any]]:
    """Return the mean energy [MeV] of each layer and each ring, with the standard error of the mean."""
    rows = []
    kinds = {
        "longitudinal": (sample.observables.layer_energy, np.arange(layers + 1) - 0.5),
        "radial": (sample.observables.radial_energy, RADIAL_EDGES),
    }
    for kind, (energy, edges) in kinds.items():
        error = energy.std(axis=0, ddof=1) / np.sqrt(len(energy))
        for place, (low, high) in enumerate(pairwise(edges)):
            rows.append(
                {
                    "dataset": dataset,
                    "model": sample.name,
                    "sampler": sample.sampler,
                    "seed": sample.seed,
                    "profile": kind,
                    "low": float(low),
                    "high": float(high),
                    "value": float(energy[:, place].mean()),
                    "uncertainty": float(error[place]),
                    "n": len(energy),
                }
            )
    return rows


def _spectra(truth: _Sample, sample: _Sample, dataset: str, settings: EvaluationSettings) -> list[dict[str, Any]]:
    """Return the share of showers, or of hits, in bins of each feature; what lies beyond is in the last ones."""
    rows = []
    for feature in FEATURES:
        edges = feature_edges(truth.observables, feature, settings.bins)
        values = sample_of(sample.observables, feature)
        bins = len(edges) - 1
        place = np.clip(np.searchsorted(edges, values.values, side="right") - 1, 0, bins - 1)
        counts = np.bincount(values.jets * bins + place, minlength=values.n_jets * bins).reshape(-1, bins)
        total = max(int(counts.sum()), 1)
        shares = counts.sum(axis=0) / total
        # The spread between showers: hits of one shower are not independent.
        errors = np.sqrt(((counts - shares * counts.sum(axis=1, keepdims=True)) ** 2).sum(axis=0)) / total
        for number, (low, high) in enumerate(pairwise(edges)):
            rows.append(
                {
                    "dataset": dataset,
                    "model": sample.name,
                    "sampler": sample.sampler,
                    "seed": sample.seed,
                    "feature": feature,
                    "low": float(low),
                    "high": float(high),
                    "value": float(shares[number]),
                    "uncertainty": float(errors[number]),
                    "n": total,
                }
            )
    return rows
