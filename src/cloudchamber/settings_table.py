"""The table of all settings of an analysis, defaults included."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from pydantic import BaseModel

from cloudchamber.analysis import AnalysisSettings
from cloudchamber.figures.rendering import Table
from cloudchamber.settings.base import parse
from cloudchamber.settings.entries import need

__all__ = ["settings"]

CAPTIONS = {
    "settings": ("Every setting of this analysis, defaults included, with its meaning where the name does not say it."),
}


def settings(files: Mapping[str, Any]) -> Table:
    made = parse(AnalysisSettings, need(files, "settings"), "--files: settings")
    rows = list(_leaves(made, "", ""))
    header = ["key", "value", "meaning"]
    return Table(
        "Settings of this analysis, defaults included", header, rows, [], pd.DataFrame(rows, columns=header), text=True
    )


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
