"""The step ``tabulate``: the tables by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from cloudchamber.errors import SettingsError
from cloudchamber.evaluation.divergence import KL_DIRECTION
from cloudchamber.evaluation.log_posterior import ideal_value
from cloudchamber.evaluation.observables import JET_FEATURES, PARTICLE_FEATURES
from cloudchamber.figures.inputs import need
from cloudchamber.figures.labels import counts, plain_name, unit
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.metrics import sizes
from cloudchamber.figures.numbers import decimals, scale_exponent, with_uncertainty
from cloudchamber.figures.rendering import Table, as_html, as_latex
from cloudchamber.settings import AnalysisSettings, parse
from cloudchamber.storage import write_text

__all__ = ["TABLES", "tabulate"]

_Files = Mapping[str, Any]
_FEATURES = (*JET_FEATURES, *PARTICLE_FEATURES)
_FLOOR = "truth (floor)"
_UNCERTAINTY = "± is the standard deviation over resamplings of the true and the generated jets."
_FLOOR_NOTE = "The floor is the same distance for as many independent true jets in place of the generated ones."


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
        in_unit = [f"10{_superscript(exponent)}"] if exponent else []
        in_unit += [unit(feature)] if units and unit(feature) else []
        header.append(plain_name(feature) + (f" [{' '.join(in_unit)}]" if in_unit else ""))
        columns.append([*(_cell(item, scale) for item in of_feature), _floor(of_feature, scale)])
    rows = list(zip([*labels, _FLOOR], *columns, strict=True))
    notes = [f"{sizes(measurements)}.", _UNCERTAINTY, _FLOOR_NOTE, *_seeds(measurements)]
    return Table(title, header, rows[:-1], notes, _data(measurements), rows[-1:])


def _log_posterior(files: _Files) -> Table:
    with_truth, published = (read_measurements(files, metric) for metric in ("nlp", "nlp_generated_only"))
    n = len(with_truth)
    rows = [(a.model.label, _cell(a), _cell(b)) for a, b in zip(with_truth, published, strict=True)]
    references = [
        ("truth itself", _floor(with_truth), ""),
        ("ideal, ln K", f"{ideal_value(n + 1):.3f}", f"{ideal_value(n):.3f}"),
    ]
    notes = [
        f"Mean of -ln p(model | jet) over {int(with_truth[0].n_reference):,} true jets that nothing was trained on.",
        f"The classifier was trained with {int(with_truth[0].n_generated):,} jets of each class, validation included.",
        "The lower, the more truth looks like the model; the scores depend on which models compete.",
        "± is the standard error of the mean. ln K is the score of each of K classes that none can tell apart.",
        *_seeds(with_truth),
    ]
    data = pd.concat([_data(with_truth, "nlp"), _data(published, "nlp_generated_only")], ignore_index=True)
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
            _cell(of_time, 10.0**-exponent),
            f"{1 / of_time.value:,.0f}" if of_time.value > 0 else "",
        )
        for of_time, of_cost in zip(seconds, evaluations, strict=True)
    ]
    scale = f"10{_superscript(exponent)} " if exponent else ""
    header = ["model", "sampler", "network evaluations per jet", f"time per jet [{scale}s]", "jets per second"]
    notes = [
        f"Measured while {counts([int(item.n_generated) for item in seconds])} jets per model were drawn.",
        "The time is that of the machine and threads of the job, and comparable within one run only.",
        *_seeds(seconds),
    ]
    data = pd.concat([_data(seconds, "seconds_per_jet"), _data(evaluations, "evaluations_per_jet")], ignore_index=True)
    return Table(f"{need(files, 'title')}: cost of sampling", header, rows, notes, data)


def _settings(files: _Files) -> Table:
    settings = parse(AnalysisSettings, need(files, "settings"))
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
    "settings": _settings,
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


def _cell(item: Measurement, scale: float = 1.0) -> str:
    value, uncertainty = item.value * scale, item.uncertainty * scale
    text = with_uncertainty(value, uncertainty)
    return f"{text} ({item.spread * scale:.{decimals(value, uncertainty)}f})" if len(item.values) > 1 else text


def _floor(measurements: Sequence[Measurement], scale: float = 1.0) -> str:
    """Return the floor, or the lowest and the highest where models have samples of different sizes."""
    ordered = sorted(measurements, key=lambda item: item.floor)
    ends = [with_uncertainty(item.floor * scale, item.floor_uncertainty * scale) for item in (ordered[0], ordered[-1])]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _seeds(measurements: Sequence[Measurement]) -> list[str]:
    seeds = max(len(item.values) for item in measurements)
    if seeds == 1:
        return ["One training per model: how much another seed would change is not known."]
    return [f"Mean over {seeds} seeds of the training; in brackets the standard deviation over seeds."]


def _superscript(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _data(measurements: Sequence[Measurement], metric: str = "") -> pd.DataFrame:
    """Return all digits of measurements, one line each."""
    lines = []
    for item in measurements:
        numbers = {key: value for key, value in asdict(item).items() if key not in ("model", "feature", "values")}
        names = {"metric": metric} if metric else {}
        lines.append(
            names
            | {"model": item.model.name, "title": item.model.label, "sampler": item.model.sampler}
            | {"feature": item.feature, "seeds": len(item.values), "value": item.value, "spread": item.spread}
            | numbers
        )
    return pd.DataFrame(lines).replace({"feature": {"": np.nan}}).dropna(axis="columns", how="all").convert_dtypes()
