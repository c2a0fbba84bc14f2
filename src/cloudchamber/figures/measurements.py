"""The table of metrics of a study, summed up over seeds: what the charts and tables of metrics show."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from cloudchamber.errors import InputError
from cloudchamber.figures.inputs import Model, models_of
from cloudchamber.metrics.tables import METRIC_COLUMNS, read_table
from cloudchamber.settings.entries import need

__all__ = ["COMPETITION", "Measurement", "read_measurements"]

# The others may be missing from a table that was made by hand.
_COLUMNS = tuple(name for name in METRIC_COLUMNS if name not in ("study", "nfe", "floor_uncertainty"))
_Row = Mapping[Hashable, Any]
# Metrics in which the models compete: each with one sampler only.
COMPETITION = ("nlp", "nlp_generated_only")


@final
@dataclass(frozen=True)
class Measurement:
    """One metric of one model and feature.

    Attributes:
        model: the model and its sampler.
        feature: "" for metrics of whole jets.
        values: one per seed of the training.
        value: their mean.
        uncertainty: of one value, from the sizes of the samples (mean over seeds); not a number where there is none.
        floor, floor_uncertainty: the metric of an independent sample of truth (mean over seeds), or not a number.
        n_reference, n_generated: jets.
        imposed: whether the feature was given with each generated jet, so that the metric says nothing of the model.
    """

    model: Model
    feature: str
    values: tuple[float, ...]
    uncertainty: float
    floor: float
    floor_uncertainty: float
    n_reference: float
    n_generated: float
    imposed: bool = False

    @property
    def value(self) -> float:
        return float(np.mean(self.values))

    @property
    def spread(self) -> float:
        """Standard deviation over seeds, not a number for a single seed, or where a value is infinite."""
        known = len(self.values) > 1 and np.isfinite(self.values).all()
        return float(np.std(self.values, ddof=1)) if known else float("nan")


def read_measurements(
    files: Mapping[str, Any], metric: str, features: Sequence[str] = ("",), partial: bool = False
) -> list[Measurement]:
    """Return a metric of every model, in the order of the settings, and of every feature.

    Args:
        files: "dataset", "metrics" (CSV) and "models".
        metric: name in the column ``metric``.
        features: names in the column ``feature``.
        partial: whether models may lack the metric, all of them too; those are left out.

    Raises:
        InputError: the table cannot be read, it lacks the metric of some model and feature, or has two rows of one
            seed.
        SettingsError: a key of ``files`` is missing.
    """
    path, dataset = need(files, "metrics"), need(files, "dataset")
    table = read_table(path, _COLUMNS, ("dataset", "model", "sampler", "feature"))
    table = table[(table["dataset"] == dataset) & (table["metric"] == metric)]
    if "study" in files and "study" in table:
        table = table[table["study"] == files["study"]]
    if table.empty and not partial:
        raise InputError(f"{path}: no metric '{metric}' of data set '{dataset}'")
    groups: dict[tuple[str, str], dict[str, list[_Row]]] = {}
    _refuse_one_seed_twice(path, table)
    for row in table.sort_values("seed", kind="stable").to_dict("records"):
        # What has no feature, or no sampler, has an empty field.
        sampler, feature = (str(row[key]) if pd.notna(row[key]) else "" for key in ("sampler", "feature"))
        groups.setdefault((str(row["model"]), sampler), {}).setdefault(feature, []).append(row)
    competitors = {name for name, _ in groups} if metric in COMPETITION else set()
    found, missing = [], []
    for model in models_of(files):
        of_model = groups.get((model.name, model.sampler), {})
        nothing = all(pd.isna(row["value"]) for rows in of_model.values() for row in rows)
        # In a competition a model has one sampler, and its others have no value.
        if nothing and (partial or model.name in competitors):
            continue
        for feature in features:
            rows = of_model.get(feature, [])
            if not rows or any(pd.isna(row["value"]) for row in rows):
                missing.append(f"'{model.label}'" + (f" in {feature}" if feature else ""))
            else:
                found.append(_measurement(model, feature, rows))
    if missing:
        raise InputError(f"{path}: no metric '{metric}' of data set '{dataset}' for {', '.join(missing)}")
    return found


def _refuse_one_seed_twice(path: str, table: pd.DataFrame) -> None:
    """Refuse two rows of one training, which would pass for two trainings without a spread."""
    twice = table[table.duplicated(["metric", "model", "sampler", "feature", "seed"])]
    if len(twice):
        first = twice.iloc[0]
        raise InputError(
            f"{path}: '{first['metric']}' of '{first['model']}' with seed {first['seed']} stands there twice; a seed "
            "is a training of its own"
        )


def _measurement(model: Model, feature: str, rows: Sequence[_Row]) -> Measurement:
    """Return one measurement of rows in the order of their seeds."""

    def mean(name: str) -> float:
        known = [float(row[name]) for row in rows if name in row and pd.notna(row[name])]
        return float(np.mean(known)) if known else float("nan")

    names = ("uncertainty", "floor", "floor_uncertainty", "n_reference", "n_generated")
    return Measurement(
        model,
        feature,
        tuple(float(row["value"]) for row in rows),
        **{name: mean(name) for name in names},
        imposed=all(row.get("imposed") is True for row in rows),
    )
