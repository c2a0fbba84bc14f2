"""Tables of the tagging study: models with quality and cost, and which differences are significant."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber.figures.cells import all_digits, cell, floor_cell, scaled_unit, seeds_note
from cloudchamber.figures.inputs import models_of
from cloudchamber.figures.labels import count
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.numbers import scale_exponent, with_uncertainty
from cloudchamber.figures.rendering import Table
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.tagging.figures.inputs import SAMPLE, class_titles, sample_size, weighing
from cloudchamber.studies.tagging.quality_and_cost import COST_LABELS, QUALITY

__all__ = ["models", "significance"]

CAPTIONS = {
    "models": (
        "Quality and cost of each tagger. The sample of jets is not that of arXiv 2202.00723: the numbers are "
        "to be compared with each other only."
    ),
    "significance": (
        "Differences of accuracy between taggers on the same test jets, with the p-values of McNemar's test "
        "and of resamplings."
    ),
}

_Files = Mapping[str, Any]
_UNCERTAINTY = "± is the standard deviation over resamplings of the test jets."
_SIGNIFICANCE = (
    "model",
    "other",
    "seed",
    "difference",
    "uncertainty",
    "p_bootstrap",
    "only_model_right",
    "only_other_right",
    "p_mcnemar",
    "n_reference",
)


def models(files: _Files) -> Table:
    quality = {name: read_measurements(files, name) for name in QUALITY}
    costs = {name: read_measurements(files, name, partial=True) for name in COST_LABELS}
    labels = [item.model.label for item in quality["accuracy"]]
    header, columns, floors = ["model"], [], []
    for name, measurements in quality.items():
        header.append(f"{QUALITY[name].label}, {QUALITY[name].better} is better")
        columns.append([cell(item) for item in measurements])
        floors.append(floor_cell(measurements))
    for name, measurements in costs.items():
        if measurements:
            exponent = scale_exponent([item.value for item in measurements]) if name.endswith("_per_jet") else 0
            label, _, unit = COST_LABELS[name].partition(" [")
            header.append(label + scaled_unit(exponent, unit.removesuffix("]")))
            of_model = {item.model.label: _cost(item, exponent) for item in measurements}
            columns.append([of_model.get(label, "") for label in labels])
            floors.append("")
    per_class = [read_measurements(files, name, list(class_titles(files))) for name in ("auc", "rejection")]
    everything = [*quality.items(), *zip(("auc", "rejection"), per_class, strict=True), *costs.items()]
    data = pd.concat([all_digits(items, name) for name, items in everything if items], ignore_index=True)
    notes = [
        f"{count(sample_size(files))} test jets. This is {SAMPLE}.",
        f"All numbers count the classes alike and take their jets {weighing(files)}.",
        "AUC and rejection are of each class against all others: means of the AUC and of the background efficiency.",
        f"{_UNCERTAINTY} Guessing has the floor; that of the calibration error is what true probabilities get.",
        *seeds_note(quality["accuracy"]),
    ]
    rows = list(zip(labels, *columns, strict=True))
    return Table(f"{need(files, 'title')}: taggers", header, rows, notes, data, [("guessing (floor)", *floors)])


def _cost(item: Measurement, exponent: int) -> str:
    value = item.value * 10.0**-exponent
    return count(round(value)) if value >= 1000 else with_uncertainty(value)


def significance(files: _Files) -> Table:
    path = need(files, "significance")
    data = read_table(path, _SIGNIFICANCE)
    labels = {model.name: model.label for model in models_of(files)}
    data = data[data["model"].isin(labels) & data["other"].isin(labels)]
    if "jets_per_class" not in data:
        data = data.assign(jets_per_class=pd.NA)
    rows = []
    for (size, model, other), pair in data.groupby(["jets_per_class", "model", "other"], sort=False, dropna=False):
        # Better first.
        sign = 1 if pair["difference"].mean() >= 0 else -1
        names = [labels[name] for name in (model, other)][::sign]
        alone = [_range(pair[name], "{:.0f}") for name in ("only_model_right", "only_other_right")][::sign]
        p_values = [_range(pair[name], "{:.2g}") for name in ("p_mcnemar", "p_bootstrap")]
        jets = "all" if pd.isna(size) else count(int(size))
        rows.append((*names, jets, _difference(pair, sign), *alone, *p_values))
    header = ["model", "other model", "training jets per class", "difference of the accuracies"]
    header += ["only model right", "only other right"]
    header += ["p (McNemar)", "p (bootstrap)"]
    notes = [
        f"{count(sample_size(files))} test jets, the same for all. This is {SAMPLE}.",
        "Trainings with the same seed are compared; numbers of jets and p-values are ranges over seeds.",
        f"{_UNCERTAINTY} In brackets is that over seeds.",
        "McNemar's test counts all jets alike; the difference and its p-value weigh them as the accuracy does.",
        "Neither p-value knows how much another training would change, nor how many pairs are compared.",
    ]
    return Table(f"{need(files, 'title')}: significance of differences", header, rows, notes, data)


def _difference(pair: pd.DataFrame, sign: int) -> str:
    values = sign * pair["difference"].to_numpy(float)
    text = with_uncertainty(float(values.mean()), float(pair["uncertainty"].mean()))
    return f"{text} ({np.std(values, ddof=1):.2g})" if len(values) > 1 else text


def _range(values: Sequence[float], form: str) -> str:
    ends = [form.format(end) for end in (min(values), max(values))]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
