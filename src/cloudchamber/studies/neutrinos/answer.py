"""What the neutrino study answers: how well interactions and prongs are named, and what context adds."""

from collections.abc import Mapping
from math import isnan
from typing import Any

import pandas as pd

from cloudchamber.figures.numbers import percent
from cloudchamber.figures.seed_value import SeedValue
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.neutrinos.names import CEILING, HISTOGRAM
from cloudchamber.studies.neutrinos.reading import Classifier, ceiling_of, classifiers_of, read_metrics, value_of
from cloudchamber.summary.answer import Answer, unanswered

__all__ = ["answers"]

_METRIC = "accuracy of interactions"
_COLUMNS = ("model", "other", "metric", "feature", "difference", "uncertainty", "seeds")
# In uncertainties, from where on a difference counts.
_CLEAR = 2.0


def answers(files: Mapping[str, Any]) -> list[Answer]:
    """Return the answer.

    Args:
        files: "title", "source", "models", "metrics", "differences" and "reference".

    Raises:
        InputError: a table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_metrics(files)
    found = classifiers_of(files, table)
    values = {item: value for item in found if (value := value_of(table, item.name, "accuracy")) is not None}
    networks = {item: value for item, value in values.items() if item.name not in (CEILING, HISTOGRAM)}
    if not networks:
        return [unanswered("no network has an accuracy", _METRIC, {})]
    best, value = max(networks.items(), key=lambda entry: entry[1].value)
    ceiling = ceiling_of(table, "accuracy")
    # Events of the user are no stand-in.
    where = "On a stand-in, not on NOvA, " if str(need(files, "source")).startswith("stand-in") else ""
    text = (
        f"{where}{best.label} names {_share(value)} of the interactions right"
        f"{_beside(ceiling)}{_histogram(values)}. {_context(files, found)}"
    )
    facts = {
        "events": f"{value.n:,} test events; {need(files, 'source')}",
        "trainings": str(value.seeds) if value.seeds > 1 else "one: how much another would change is not known",
        **_training_events(table, best.name),
    }
    return [
        Answer(
            text.strip(),
            f"{best.label} names {_share(value)} of the interactions",
            best.label,
            _METRIC,
            value.value,
            value.error,
            value.floor,
            ceiling=value.ceiling,
            facts=facts,
        )
    ]


def _share(value: SeedValue) -> str:
    return f"{percent(value.value, value.error)} %"


def _beside(ceiling: SeedValue | None) -> str:
    return "" if ceiling is None else f", a classifier of the true visible prongs {_share(ceiling)}"


def _histogram(values: Mapping[Classifier, SeedValue]) -> str:
    found = [value for item, value in values.items() if item.name == HISTOGRAM]
    return f", a histogram of muon length and shower energy {_share(found[0])}" if found else ""


def _context(files: Mapping[str, Any], found: list[Classifier]) -> str:
    reference = need(files, "reference")
    if reference is None:
        return ""
    try:
        table = read_table(need(files, "differences"), _COLUMNS).fillna({"feature": ""})
    except pd.errors.EmptyDataError:
        return ""
    labels = {item.name: item.label for item in found}
    rows = table[(table["other"] == reference) & (table["feature"] == "") & (table["metric"] == "prong_accuracy")]
    first = next((name for name in labels if name in set(rows["model"]) and name != CEILING), None)
    if first is None:
        return ""
    row = rows[rows["model"] == first].iloc[0]
    difference, uncertainty = float(row["difference"]), float(row["uncertainty"])
    size = f"{percent(abs(difference), uncertainty)} %"
    pair = f"{labels[first]} and {labels.get(reference, reference)}"
    if isnan(uncertainty) or abs(difference) <= _CLEAR * uncertainty:
        return f"On prongs {pair} cannot be told apart: they differ by {size}."
    more, less = (first, reference) if difference > 0 else (reference, first)
    return f"On prongs {labels[more]} is better than {labels[less]} by {size}."


def _training_events(table: pd.DataFrame, name: str) -> dict[str, str]:
    if "n_training" not in table:
        return {}
    numbers = table.loc[table["model"] == name, "n_training"].dropna()
    return {"training events": f"{int(numbers.max()):,}"} if len(numbers) else {}
