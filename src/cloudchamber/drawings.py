"""Figures and tables by name.

A job draws one of them. It looks it up in the room of its study, since reading the settings of all studies takes as
long as many a figure.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from cloudchamber import studies
from cloudchamber.entry_points import load_entry
from cloudchamber.errors import SettingsError

__all__ = ["OVERVIEW_FIGURES", "OVERVIEW_TABLES", "figure_of", "table_of"]

# Of the analysis as a whole.
OVERVIEW_FIGURES: Mapping[str, str] = {"detector_response": "data_checks.detector_response:draw_detector_response"}
OVERVIEW_TABLES: Mapping[str, str] = {"settings": "settings_table:settings"}


def figure_of(name: str) -> Callable[..., Any]:
    """Return the function that draws a figure from its files.

    Args:
        name: of a figure of a study, as in "tagging/roc", or of the whole analysis.

    Raises:
        SettingsError: there is no such figure.
    """
    return _drawing("figure", name, OVERVIEW_FIGURES, "FIGURES")


def table_of(name: str) -> Callable[..., Any]:
    """Return the function that makes a table from its files; argument and errors as of :func:`figure_of`."""
    return _drawing("table", name, OVERVIEW_TABLES, "TABLES")


def _drawing(kind: str, name: str, of_analysis: Mapping[str, str], of_study: str) -> Callable[..., Any]:
    study, _, item = name.rpartition("/")
    entries: Mapping[str, str] = of_analysis
    if study:
        rooms = sorted(room.name for room in iter_modules(studies.__path__))
        if study not in rooms:
            raise SettingsError(f"no {kind} '{name}': no study '{study}' among {rooms}")
        entries = getattr(import_module(f"cloudchamber.studies.{study}.drawings"), of_study)
    if item not in entries:
        raise SettingsError(f"no {kind} '{name}' among {sorted(f'{study}/{key}' if study else key for key in entries)}")
    return load_entry(entries[item])
