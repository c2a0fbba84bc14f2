"""What the assignment study answers: whether attention finds the jets of tops better than a chi-square."""

from collections.abc import Mapping
from math import isnan
from typing import Any

import pandas as pd

from cloudchamber.figures.numbers import percent
from cloudchamber.figures.seed_value import SeedValue
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.assignment.methods import BINS
from cloudchamber.studies.assignment.reading import (
    Method,
    methods_of,
    origin_of,
    read_metrics,
    samples_of,
    value_of,
)
from cloudchamber.summary.answer import Answer, unanswered
from cloudchamber.summary.comparison import listed

__all__ = ["answers"]

_METRIC = "event efficiency"
_COLUMNS = ("dataset", "model", "trained_on", "other", "feature", "difference", "uncertainty", "standard_deviations")
# In standard deviations, from where on a difference counts; and what the study asks for at every number of jets.
_CLEAR, _REQUIRED = 2.0, 3.0
_JETS = tuple(name for name in BINS if name != "all")


def answers(files: Mapping[str, Any]) -> list[Answer]:
    """Return one answer for each sample.

    Args:
        files: "title", "models", "samples", "metrics" and "significance".

    Raises:
        InputError: a table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_metrics(files)
    differences = read_table(need(files, "significance"), _COLUMNS).fillna({"trained_on": ""})
    samples = samples_of(files)
    return [
        _of_sample(files, table[table["dataset"] == name], differences[differences["dataset"] == name], name, title)
        for name, title in samples.items()
    ]


def _of_sample(
    files: Mapping[str, Any], table: pd.DataFrame, differences: pd.DataFrame, sample: str, title: str
) -> Answer:
    rows = table[(table["metric"] == "event_efficiency") & (table["feature"] == "all")]
    values = {method: value for method in methods_of(files, rows) if (value := value_of(rows, method)) is not None}
    networks = {method: value for method, value in values.items() if method.trained_on}
    chi_squares = {method: value for method, value in values.items() if not method.trained_on}
    shown = title if len(samples_of(files)) > 1 else ""
    if not networks or not chi_squares:
        return unanswered("no network or no chi-square has an efficiency", _METRIC, {}, shown)
    network, best = max(networks.items(), key=lambda item: item[1].value)
    other, rival = max(chi_squares.items(), key=lambda item: item[1].value)
    pair = differences[
        (differences["model"] == network.name)
        & (differences["trained_on"] == network.trained_on)
        & (differences["other"] == other.name)
    ].set_index("feature")
    text = (
        f"Of the events with the jets of both tops {network.label} gets {_share(best)} right, the better chi-square "
        f"({other.label}) {_share(rival)}. {_verdict(pair, network, other)}{_by_jets(pair)}"
    )
    leader, leading = (network, best) if best.value >= rival.value else (other, rival)
    origin = origin_of(files) if sample == "own" else title
    facts = {
        "events": f"{best.n:,} test events with the jets of both tops; {origin}",
        "trainings": str(best.seeds) if best.seeds > 1 else "one: how much another would change is not known",
        **_training_events(table, network),
    }
    return Answer(
        text,
        f"{network.label} {_share(best)}, better chi-square {_share(rival)} of the events",
        leader.label,
        _METRIC,
        leading.value,
        leading.error,
        leading.floor,
        ceiling=leading.ceiling,
        facts=facts,
        dataset=shown,
    )


def _share(value: SeedValue) -> str:
    return f"{percent(value.value, value.error)} %"


def _verdict(pair: pd.DataFrame, network: Method, other: Method) -> str:
    if "all" not in pair.index or isnan(deviations := float(pair.loc["all", "standard_deviations"])):
        return "Their difference has no error to be compared with. "
    size = f"{percent(abs(float(pair.loc['all', 'difference'])), float(pair.loc['all', 'uncertainty']))} %"
    if deviations > _CLEAR:
        return f"Attention is better by {size}. "
    if deviations < -_CLEAR:
        return f"Attention is worse by {size}. "
    return f"They cannot be told apart: they differ by {size}. "


def _by_jets(pair: pd.DataFrame) -> str:
    there = [name for name in _JETS if name in pair.index]
    better = [name for name in there if float(pair.loc[name, "standard_deviations"]) > _REQUIRED]
    if not there:
        return ""
    lacking = [name for name in _JETS if name not in there]
    none = f" Of {listed(lacking)} there is no event." if lacking else ""
    if len(better) == len(there):
        return f"At every number of jets it is better by more than three standard deviations.{none}"
    if better:
        return f"By more than three standard deviations it is better with {listed(better)} only.{none}"
    return f"At no number of jets is it better by more than three standard deviations.{none}"


def _training_events(table: pd.DataFrame, network: Method) -> dict[str, str]:
    own = table[(table["model"] == network.name) & (table["trained_on"] == network.trained_on)]
    numbers = own.loc[own["metric"] == "event_efficiency", "n_training"].dropna()
    return {"training events with both tops": f"{int(float(numbers.max())):,}"} if len(numbers) else {}
