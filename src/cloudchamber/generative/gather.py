"""The step ``evaluate``: comparisons, costs and log posteriors of all models in the one table of a study."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cloudchamber.cloud_file import read_header
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.generative.constraint import IMPOSED_FEATURES
from cloudchamber.metrics.tables import METRIC_COLUMNS, read_table, write_table
from cloudchamber.metrics.trainings_apart import refuse_one_training
from cloudchamber.settings.entries import entries
from cloudchamber.settings.jet_level import JET_FLOW

__all__ = ["GENERATION_COLUMNS", "gather"]

GENERATION_COLUMNS = (*METRIC_COLUMNS, "imposed")
# What every generated jet is given, and metrics of single features.
_GIVEN = ("multiplicity",)
_DISTANCES = ("kl", "w1")

_ENTRIES = {
    "samples": ("dataset", "name", "sampler", "seed", "clouds", "comparison"),
    "posteriors": ("dataset", "seed", "path"),
    "teacher_tests": ("dataset", "name", "sampler", "seed", "path"),
    "jets": ("dataset", "seed", "path"),
}


def _sampler(path: str | Path) -> Mapping[str, Any]:
    """Return how generated clouds were drawn."""
    sampler = read_header(path).get("sampler", {})
    missing = sorted({"evaluations_counted", "seconds_per_jet", "momentum_sum"} - set(sampler))
    if missing:
        raise InputError(f"{path}: not generated clouds: nothing is stored of {missing}")
    return sampler


def gather(study: str, files: Mapping[str, Any], output: Path) -> None:
    """Gather comparisons, costs and log posteriors into the one tidy table of a study.

    Args:
        study: value of the first column.
        files: "samples", each with dataset, name, sampler, seed, clouds (the generated clouds) and comparison (CSV);
            "posteriors", each with dataset, seed and path (CSV with a column "model"); "teacher_tests", each with
            dataset, name, sampler, seed and path (CSV); "jets", each with dataset, seed
            and path (CSV of the comparison of a jet-level flow).
        output: the table, with ``GENERATION_COLUMNS``; lengths of time in seconds, "imposed" where the feature was
            given with each jet and not generated, everything else as in the comparison.

    Raises:
        InputError: a file cannot be read, a log posterior names a model without a sample, or one sample stands under
            two seeds.
        SettingsError: a key is missing, or seeds do not tell trainings apart.
    """
    listed = {key: entries(files, key, keys, may_be_empty=True) for key, keys in _ENTRIES.items()}
    refuse_one_training(listed["samples"], "comparison", ("name", "dataset", "sampler"))
    tables = []
    samplers: dict[tuple[str, str], tuple[str, int]] = {}
    evaluations: dict[tuple[str, str, str], int] = {}
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
        evaluations[entry["dataset"], entry["name"], entry["sampler"]] = nfe
        comparison = read_table(entry["comparison"], ("metric", "feature", "n_generated"))
        imposed = (*_GIVEN, *(IMPOSED_FEATURES if sampler["momentum_sum"] == "imposed" else ()))
        comparison["imposed"] = comparison["metric"].isin(_DISTANCES) & comparison["feature"].isin(imposed)
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
    for entry in listed["teacher_tests"]:
        tested = entry["dataset"], entry["name"], entry["sampler"]
        if tested not in evaluations:
            raise InputError(f"{entry['path']}: no sample of '{entry['name']}' with '{entry['sampler']}'")
        names = {"dataset": tested[0], "model": tested[1], "sampler": tested[2], "seed": entry["seed"]}
        tables.append(read_table(entry["path"]).assign(**names, nfe=evaluations[tested]))
    for entry in listed["jets"]:
        names = {"dataset": entry["dataset"], "model": JET_FLOW, "sampler": "none", "seed": entry["seed"], "nfe": 1}
        tables.append(read_table(entry["path"]).assign(**names))
    if not tables:
        raise SettingsError("--files: all lists are empty")
    table = pd.concat(tables, ignore_index=True).assign(study=study)
    # Whole numbers stay whole where some rows have none.
    table = table.astype({"n_reference": "Int64", "n_generated": "Int64"})
    table["imposed"] = table["imposed"].eq(True)
    write_table(output, table.reindex(columns=list(GENERATION_COLUMNS)))
