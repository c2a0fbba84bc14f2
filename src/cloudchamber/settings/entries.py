"""Files that a stage is given as JSON: keys and values, and lists of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudchamber.errors import SettingsError

__all__ = ["entries", "need"]


def need(files: Mapping[str, Any], key: str) -> Any:
    """Return one entry of the files of a stage.

    Raises:
        SettingsError: it is not there, or ``files`` are no keys and values.
    """
    if not isinstance(files, Mapping):
        raise SettingsError(f"--files: expected keys and values with '{key}', not {files!r}")
    if key not in files:
        raise SettingsError(f"--files: no key '{key}' among {sorted(files)}")
    return files[key]


def entries(files: Mapping[str, Any], key: str, keys: Sequence[str] = (), may_be_empty: bool = False) -> list[Any]:
    """Return the list ``key`` of the files of a stage, whose items all have ``keys``.

    Raises:
        SettingsError: the list or a key of an item is not there, or there is no item.
    """
    items = need(files, key)
    if not isinstance(items, list | tuple):
        raise SettingsError(f"--files: '{key}' is no list")
    if not items and not may_be_empty:
        raise SettingsError(f"--files: '{key}' is empty")
    for item in items:
        for name in keys:
            need(item, name)
    return list(items)
