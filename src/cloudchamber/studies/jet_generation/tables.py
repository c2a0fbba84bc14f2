"""Tables of the jet-generation study beyond distances: metrics of whole jets, times, scans of solvers."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cloudchamber.figures.cells import (
    FLOOR,
    FLOOR_NOTE,
    UNCERTAINTY,
    all_digits,
    cell,
    floor_cell,
    scaled_unit,
    seeds_note,
)
from cloudchamber.figures.dots import distinct
from cloudchamber.figures.labels import plain_name, plain_solver
from cloudchamber.figures.numbers import scale_exponent, with_uncertainty
from cloudchamber.figures.rendering import Table
from cloudchamber.metrics.divergence import KL_DIRECTION
from cloudchamber.settings.entries import need
from cloudchamber.studies.jet_generation.figures.jet_metrics import JET_METRICS, read_jet_metrics, sizes_of
from cloudchamber.studies.jet_generation.figures.sampling_time import conditions_of_measurement, read_sampling_times
from cloudchamber.studies.jet_generation.figures.solver_quality import read_scans, sizes_of_scans

__all__ = ["jet_metrics", "sampling_time", "solver_scan"]

_NOT_FINITE = "not finite"
_OWN_UNCERTAINTY = "± is the uncertainty of one value, from resamplings or batches of jets as each metric is defined."
_OWN_FLOOR = "The floor is the same metric of independent true jets in place of the generated ones."


def jet_metrics(files: Mapping[str, Any]) -> Table:
    """Return the metrics of whole jets, a row per model and sampler."""
    found = read_jet_metrics(files)
    everything = [item for measurements in found.values() for item in measurements]
    models = distinct([item.model for item in everything])
    header, columns = ["model"], []
    for name, measurements in found.items():
        exponent = scale_exponent([item.value for item in measurements])
        scale = 10.0**-exponent
        header.append(f"{JET_METRICS[name].label}{scaled_unit(exponent)}, {JET_METRICS[name].better} is better")
        of_model = {(item.model.name, item.model.sampler): cell(item, scale) for item in measurements}
        columns.append(
            [*(of_model.get((model.name, model.sampler), "") for model in models), floor_cell(measurements, scale)]
        )
    rows = list(zip([*(model.label for model in models), FLOOR], *columns, strict=True))
    notes = [f"{sizes_of(everything)}.", _OWN_UNCERTAINTY, _OWN_FLOOR, *seeds_note(everything)]
    data = pd.concat([all_digits(measurements, name) for name, measurements in found.items()], ignore_index=True)
    return Table(f"{need(files, 'title')}: metrics of jets", header, rows[:-1], notes, data, rows[-1:])


def sampling_time(files: Mapping[str, Any]) -> Table:
    """Return the time per jet, a row per model and a column per multiplicity."""
    times = read_sampling_times(files)
    multiplicities = sorted({int(number) for time in times for number in time.table["multiplicity"]})
    exponents = {
        number: scale_exponent([value for time in times for value in _column(time.table, number)["seconds_per_jet"]])
        for number in multiplicities
    }
    conditions = conditions_of_measurement(times)
    rows = []
    for time in times:
        first = time.table.iloc[0]
        cells = [_range(_column(time.table, number), 10.0 ** -exponents[number]) for number in multiplicities]
        rows.append((time.model.label, plain_solver(first["solver"]), f"{first['evaluations']:g}", *cells))
    header = [
        "model",
        "solver",
        "network evaluations per jet",
        *(f"{number} particles{scaled_unit(exponents[number], 's')}" for number in multiplicities),
    ]
    notes = [
        f"Time per jet of so many particles: median and, in brackets, range of the rounds. {conditions}.",
        "All models were measured in turns in one process. Times of another machine are another table.",
    ]
    data = pd.concat([time.table.assign(title=time.model.label) for time in times], ignore_index=True)
    return Table(f"{need(files, 'title')}: time per jet", header, rows, notes, data)


def solver_scan(files: Mapping[str, Any]) -> Table:
    """Return the KL divergences of scanned models, a row per model, solver and number of evaluations."""
    scans = read_scans(files)
    data = pd.concat(
        [scan.table.assign(model=scan.model.name, title=scan.model.label) for scan in scans], ignore_index=True
    )
    divergences = data[data["metric"] == "kl"]
    features = list(dict.fromkeys(divergences["feature"]))
    exponents = {name: scale_exponent(list(divergences[divergences["feature"] == name]["value"])) for name in features}
    exponent_of_time = scale_exponent(list(data["seconds_per_jet"]))
    rows, references = [], []
    for scan in scans:
        of_scan = divergences[divergences["model"] == scan.model.name]
        for (solver, evaluations), point in of_scan.groupby(["solver", "evaluations"], sort=False):
            values = point.set_index("feature")
            cells = [_value(values.loc[name], "value", "uncertainty", exponents[name]) for name in features]
            seconds = with_uncertainty(float(point["seconds_per_jet"].iloc[0]) * 10.0**-exponent_of_time)
            rows.append((scan.model.label, plain_solver(str(solver)), f"{evaluations}", *cells, seconds))
        floors = of_scan.drop_duplicates("feature").set_index("feature")
        cells = [_value(floors.loc[name], "floor", "floor_uncertainty", exponents[name]) for name in features]
        if (FLOOR, "", "", *cells, "") not in references:
            references.append((FLOOR, "", "", *cells, ""))
    header = [
        "model",
        "solver",
        "network evaluations per jet",
        *(f"{plain_name(name)}{scaled_unit(exponents[name])}" for name in features),
        f"time per jet{scaled_unit(exponent_of_time, 's')}",
    ]
    notes = [f"{sizes_of_scans(scans)}; all points draw the same jets from the same noise.", UNCERTAINTY, FLOOR_NOTE]
    return Table(f"{need(files, 'title')}: solvers, {KL_DIRECTION} [nat]", header, rows, notes, data, references)


def _column(table: pd.DataFrame, multiplicity: int) -> pd.DataFrame:
    return table[table["multiplicity"] == multiplicity]


def _range(rows: pd.DataFrame, scale: float) -> str:
    """Return median and range of the one measurement, "" where there is none."""
    return "".join(
        "{} ({} to {})".format(*(with_uncertainty(scale * value) for value in values))
        for values in zip(rows["seconds_per_jet"], rows["lowest"], rows["highest"], strict=True)
    )


def _value(row: pd.Series, value: str, uncertainty: str, exponent: int) -> str:
    if pd.isna(row[value]):
        return _NOT_FINITE
    return with_uncertainty(float(row[value]) * 10.0**-exponent, float(row[uncertainty]) * 10.0**-exponent)
