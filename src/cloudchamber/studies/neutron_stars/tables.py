"""Tables of the study: every quantity with the constant and the Bayes limit beside it, and the scans."""

from collections.abc import Mapping
from typing import Any

from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.figures.rendering import Table
from cloudchamber.studies.neutron_stars.quantities import QUANTITIES
from cloudchamber.studies.neutron_stars.results import Result, Results, conditions_of, read_results

__all__ = ["CAPTIONS", "results", "scans"]

CAPTIONS = {
    "results": (
        "Error of every method, quantity by quantity, for the stars of the reference condition. "
        "The first line looks at no star; the last one is the exact posterior, which no method can beat. "
        "Each number is the root mean square error with its standard deviation over resamplings of the test sets; in "
        "brackets stands its ratio to that of the exact posterior on the same sets. "
        "Stars are an own simulation, a stand-in for data that are not public. "
        "The mean absolute percentage error is small for the constant already, since the prior is narrow."
    ),
    "scans": (
        "How the methods do with other numbers of stars and other noise: error in the well-measured combination, "
        "negative log-likelihood, and coverage. "
        "The negative log-likelihood is that of the true parameters in units of the prior density, in nats: zero says "
        "nothing was learned, and less is better. "
        "Coverage is the share of sets whose true combination is in the central 68 % and 95 % of the posterior. "
        "Stars are an own simulation, a stand-in for data that are not public."
    ),
}


def results(files: Mapping[str, Any]) -> Table:
    """Return the errors of all quantities in the condition of reference, a row per method.

    Args:
        files: "metrics", "models", "conditions" and "reference".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    data, (_, reference) = read_results(files), conditions_of(files)
    columns = {name: _by_method(data, "rmse", name, reference) for name in QUANTITIES}
    ratios = {name: _by_method(data, "ratio_to_bayes", name, reference) for name in QUANTITIES}
    percent = {name: _by_method(data, "mape", name, reference) for name in ("lambda_1", "lambda_2")}
    density = _by_method(data, "nll", "", reference)
    lines = {}
    for method in data.methods:
        cells = [method.label]
        for name in QUANTITIES:
            item, ratio = columns[name][method.name], ratios[name][method.name]
            cells.append(f"{_cell(item)} ({ratio.value:.3f})")
        cells += [_cell(percent[name][method.name]) for name in percent]
        cells.append(_cell(density[method.name]) if method.name in density else "no density")
        lines[method.name] = tuple(cells)
    header = ["method", *(f"RMSE of {_named(name)}" for name in QUANTITIES)]
    header += [f"percentage error of {QUANTITIES[name].name} [%]" for name in percent]
    header.append("negative log-likelihood over prior [nat]")
    sets = columns["lambda_1"]["exact"].sets
    notes = [
        f"{reference.key}: {sets} sets of stars, each of another equation of state.",
        "In brackets: ratio to the Bayes limit on the same sets; below 1 only by chance.",
        "± is the standard deviation over resamplings of the sets and, of several trainings, over those too.",
    ]
    references = [lines.pop(name) for name in ("constant", "exact")]
    chosen = data.table[data.table["dataset"] == reference.key]
    return Table("Equation of state from stars: errors", header, list(lines.values()), notes, chosen, references)


def scans(files: Mapping[str, Any]) -> Table:
    """Return errors, densities and coverage of all conditions, a row per condition and method.

    Args:
        files: as of :func:`results`.

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    data, (conditions, _) = read_results(files), conditions_of(files)
    rows = []
    for condition in conditions:
        of_metric = {
            name: _by_method(data, name, "" if name in ("nll", "log_ratio_error") else "combination", condition)
            for name in ("rmse", "ratio_to_bayes", "coverage_68", "coverage_95", "nll", "log_ratio_error")
        }
        for method in data.methods:
            cells = [_cell(found[method.name]) if method.name in found else "none" for found in of_metric.values()]
            rows.append((condition.key, method.label, *cells))
    combination = QUANTITIES["combination"].name
    header = ["stars", "method", f"RMSE of {combination}", "ratio to the Bayes limit"]
    header += [f"coverage of 68 % of {combination}", f"coverage of 95 % of {combination}"]
    header += ["negative log-likelihood over prior [nat]", "error of the log likelihood ratio [nat]"]
    notes = [
        "± is the standard deviation over resamplings of the sets and, of several trainings, over those too.",
        "The error of the log likelihood ratio is that at the true parameters, against the exact likelihood.",
    ]
    return Table("Scan over stars and over noise", header, rows, notes, data.table)


def _by_method(data: Results, metric: str, quantity: str, condition: Any) -> dict[str, Result]:
    return {item.method.name: item for item in data.of(metric, quantity, condition)}


def _named(name: str) -> str:
    unit = {"km": " [km]", r"$M_\odot$": " [solar masses]"}.get(QUANTITIES[name].unit, "")
    return f"{QUANTITIES[name].name}{unit}"


def _cell(item: Result) -> str:
    return with_uncertainty(item.value, item.uncertainty)
