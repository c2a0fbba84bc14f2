"""The step from estimates to the table of metrics."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.metrics.tables import METRIC_COLUMNS
from cloudchamber.metrics.trainings_apart import refuse_one_training
from cloudchamber.settings.entries import entries, need
from cloudchamber.storage import write_rows
from cloudchamber.studies.neutron_stars.estimates import Estimates, of_rows, read_estimates
from cloudchamber.studies.neutron_stars.measures import Measure, measures, resamplings
from cloudchamber.studies.neutron_stars.settings import MeasurementSettings
from cloudchamber.studies.neutron_stars.star_sets import read_sets

__all__ = ["METRIC_COLUMNS_OF_STUDY", "evaluate"]

METRIC_COLUMNS_OF_STUDY = (
    *METRIC_COLUMNS,
    "ceiling",
    "ceiling_uncertainty",
    "stars",
    "sigma_mass",
    "sigma_radius",
)
_CONSTANT, _EXACT = "constant", "exact"


def evaluate(files: Mapping[str, Any], settings: MeasurementSettings, seed: int, output: Path) -> None:
    """Write the metrics of all methods, conditions and quantities.

    Args:
        files: "sets", made by ``observe``, and "estimates": a list of "name", "seed" and "path", with those of the
            constant and of the exact posterior.
        settings: stars and evaluation.
        seed: of the resamplings.
        output: CSV with ``METRIC_COLUMNS_OF_STUDY``: the floor is the value of the constant, the ceiling that of the
            exact posterior, on the same sets.

    Raises:
        InputError: a file cannot be used, a reference is missing, or two seeds of a method have the same estimates.
        SettingsError: a key is missing, seeds do not tell trainings apart, or the sets are not of the conditions of the
            settings.
        StorageError: the file cannot be written.
    """
    path = Path(need(files, "sets"))
    test = read_sets(path).part("test")
    conditions = {condition.key: condition for condition in settings.stars.conditions}
    if tuple(conditions) != test.conditions:
        raise SettingsError(f"{path}: sets of {list(test.conditions)}, stars: asks for {list(conditions)}")
    listed = entries(files, "estimates", ("name", "seed", "path"))
    refuse_one_training(listed, "path")
    read = [(item["name"], item["seed"], read_estimates(Path(item["path"]), len(test), path)) for item in listed]
    references = {name: estimates for name, _, estimates in read}
    for name in (_CONSTANT, _EXACT):
        if name not in references:
            raise InputError(f"--files: no estimates of '{name}' among {sorted(references)}")
    rows: list[dict[str, Any]] = []
    for number, (key, condition) in enumerate(conditions.items()):
        chosen = np.flatnonzero(test.condition == number)
        weights = resamplings(
            len(chosen), settings.evaluation.bootstraps, seeds.generator(seed, "neutron_stars", "bootstrap", key)
        )
        truth = {name: values[chosen] for name, values in test.quantities.items()}
        constant, exact = (of_rows(references[name], chosen) for name in (_CONSTANT, _EXACT))

        found = partial(_found, constant=constant, exact=exact, truth=truth, weights=weights)
        floor, ceiling = found(constant), found(exact)
        observed = {
            "stars": condition.stars,
            "sigma_mass": condition.noise.mass,
            "sigma_radius": condition.noise.radius,
        }
        for name, of_seed, estimates in read:
            for place, item in found(of_rows(estimates, chosen)).items():
                rows.append(
                    dict.fromkeys(METRIC_COLUMNS_OF_STUDY, "")
                    | {"study": "neutron_stars", "dataset": key, "model": name, "seed": of_seed}
                    | {"metric": item.metric, "feature": item.quantity, "n_reference": len(chosen)}
                    | {"value": item.value, "uncertainty": item.uncertainty}
                    | _limit("floor", floor.get(place))
                    | _limit("ceiling", ceiling.get(place))
                    | observed
                )
    write_rows(output, rows)


def _found(
    estimates: Estimates, constant: Estimates, exact: Estimates, truth: Mapping[str, np.ndarray], weights: np.ndarray
) -> dict[tuple[str, str], Measure]:
    """Return the measures of a method by metric and quantity."""
    return {(item.metric, item.quantity): item for item in measures(estimates, constant, exact, truth, weights)}


def _limit(name: str, item: Measure | None) -> dict[str, float]:
    return {} if item is None else {name: item.value, f"{name}_uncertainty": item.uncertainty}
