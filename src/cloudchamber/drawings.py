"""Figures, tables and kinds of model cards by name.

A job makes one of them. It looks it up in the room of its study, since reading the settings of all studies takes as
long as many a figure.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from cloudchamber import studies
from cloudchamber.entry_points import load_entry
from cloudchamber.errors import SettingsError

__all__ = [
    "OVERVIEW_FIGURES",
    "OVERVIEW_TABLES",
    "SHARED_CARDS",
    "card_entry",
    "card_of",
    "cards_of",
    "figure_of",
    "table_of",
]

# Of the analysis as a whole.
OVERVIEW_FIGURES: Mapping[str, str] = {"detector_response": "data_checks.detector_response:draw_detector_response"}
OVERVIEW_TABLES: Mapping[str, str] = {"settings": "settings_table:settings"}
# Of models that several studies may have.
SHARED_CARDS: Mapping[str, str] = {
    "generator": "provenance.jet_cards:GeneratorCard",
    "jet_flow": "provenance.jet_cards:JetFlowCard",
    "tagger": "provenance.jet_cards:TaggerCard",
}


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


def card_of(name: str) -> Callable[..., Any]:
    """Return what makes the kind of a model card; argument and errors as of :func:`figure_of`."""
    return load_entry(card_entry(name))


def card_entry(name: str) -> str:
    """Return the entry of a kind of model card; argument and errors as of :func:`figure_of`."""
    return _entry("kind of model card", name, SHARED_CARDS, "CARDS")


def cards_of(study: str) -> Mapping[str, str]:
    """Return the kinds of model cards of a study, by name; most have none of their own."""
    return _of_study(study, "CARDS")


def _drawing(kind: str, name: str, of_analysis: Mapping[str, str], of_study: str) -> Callable[..., Any]:
    return load_entry(_entry(kind, name, of_analysis, of_study))


def _entry(kind: str, name: str, of_analysis: Mapping[str, str], of_study: str) -> str:
    study, _, item = name.rpartition("/")
    entries: Mapping[str, str] = of_analysis
    if study:
        rooms = sorted(room.name for room in iter_modules(studies.__path__))
        if study not in rooms:
            raise SettingsError(f"no {kind} '{name}': no study '{study}' among {rooms}")
        entries = _of_study(study, of_study)
    if item not in entries:
        raise SettingsError(f"no {kind} '{name}' among {sorted(f'{study}/{key}' if study else key for key in entries)}")
    return entries[item]


def _of_study(study: str, what: str) -> Mapping[str, str]:
    entries: Mapping[str, str] = getattr(import_module(f"cloudchamber.studies.{study}.drawings"), what, {})
    return entries
