"""What the study answers: how near the showers of one model come to true ones, beside floors and baselines."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cloudchamber.figures.inputs import NO_SAMPLER, Model
from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.settings.entries import need
from cloudchamber.studies.showers.results import Value, read_metrics, shown_models, species_in, value_of
from cloudchamber.summary.answer import Answer, unanswered
from cloudchamber.summary.comparison import listed

__all__ = ["answers"]

_METRIC = "AUC of a classifier on high-level features"
_CLEAR = 2.0


def answers(files: Mapping[str, Any]) -> list[Answer]:
    """Return the answer of the study.

    A sampler that is given the numbers of points of true showers is named beside the best model, and is never it.

    Args:
        files: "metrics", "models", "source" and "title". A model may say "one_for", "all" or "species", and
            "true_counts", whether its sampler is given those of true showers.

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_metrics(files)
    source, species = need(files, "source"), species_in(table)
    models = shown_models(files, table, first_only=False)
    found = [(model, value_of(table, "all", model.name, model.sampler, "auc_features")) for model in models]
    areas = [(model, value) for model, value in found if value is not None]
    learned = [(model, value) for model, value in areas if model.sampler != NO_SAMPLER]
    trained = [(model, value) for model, value in learned if not _says(model, "true_counts")]
    given = [(model, value) for model, value in learned if _says(model, "true_counts")]
    facts = {"showers": f"{source}; {', '.join(name.replace('_', ' ') for name in species)}"}
    if not trained:
        return [unanswered("no trained model was judged by a classifier", _METRIC, facts)]
    model, best = min(trained, key=lambda item: item[1].value)
    text = (
        f"A classifier on high-level features tells the showers of {model.label} from true ones with an AUC of "
        f"{_cell(best)} (0.5: not at all; true showers in their place: {with_uncertainty(best.floor)}). "
        f"{_tied(trained, best)}{_given(given)}{_baselines(areas, best)}{_profiles(table, model, species)}"
    )
    facts |= {
        "true showers": f"{best.n:,} in the test part",
        "trainings": str(best.seeds) if best.seeds > 1 else "one: how much another would change is not known",
    }
    alone = model.entries[0].get("one_for", "all") == "all"
    networks = "in one model" if alone else "with a model for each"
    many = f"for {len(species)} species {networks}" if len(species) > 1 else "for one species"
    headline = f"{model.label}: AUC {_cell(best)} against truth (0.5 is perfect), {many}"
    return [
        Answer(
            text,
            headline,
            model.label,
            _METRIC,
            best.value,
            best.uncertainty,
            best.floor,
            best.floor_uncertainty,
            facts=facts,
        )
    ]


def _says(model: Model, key: str) -> bool:
    return any(entry.get(key, False) for entry in model.entries)


def _tied(trained: Sequence[tuple[Model, Value]], best: Value) -> str:
    """Return which other trained models the best cannot be told apart from; "" where there are none."""
    tied = [
        model.label
        for model, value in trained
        if value is not best and value.value - best.value <= _CLEAR * math.hypot(value.uncertainty, best.uncertainty)
    ]
    return f"{listed(tied)} cannot be told apart from it. " if tied else ""


def _given(given: Sequence[tuple[Model, Value]]) -> str:
    """Return what models get that are given the numbers of points of true showers."""
    told = [f"{model.label} {_cell(value)}" for model, value in given]
    return f"Given the numbers of points of true showers: {listed(told)}. " if told else ""


def _baselines(areas: Sequence[tuple[Model, Value]], best: Value) -> str:
    others = [(model, value) for model, value in areas if model.sampler == NO_SAMPLER]
    if not others:
        return ""
    told = [f"{model.label} {_cell(value)}" for model, value in others]
    worse = [
        model.label
        for model, value in others
        if value.value - best.value > _CLEAR * math.hypot(value.uncertainty, best.uncertainty)
    ]
    sentence = f"Without training: {listed(told)}. "
    return sentence + (
        f"It is clearly nearer to truth than {listed(worse)}. " if worse else "It beats none of them clearly. "
    )


def _profiles(table: pd.DataFrame, model: Model, species: list[str]) -> str:
    sentences = []
    for name in species:
        found = value_of(table, name, model.name, model.sampler, "profile_error", "longitudinal")
        if found is not None:
            floor = with_uncertainty(100 * found.floor, 100 * found.floor_uncertainty)
            value = with_uncertainty(100 * found.value, 100 * found.uncertainty)
            sentences.append(f"{name.replace('_', ' ')} {value} % (floor {floor} %)")
    return f"Of the mean energy in depth, in other layers than true: {listed(sentences)}." if sentences else ""


def _cell(item: Value) -> str:
    return with_uncertainty(item.value, item.uncertainty)
