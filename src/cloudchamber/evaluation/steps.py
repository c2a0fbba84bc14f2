"""The evaluation steps: observables of a file of clouds, distances of a sample from truth, the table of a study."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber import seeds
from cloudchamber.cloud import Clouds, read_clouds, read_header
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.evaluation.cloud_comparison import compare_clouds
from cloudchamber.evaluation.comparison import compare
from cloudchamber.evaluation.observable_file import read_observables, write_observables
from cloudchamber.evaluation.observables import observe
from cloudchamber.evaluation.tables import read_table, write_table
from cloudchamber.preparation.relative import RELATIVE_COLUMNS, relative_points
from cloudchamber.settings import JET_FLOW, MetricSettings
from cloudchamber.settings.entries import entries
from cloudchamber.storage import provenance

__all__ = ["METRIC_COLUMNS", "compare_files", "gather", "observe_file"]

_ENTRIES = {
    "samples": ("dataset", "name", "sampler", "seed", "clouds", "comparison"),
    "posteriors": ("dataset", "seed", "path"),
    "jets": ("dataset", "seed", "path"),
}
METRIC_COLUMNS = (
    "study",
    "dataset",
    "model",
    "sampler",
    "nfe",
    "seed",
    "metric",
    "feature",
    "value",
    "uncertainty",
    "floor",
    "n_reference",
    "n_generated",
    "floor_uncertainty",
)


def observe_file(source: Path, output: Path) -> None:
    """Write the observables of each jet of a cloud file, in the order of the file.

    Jets in absolute coordinates (pt, eta, phi) are brought to relative ones first.

    Raises:
        InputError: the clouds are not jets.
    """
    clouds = read_clouds(source)
    if "pt_rel" not in [column.name for column in clouds.point_columns]:
        clouds = replace(clouds, points=relative_points(clouds), point_columns=RELATIVE_COLUMNS)
    write_observables(output, observe(clouds), {"provenance": provenance("observe", {}, [source])})


def compare_files(
    truth_files: tuple[Path, Path],
    sample_files: tuple[Path, Path],
    settings: MetricSettings,
    seed: int,
    output: Path,
) -> None:
    """Compare a sample with the test part of the truth; the training part gives the floor.

    Args:
        truth_files: prepared jets and their observables.
        sample_files: generated jets and their observables.
        settings: bins and number of resamplings.
        seed: of the resamplings.
        output: CSV of the metrics without the columns that name the sample.

    Raises:
        InputError: a file cannot be used, or the training part has fewer jets than the sample.
    """
    truth, truth_observables = read_clouds(truth_files[0]), read_observables(truth_files[1])[0]
    sample, sample_observables = read_clouds(sample_files[0]), read_observables(sample_files[1])[0]
    test, train = (_part(truth, truth_observables, name) for name in ("test", "train"))
    of_features = compare(*test, sample, sample_observables, *train, settings, seeds.generator(seed, "bootstrap"))
    of_clouds = compare_clouds(test[0], train[0], sample, settings, seeds.generator(seed, "batches"))
    write_table(output, pd.concat([of_features, of_clouds], ignore_index=True))


def _part(clouds: Clouds, observables: Mapping[str, np.ndarray], name: str) -> tuple[Clouds, dict[str, np.ndarray]]:
    rows = clouds.part(name), clouds.indices[name]
    return rows[0], {feature: values[rows[1]] for feature, values in observables.items()}


def _sampler(path: str | Path) -> Mapping[str, Any]:
    """Return how generated clouds were drawn."""
    sampler = read_header(path).get("sampler", {})
    missing = sorted({"evaluations_counted", "seconds_per_jet"} - set(sampler))
    if missing:
        raise InputError(f"{path}: not generated clouds: nothing is stored of {missing}")
    return sampler


def gather(study: str, files: Mapping[str, Any], output: Path) -> None:
    """Gather comparisons, costs and log posteriors into the one tidy table of a study.

    Args:
        study: value of the first column.
        files: "samples", each with dataset, name, sampler, seed, clouds (the generated clouds) and comparison (CSV);
            "posteriors", each with dataset, seed and path (CSV with a column "model"); "jets", each with dataset, seed
            and path (CSV of the comparison of a jet-level flow).
        output: the table, with ``METRIC_COLUMNS``; lengths of time in seconds, everything else as in the comparison.

    Raises:
        InputError: a file cannot be read, or a log posterior names a model without a sample.
        SettingsError: a key is missing.
    """
    listed = {key: entries(files, key, keys, may_be_empty=True) for key, keys in _ENTRIES.items()}
    tables = []
    samplers: dict[tuple[str, str], tuple[str, int]] = {}
    drawn = {(entry["dataset"], entry["name"], entry["seed"]) for entry in listed["samples"]}
    for entry in listed["samples"]:
        sampler = _sampler(entry["clouds"])
        nfe = sampler["evaluations_counted"]
        names = {
            "dataset": entry["dataset"],
            "model": entry["name"],
            "sampler": entry["sampler"],
            "seed": entry["seed"],
        }
        samplers.setdefault((entry["dataset"], entry["name"]), (entry["sampler"], nfe))
        comparison = read_table(entry["comparison"], ("n_generated",))
        cost = pd.DataFrame(
            {
                "metric": ["seconds_per_jet", "evaluations_per_jet"],
                "value": [sampler["seconds_per_jet"], float(nfe)],
                "n_generated": comparison["n_generated"].iloc[0],
            }
        )
        tables += [table.assign(**names, nfe=nfe) for table in (comparison, cost)]
    for entry in listed["posteriors"]:
        posterior = read_table(entry["path"], ("model",))
        keys = [(entry["dataset"], model) for model in posterior["model"]]
        missing = sorted({key[1] for key in keys if key not in samplers})
        if missing:
            raise InputError(f"{entry['path']}: no sample of {missing}")
        # A model without this seed competed with another one, whose score stands in the posterior of that seed.
        posterior = posterior[[(*key, entry["seed"]) in drawn for key in keys]]
        tables.append(
            posterior.assign(
                dataset=entry["dataset"],
                seed=entry["seed"],
                sampler=[samplers[entry["dataset"], model][0] for model in posterior["model"]],
                nfe=[samplers[entry["dataset"], model][1] for model in posterior["model"]],
            )
        )
    for entry in listed["jets"]:
        names = {"dataset": entry["dataset"], "model": JET_FLOW, "sampler": "none", "seed": entry["seed"], "nfe": 1}
        tables.append(read_table(entry["path"]).assign(**names))
    if not tables:
        raise SettingsError("--files: all lists are empty")
    table = pd.concat(tables, ignore_index=True).assign(study=study)
    # Whole numbers stay whole where some rows have none.
    table = table.astype({"n_reference": "Int64", "n_generated": "Int64"})
    write_table(output, table.reindex(columns=list(METRIC_COLUMNS)))
