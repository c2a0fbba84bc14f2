"""The step ``tabulate``: the tables by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from cloudchamber.analysis import AnalysisSettings
from cloudchamber.errors import SettingsError
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
from cloudchamber.figures.dots import sizes
from cloudchamber.figures.labels import counts, plain_name, unit
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.numbers import scale_exponent
from cloudchamber.figures.rendering import Table, as_html, as_latex
from cloudchamber.jets.observables import JET_FEATURES, PARTICLE_FEATURES
from cloudchamber.metrics.divergence import KL_DIRECTION
from cloudchamber.metrics.log_posterior import ideal_value
from cloudchamber.settings.base import parse
from cloudchamber.settings.entries import need
from cloudchamber.storage import write_text
from cloudchamber.studies.jet_generation import tables as study_tables
from cloudchamber.studies.tagging.tables import TAGGING_TABLES

__all__ = ["TABLES", "tabulate"]

_Files = Mapping[str, Any]
_FEATURES = (*JET_FEATURES, *PARTICLE_FEATURES)


def tabulate(table: str, files: _Files, html: Path, csv: Path, latex: Path) -> None:
    """Write one table as HTML, CSV and LaTeX.

    Args:
        table: a name in ``TABLES``.
        files: what it is made from; each table names the keys it needs.
        html, csv, latex: where the files go; the CSV has all digits.

    Raises:
        InputError: a file cannot be used.
        SettingsError: there is no such table, or a key is missing.
        StorageError: an output cannot be written.
    """
    if table not in TABLES:
        raise SettingsError(f"no table '{table}' among {sorted(TABLES)}")
    made = TABLES[table](files)
    write_text(html, as_html(made))
    write_text(csv, made.data.to_csv(index=False, lineterminator="\n"))
    write_text(latex, as_latex(made))


def _divergences(files: _Files) -> Table:
    title = f"{need(files, 'title')}: {KL_DIRECTION} [nat]"
    return _distances(read_measurements(files, "kl", _FEATURES), title, units=False)


def _wasserstein(files: _Files) -> Table:
    title = f"{need(files, 'title')}: Wasserstein-1 distance to truth"
    return _distances(read_measurements(files, "w1", _FEATURES), title, units=True)


def _distances(measurements: Sequence[Measurement], title: str, units: bool) -> Table:
    labels = list(dict.fromkeys(item.model.label for item in measurements))
    header, columns = ["model"], []
    for feature in _FEATURES:
        of_feature = [item for item in measurements if item.feature == feature]
        exponent = scale_exponent([item.value for item in of_feature])
        scale = 10.0**-exponent
        header.append(plain_name(feature) + scaled_unit(exponent, unit(feature) if units else ""))
        columns.append([*(cell(item, scale) for item in of_feature), floor_cell(of_feature, scale)])
    rows = list(zip([*labels, FLOOR], *columns, strict=True))
    notes = [f"{sizes(measurements)}.", UNCERTAINTY, FLOOR_NOTE, *seeds_note(measurements)]
    return Table(title, header, rows[:-1], notes, all_digits(measurements), rows[-1:])


def _log_posterior(files: _Files) -> Table:
    with_truth, published = (read_measurements(files, metric) for metric in ("nlp", "nlp_generated_only"))
    n = len(with_truth)
    rows = [(a.model.label, cell(a), cell(b)) for a, b in zip(with_truth, published, strict=True)]
    references = [
        ("truth itself", floor_cell(with_truth), ""),
        ("ideal, ln K", f"{ideal_value(n + 1):.3f}", f"{ideal_value(n):.3f}"),
    ]
    notes = [
        f"Mean of -ln p(model | jet) over {int(with_truth[0].n_reference):,} true jets that nothing was trained on.",
        f"The classifier was trained with {int(with_truth[0].n_generated):,} jets of each class, validation included.",
        "The lower, the more truth looks like the model; the scores depend on which models compete.",
        "± is the standard error of the mean. ln K is the score of each of K classes that none can tell apart.",
        *seeds_note(with_truth),
    ]
    data = pd.concat([all_digits(with_truth, "nlp"), all_digits(published, "nlp_generated_only")], ignore_index=True)
    header = ["model", "classes: models and truth [nat]", "classes: models only [nat]"]
    return Table(f"{need(files, 'title')}: negative log posterior", header, rows, notes, data, references)


def _cost(files: _Files) -> Table:
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


def _settings(files: _Files) -> Table:
    settings = parse(AnalysisSettings, need(files, "settings"), "--files: settings")
    rows = list(_leaves(settings, "", ""))
    header = ["key", "value", "meaning"]
    return Table(
        "Settings of this analysis, defaults included", header, rows, [], pd.DataFrame(rows, columns=header), text=True
    )


TABLES: Mapping[str, Callable[[_Files], Table]] = {
    "divergences": _divergences,
    "wasserstein": _wasserstein,
    "log_posterior": _log_posterior,
    "cost": _cost,
    "jet_metrics": study_tables.jet_metrics,
    "sampling_time": study_tables.sampling_time,
    "solver_scan": study_tables.solver_scan,
    "settings": _settings,
    **TAGGING_TABLES,
}


def _leaves(value: Any, key: str, meaning: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _leaves(getattr(value, name), f"{key}.{name}".lstrip("."), field.description or "")
    elif isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{key}.{name}", meaning)
    else:
        yield key, _value(value), meaning


def _value(value: Any) -> str:
    if value is None or value in ({}, ()):
        return "none"
    if not isinstance(value, tuple):
        return str(value)
    separator = "; " if isinstance(value[0], str) else ", "
    return separator.join(f"({_value(item)})" if isinstance(item, tuple) else str(item) for item in value)
