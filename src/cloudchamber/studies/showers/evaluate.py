"""The step from showers of all models to tables: metrics, profiles, spectra."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.metrics.tables import read_table
from cloudchamber.metrics.trainings_apart import refuse_one_training
from cloudchamber.progress import progress
from cloudchamber.settings.entries import entries, need
from cloudchamber.storage import write_rows
from cloudchamber.studies.showers.curve_rows import profile_rows, spectrum_rows
from cloudchamber.studies.showers.metric_rows import (
    JUDGEMENT_COLUMNS,
    compared,
    metric_rows,
    rows_of_all,
    rows_of_judgements,
    summed,
)
from cloudchamber.studies.showers.settings import EvaluationSettings
from cloudchamber.studies.showers.shower_file import geometry_in, open_showers
from cloudchamber.studies.showers.shower_samples import FEWEST, generated_sample, of_species, true_sample
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["evaluate"]


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
        metrics: CSV with the columns of :mod:`.metric_rows`; ``dataset`` is the species, or "all" for what is of all
            together.
        profiles: CSV with mean energies of layers and rings.
        spectra: CSV with histograms of the features.

    Raises:
        InputError: a file cannot be used, a species has too few showers, or one sample stands under two seeds.
        SettingsError: a key is missing, or seeds do not tell trainings apart.
        StorageError: a table cannot be written.
    """
    path = Path(need(files, "showers"))
    judgements = read_table(need(files, "judgements"), JUDGEMENT_COLUMNS)
    with open_showers(path, ("train", "test", "asked")) as showers:
        layers = geometry_in(showers).layers
        truth, floor, train = (true_sample(showers, part, seed) for part in ("test", "asked", "train"))
    listed = entries(files, "samples", ("name", "sampler", "seed", "path"))
    refuse_one_training(listed, "path", ("name", "sampler"))
    samples = [generated_sample(item, path, seed) for item in listed]
    edges = settings.energy_edges or tuple(np.linspace(truth.energy.min(), truth.energy.max(), 4).tolist())
    rows: list[dict[str, Any]] = []
    profile_table: list[dict[str, Any]] = []
    spectrum_table: list[dict[str, Any]] = []
    species = [name for name, item in SPECIES.items() if (truth.pdg == item.pdg).any()]
    with progress("evaluation", len(species) * (len(samples) + 1), "samples") as bar:
        for name in species:
            of_truth, of_floor = (of_species(side, name) for side in (truth, floor))
            if min(len(of_truth.energy), len(of_floor.energy)) < FEWEST:
                raise InputError(f"{path}: the parts 'test' and 'asked' need {FEWEST} showers of {name} each")
            floors = compared(of_truth, of_floor, name, edges, settings, seed)
            rows += metric_rows(of_truth, name, summed(of_truth, edges, settings, seed), {}, len(of_truth.energy))
            profile_table += profile_rows(of_truth, name, layers)
            spectrum_table += spectrum_rows(of_truth, of_truth, name, settings)
            bar.update()
            for sample in samples:
                chosen = of_species(sample, name)
                if len(chosen.energy) >= FEWEST:
                    found = compared(of_truth, chosen, name, edges, settings, seed)
                    rows += metric_rows(chosen, name, found, floors, len(of_truth.energy))
                    rows += metric_rows(chosen, name, summed(chosen, edges, settings, seed), {}, len(of_truth.energy))
                    profile_table += profile_rows(chosen, name, layers)
                    spectrum_table += spectrum_rows(of_truth, chosen, name, settings)
                bar.update()
    for sample in samples:
        rows += rows_of_all(truth, floor, train, sample, settings, seed)
    rows += rows_of_judgements(judgements)
    write_rows(metrics, rows)
    write_rows(profiles, profile_table)
    write_rows(spectra, spectrum_table)
