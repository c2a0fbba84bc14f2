"""What the tagging study answers: which tagger is best, and whether attention beats the others."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber.figures.cells import cell
from cloudchamber.figures.inputs import models_of
from cloudchamber.figures.labels import count
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import entries, need
from cloudchamber.studies.tagging.figures.inputs import weighing
from cloudchamber.studies.tagging.pairs import of_all_jets
from cloudchamber.summary.answer import Answer, unanswered
from cloudchamber.summary.comparison import (
    Difference,
    Ranking,
    difference,
    difference_from_floor,
    rank,
    seeds_of,
    tied_with,
    without_value,
)

__all__ = ["answers"]

_METRIC = "accuracy, all classes alike"
_ATTENTION = "attention"
# Kind of the network -> what it stands for in the question.
_FAMILIES: Mapping[str, str] = {
    "transformer": _ATTENTION,
    "particle_transformer": _ATTENTION,
    "particle_flow": "the deep set",
    "dense": "high-level features",
}
# Training jets of all classes from which on attention is level with 17 features at the scale standard: docs/results.md.
# Of other classes nothing was measured.
_LEVEL_FROM = 70_000
_LEVEL_OF = frozenset({"1", "2", "3", "4b", "4q", "6", "8"})
_Differ = Callable[[Measurement, Measurement], Difference]


def answers(files: Mapping[str, Any]) -> list[Answer]:
    """Return the answer of the study.

    Args:
        files: "study", "dataset", "metrics", "significance", "classes" (their names), "flat" (whether the jets have
            weights that make mass and pT flat) and "models", a list with "name", "title", "seed" and "kind" of the
            network.

    Raises:
        InputError: a table cannot be used.
        SettingsError: a key is missing.
    """
    kinds = {entry["name"]: entry["kind"] for entry in entries(files, "models", ("name", "kind"))}
    measured = read_measurements(files, "accuracy", partial=True)
    absent = without_value(models_of(files), measured)
    if not measured:
        return [unanswered("no tagger has an accuracy", _METRIC, absent)]
    differ = _paired(files, measured)
    ranking = rank(measured, lower_is_better=False, differ=differ)
    best = ranking.best
    sizes = _sizes(need(files, "metrics"))
    text = " ".join(
        [
            _verdict(ranking, kinds),
            *_attention(measured, kinds, differ),
            *_rise(measured, kinds, sizes),
            *(_too_few(measured, kinds, differ, sizes) if set(need(files, "classes")) == _LEVEL_OF else ()),
        ]
    )
    trained = {"trained with": f"{count(int(sizes['n_training'].max()))} jets"} if len(sizes) else {}
    facts = {
        "measure": f"{_METRIC}, jets {weighing(files)}",
        "jets": f"{count(int(best.n_reference))} test jets",
        **trained,
        **seeds_of(measured),
        **absent,
    }
    return [
        Answer(
            text,
            f"best is {best.model.label}, accuracy {cell(best)} (guessing: {with_uncertainty(best.floor)})",
            best.model.label,
            _METRIC,
            best.value,
            best.uncertainty,
            best.floor,
            ceiling=1.0,
            facts=facts,
        )
    ]


def _verdict(ranking: Ranking, kinds: Mapping[str, str]) -> str:
    best = ranking.best
    ahead = difference_from_floor(best)
    guessing = with_uncertainty(best.floor)
    # Its title may name the features alone.
    network = " (dense network)" if kinds[best.model.name] == "dense" else ""
    most = f"Most accurate is {best.model.label}{network}: {cell(best)}.{tied_with(ranking)}"
    if ahead.is_clear and ahead.value > 0:
        return f"{most} Guessing gets {guessing}."
    return f"No tagger can be told apart from guessing ({guessing}). {most}"


def _attention(measured: Sequence[Measurement], kinds: Mapping[str, str], differ: _Differ) -> Iterator[str]:
    """Yield how the best tagger with attention compares with the best of each other family."""
    best_of = _best_of(measured, kinds)
    attention = best_of.pop(_ATTENTION, None)
    if attention is None:
        yield "No tagger with attention has an accuracy."
        return
    for family, other in best_of.items():
        ahead = differ(attention, other)
        names = f"Attention ({attention.model.label})", f"{family} ({other.model.label})"
        size = with_uncertainty(abs(ahead.value), ahead.uncertainty)
        if ahead.is_clear:
            yield f"{names[0]} {'beats' if ahead.value > 0 else 'stays behind'} {names[1]} by {size}."
        else:
            yield f"{names[0]} cannot be told apart from {names[1]}: they differ by {size}."


def _best_of(measured: Sequence[Measurement], kinds: Mapping[str, str]) -> dict[str, Measurement]:
    """Return the best tagger of each family."""
    best: dict[str, Measurement] = {}
    for item in measured:
        family = _FAMILIES.get(kinds[item.model.name])
        if family and (family not in best or item.value > best[family].value):
            best[family] = item
    return best


def _sizes(path: str) -> pd.DataFrame:
    """Return the rows of the learning curves that have an accuracy, none where the table knows no training jets."""
    columns = ("model", "metric", "value", "uncertainty")
    table = read_table(path, columns)
    if "n_training" not in table:
        return table.iloc[:0].assign(n_training=[])
    return table[(table["metric"] == "learning_curve") & table["value"].notna()]


def _rise(measured: Sequence[Measurement], kinds: Mapping[str, str], sizes: pd.DataFrame) -> Iterator[str]:
    """Yield what more training jets bring the best tagger with attention and the best with high-level features.

    The test jets are the same, so that the quadrature of both uncertainties is an upper limit of that of the rise.
    """
    best = _best_of(measured, kinds)
    for family in (_ATTENTION, _FAMILIES["dense"]):
        if family not in best:
            continue
        of_model = sizes[sizes["model"] == best[family].model.name]
        curve = of_model.groupby("n_training")[["value", "uncertainty"]].mean()
        if len(curve) < 2:
            continue
        few, many = curve.iloc[0], curve.iloc[-1]
        rise = Difference(many["value"] - few["value"], math.hypot(many["uncertainty"], few["uncertainty"]))
        jets = f"{count(int(curve.index[-1]))} training jets in place of {count(int(curve.index[0]))}"
        size = with_uncertainty(abs(rise.value), rise.uncertainty)
        change = f"does not change clearly ({size})"
        if rise.is_clear:
            change = f"{'gains' if rise.value > 0 else 'loses'} {size}"
        yield f"With {jets} {best[family].model.label} {change}."


def _too_few(
    measured: Sequence[Measurement], kinds: Mapping[str, str], differ: _Differ, sizes: pd.DataFrame
) -> Iterator[str]:
    """Yield that attention behind high-level features was trained with few jets, as the classes of this project say."""
    best = _best_of(measured, kinds)
    if _ATTENTION not in best or _FAMILIES["dense"] not in best or not len(sizes):
        return
    behind = differ(best[_ATTENTION], best[_FAMILIES["dense"]])
    if behind.is_clear and behind.value < 0 and sizes["n_training"].max() < _LEVEL_FROM:
        yield (
            "It was trained with few jets: with the classes of the scale standard of this study attention comes level "
            f"with 17 such features from about {count(_LEVEL_FROM)} training jets on (docs/results.md, another run)."
        )


def _paired(files: Mapping[str, Any], measured: Sequence[Measurement]) -> _Differ:
    """Return what compares two taggers: on the same test jets where they share a seed, else as independent ones."""
    seeds = [{entry["seed"] for entry in item.model.entries} for item in measured]
    shared = any(first & second for place, first in enumerate(seeds) for second in seeds[:place])
    columns = ("model", "other", "difference", "uncertainty")
    table = of_all_jets(read_table(need(files, "significance"), columns)) if shared else None

    def differ(first: Measurement, second: Measurement) -> Difference:
        for model, other, sign in ((first, second, 1.0), (second, first, -1.0)):
            if table is not None:
                rows = table[(table["model"] == model.model.name) & (table["other"] == other.model.name)]
                if len(rows):
                    values = sign * rows["difference"].to_numpy(float)
                    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
                    return Difference(float(values.mean()), math.hypot(float(rows["uncertainty"].mean()), spread))
        return difference(first, second)

    return differ
