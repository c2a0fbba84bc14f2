"""Settings and nested structures of files, as JSON for a command line and as the input of its rule."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

__all__ = ["as_json", "paths_in", "settings_argument"]


def as_json(value: Any) -> str:
    """Return compact JSON, for the command line."""
    return json.dumps(value, separators=(",", ":"))


def settings_argument(settings: BaseModel) -> str:
    """Return settings with all their keys, for the command line."""
    return as_json(settings.model_dump(mode="json"))


def paths_in(value: Any, results: str) -> list[str]:
    """Return every file of an analysis in a nested structure: what lies in the folder ``results``.

    Titles and other texts stand beside the files, and may name files of the user.
    """
    if isinstance(value, Mapping):
        return [path for item in value.values() for path in paths_in(item, results)]
    if isinstance(value, str):
        return [value] if value.startswith(f"{results}/") and Path(value).suffix else []
    return [path for item in value for path in paths_in(item, results)] if isinstance(value, Iterable) else []
