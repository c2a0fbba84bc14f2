"""Tables of metrics as a submission to HEPData: one table for each metric of a study.

The layout is that of https://hepdata-submission.readthedocs.io, schema 1.1.1. A table has one row for each data set,
feature and bin, and one column for each model, sampler and seed; a metric that is of nothing finer has one row for each
model instead. What is the same in a whole column is a qualifier of it.
"""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import yaml

from cloudchamber import __version__
from cloudchamber.errors import InputError
from cloudchamber.metrics.tables import METRIC_COLUMNS
from cloudchamber.storage import write_text

__all__ = ["read_metrics", "submission_documents", "table_document", "write_submission"]

Row = Mapping[str, str]

_ROWS = ("dataset", "feature", "low", "high")
_COLUMNS = ("model", "sampler", "nfe", "seed")
# Of what is called so, also where that is 01 or 1e3.
_NAMES = ("dataset", "feature", "model", "sampler")
# A value, its uncertainty, and what it is called in a table.
_MEASURED = (
    ("value", "uncertainty", ""),
    ("floor", "floor_uncertainty", ", floor"),
    ("ceiling", "ceiling_uncertainty", ", ceiling"),
)
_OF_VALUES = {name for measured in _MEASURED for name in measured[:2]} | {"study", "metric"}
_LONGEST_NAME = 64


def read_metrics(path: Path) -> dict[str, list[Row]]:
    """Return the rows of a table of metrics by the name of the metric, with all digits that are written there.

    Raises:
        InputError: the file cannot be read, has no rows or lacks a column.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows: list[Row] = list(csv.DictReader(file, restval=""))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table: {error}") from error
    missing = [name for name in METRIC_COLUMNS if not rows or name not in rows[0]]
    if missing:
        raise InputError(f"{path}: no table of metrics: {'no rows' if not rows else f'no column {missing}'}")
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["metric"], []).append(row)
    return found


def write_submission(folder: Path, metrics: Mapping[str, Sequence[Row]], title: str, comment: str) -> None:
    """Write a submission: ``submission.yaml`` and a file for each metric.

    Args:
        folder: to write into.
        metrics: as of :func:`read_metrics`.
        title: of the study.
        comment: on all tables.

    Raises:
        StorageError: a file cannot be written.
    """
    for metric, rows in metrics.items():
        write_text(folder / f"{metric}.yaml", _as_yaml([table_document(metric, rows)]))
    write_text(folder / "submission.yaml", _as_yaml(submission_documents(metrics, title, comment)))


def submission_documents(metrics: Mapping[str, Sequence[Row]], title: str, comment: str) -> list[dict[str, Any]]:
    """Return the documents of ``submission.yaml``: the comment, then each table; arguments as of write_submission."""
    tables = [
        {
            "name": metric[:_LONGEST_NAME],
            "description": (
                f"{title}: the metric '{metric}'. Its definition, its unit and what its uncertainty holds are in "
                f"docs/metrics.md of cloudchamber {__version__}. The floor is the metric for independent truth, or "
                f"guessing, in place of the model."
            ),
            "keywords": [
                {"name": "observables", "values": [metric]},
                {"name": "phrases", "values": [title, "deep learning", "particle clouds"]},
            ],
            "data_file": f"{metric}.yaml",
        }
        for metric in metrics
    ]
    return [{"comment": comment}, *tables]


def table_document(metric: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return one table: its independent and dependent variables.

    Args:
        metric: its name.
        rows: of the table of metrics, all of this metric.

    Raises:
        InputError: two rows are of the same thing.
    """
    axes, series = _layout(rows)
    places = list(dict.fromkeys(_key(row, axes) for row in rows))
    columns: dict[tuple[str, ...], dict[tuple[str, ...], Row]] = {}
    for row in rows:
        column = columns.setdefault(_key(row, series), {})
        if _key(row, axes) in column:
            raise InputError(f"metric '{metric}': two rows are of the same {', '.join((*series, *axes))}")
        column[_key(row, axes)] = row
    independent = list(_independent(axes, places))
    dependent = [item for column in columns.values() for item in _Column(metric, column, axes).variables(places)]
    return {"independent_variables": independent, "dependent_variables": dependent}


