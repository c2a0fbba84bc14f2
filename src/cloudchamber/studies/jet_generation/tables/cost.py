"""Tables of what the models cost."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cloudchamber.figures.cells import (
    FLOOR,
    FLOOR_NOTE,
    UNCERTAINTY,
    all_digits,
    cell,
    scaled_unit,
    seeds_note,
)
from cloudchamber.figures.labels import counts, plain_name, plain_solver
from cloudchamber.figures.measurements import read_measurements
from cloudchamber.figures.numbers import scale_exponent, with_uncertainty
from cloudchamber.figures.rendering import Table
from cloudchamber.metrics.divergence import KL_DIRECTION
from cloudchamber.settings.entries import need
from cloudchamber.studies.jet_generation.sampling_times import conditions_of_measurement, read_sampling_times
from cloudchamber.studies.jet_generation.solver_scans import read_scans, sizes_of_scans

__all__ = ["cost", "sampling_time", "solver_scan"]

CAPTIONS = {
    "cost": (
        "Evaluations of the network and measured time for one jet, for each model and sampler. Times belong "
        "to the machine and the threads of the job and can be compared within one run only."
    ),
    "sampling_time": (
        "Time per jet of each trained model for several numbers of particles: median and range of the rounds, "
        "all measured in turns in one process. Device and clock stand below the table; times of another "
        "machine are another table."
    ),
    "solver_scan": (
        "KL(generated || truth) in nats of each scanned model with every solver and number of network "
        "evaluations. Uncertainties are standard deviations over resamplings. The last line is the floor; all "
        "points draw the same jets from the same noise."
    ),
}

_Files = Mapping[str, Any]
_NOT_FINITE = "not finite"


def cost(files: _Files) -> Table:
    seconds, evaluations = (read_measurements(files, metric) for metric in ("seconds_per_jet", "evaluations_per_jet"))
    exponent = scale_exponent([item.value for item in seconds])
    rows = [
        (
            of_time.model.label,
            of_time.model.sampler.replace("_", " "),
            f"{of_cost.value:g}",
            cell(of_time, 10.0**-exponent),
            f"{1 / of_time.value:,.0f}" if of_time.value > 0 else "",
        )
        for of_time, of_cost in zip(seconds, evaluations, strict=True)
    ]
    header = [
        "model",
        "sampler",
        "network evaluations per jet",
        f"time per jet{scaled_unit(exponent, 's')}",
        "jets per second",
    ]
    notes = [
        f"Measured while {counts([int(item.n_generated) for item in seconds])} jets per model were drawn.",
        "The time is that of the machine and threads of the job, and comparable within one run only.",
        *seeds_note(seconds),
    ]
    data = pd.concat(
        [all_digits(seconds, "seconds_per_jet"), all_digits(evaluations, "evaluations_per_jet")], ignore_index=True
    )
    return Table(f"{need(files, 'title')}: cost of sampling", header, rows, notes, data)


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