def _layout(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Return the fields that tell the rows of a table apart, and those that tell its columns apart."""
    varying = [name for name in rows[0] if len({row[name] for row in rows}) > 1]
    axes = [name for name in _ROWS if name in varying]
    series = [name for name in _COLUMNS if name in varying]
    others = [name for name in varying if name not in {*_ROWS, *_COLUMNS, *_OF_VALUES, "n_reference", "n_generated"}]
    # A study may tell its rows apart by fields of its own, such as the number of training jets.
    for name in others:
        if _different(rows, [*axes, *series]) == len(rows):
            break
        if _different(rows, [*axes, *series, name]) > _different(rows, [*axes, *series]):
            axes.append(name)
    if not axes:
        axes, series = series or ["dataset"], []
    return axes, series


def _different(rows: Sequence[Row], names: Sequence[str]) -> int:
    return len({_key(row, names) for row in rows})


def _key(row: Row, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(row[name] for name in names)


def _independent(axes: Sequence[str], places: Sequence[tuple[str, ...]]) -> Iterator[dict[str, Any]]:
    binned = {"low", "high"} <= set(axes)
    for position, name in enumerate(axes):
        if binned and name == "high":
            continue
        values = [_axis_value(name, place[position]) for place in places]
        if binned and name == "low":
            edges = [(place[position], place[axes.index("high")]) for place in places]
            values = [
                {"low": float(low), "high": float(high)} if low and high else {"value": "all"} for low, high in edges
            ]
        yield {"header": {"name": "bin" if binned and name == "low" else name}, "values": values}


def _axis_value(name: str, text: str) -> dict[str, Any]:
    if name in _NAMES:
        return {"value": text or "none"}
    return {"value": _number(text) if text else "none"}


@final
class _Column:
    """One model, sampler and seed, or all of them where a table has one row for each."""

    def __init__(self, metric: str, rows: Mapping[tuple[str, ...], Row], axes: Sequence[str]) -> None:
        self._metric, self._rows = metric, rows
        first = next(iter(rows.values()))
        own = [name for name in first if name not in {"value", "uncertainty", "metric", *axes}]
        self._same = {name: first[name] for name in own if len({row[name] for row in rows.values()}) == 1}
        self._varying = [name for name in own if name not in self._same]

    def variables(self, places: Sequence[tuple[str, ...]]) -> Iterator[dict[str, Any]]:
        """Yield the dependent variables: the metric, and what belongs to its values and differs between them."""
        qualifiers = [
            {"name": name, "value": text if name in _NAMES else _number(text)}
            for name, text in self._same.items()
            if text
        ]
        shown = {"value"}
        for name, error, suffix in _MEASURED:
            shown |= {name, error}
            if name == "value" or name in self._varying or error in self._varying:
                values = [self._measured(place, name, error) for place in places]
                yield {"header": {"name": f"{self._metric}{suffix}"}, "qualifiers": qualifiers, "values": values}
        for name in self._varying:
            if name not in shown:
                values = [{"value": _number(self._text(place, name) or "-")} for place in places]
                yield {"header": {"name": name}, "qualifiers": qualifiers, "values": values}

    def _measured(self, place: tuple[str, ...], name: str, error: str) -> dict[str, Any]:
        value, uncertainty = _number(self._text(place, name) or "-"), _number(self._text(place, error))
        # HEPData takes no uncertainty that is zero: an exact value has none.
        if isinstance(value, str) or isinstance(uncertainty, str) or uncertainty == 0:
            return {"value": value}
        return {"value": value, "errors": [{"symerror": uncertainty, "label": "uncertainty"}]}

    def _text(self, place: tuple[str, ...], name: str) -> str:
        row = self._rows.get(place)
        return row.get(name, "") if row else ""


def _number(text: str) -> int | float | str:
    """Return the number that a field holds, or its text."""
    # Python reads names such as 1_2 as numbers.
    for kind in (int, float) if "_" not in text else ():
        try:
            number = kind(text)
        except ValueError:
            continue
        return number if math.isfinite(number) else text
    return text


def _as_yaml(documents: Sequence[Mapping[str, Any]]) -> str:
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, explicit_start=True, width=120)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes a qualifier that several columns share each time: readers of HEPData take no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
