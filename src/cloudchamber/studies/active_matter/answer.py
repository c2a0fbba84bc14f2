"""What the study of active matter answers: how close learned entropy production comes to the exact one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber.figures.numbers import places_of
from cloudchamber.studies.active_matter.numbers_of_study import Names, production_of, read_metrics, select
from cloudchamber.summary.answer import Answer, unanswered
from cloudchamber.summary.comparison import listed

__all__ = ["answers"]

_METRIC = "entropy production, learned / exact"


def answers(files: Mapping[str, Any]) -> list[Answer]:
    """Return the answer of the study: of each model at its largest drive, and of the transfer that is farthest.

    Args:
        files: "ensembles" and "models" with their titles, "metrics", path of a CSV.

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    names, table = Names.of(files), read_metrics(files)
    production = production_of(table)
    found = [item for model in names.models for item in _of_model(model, names, production)]
    if not found:
        return [unanswered("no entropy production is known exactly", _METRIC, {})]
    at_home = [item for item in found if not item["transferred"]]
    away = [item for item in found if item["transferred"]]
    text = " ".join(
        f"{item['title']}: {_cell(item['value'], item['error'], 4)} where {item['exact']:.4g} is exact "
        f"({item['origin']}; {100 * (item['ratio'] - 1):+.1f} %)."
        for item in at_home
    )
    if away:
        farthest = max(away, key=lambda item: item["particles"])
        text += (
            f" Applied unchanged to {farthest['particles']} particles the score of {farthest['trained_on']} gives "
            f"{_cell(farthest['value'], farthest['error'], 4)}, exact is {farthest['exact']:.4g} "
            f"({100 * (farthest['ratio'] - 1):+.1f} %)."
        )
    text += f" {_agreement(found)}"
    best = min(at_home or found, key=lambda item: abs(item["ratio"] - 1))
    worst = max(found, key=lambda item: abs(item["ratio"] - 1))
    floors = select(table, metric="entropy_production", feature="", dataset=best["dataset"], model=best["model"])[
        "floor"
    ]
    floor = float(floors.dropna().iloc[0]) / best["exact"] if len(floors.dropna()) else float("nan")
    facts = {
        "convention": "activities are even under time reversal",
        "uncertainty": _uncertainty(table, names),
        "floor": "plug-in value of the same score where nothing drives the system",
    }
    headline = f"learned over exact is {_ratio(best)} at best and {_ratio(worst)} at worst, of {len(found)} systems"
    return [
        Answer(
            text,
            headline,
            names.models[best["model"]],
            _METRIC,
            best["ratio"],
            best["error"] / best["exact"],
            floor=floor,
            facts=facts,
        )
    ]


def _uncertainty(table: pd.DataFrame, names: Names) -> str:
    """Return what errors hold. Two trainings have a product, and no spread of it."""
    learned = select(table, metric="entropy_production", model=list(names.models))
    if "of_trainings" in learned and learned["of_trainings"].isna().any():
        return "of blocks of trajectories alone: how much other trainings would change is not known from two"
    return "of blocks of trajectories and of trainings, in quadrature"


def _cell(value: float, error: float, digits: int) -> str:
    """Return a value with its uncertainty, if it has one."""
    return f"{value:.{digits}g}" + (f" ± {error:.2g}" if math.isfinite(error) else "")


def _ratio(item: Mapping[str, Any]) -> str:
    error = item["error"] / item["exact"]
    places = places_of(error, 3)
    return f"{item['ratio']:.{places}f}" + (f" ± {error:.{places}f}" if math.isfinite(error) else "")


def _agreement(found: Sequence[Mapping[str, Any]]) -> str:
    """Return which values are off; of one without an uncertainty, of a single block, nothing is known."""
    unknown = [item["title"] for item in found if not math.isfinite(item["error"])]
    known = [item for item in found if math.isfinite(item["error"])]
    clear = [item["title"] for item in known if abs(item["value"] - item["exact"]) > 2 * item["error"]]
    told = [f"Off by more than two uncertainties: {listed(clear)}."] if clear else []
    if known and not clear:
        told = ["All others agree within two uncertainties." if unknown else "All agree within two uncertainties."]
    if unknown:
        told.append(f"Whether that is beyond chance is not known of {listed(unknown)}: one block has no spread.")
    return " ".join(told)


def _of_model(model: str, names: Names, production: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what a model says of each ensemble at the largest drive, where the exact value is known and not zero."""
    column = f"{model} learned"
    if column not in production:
        return []
    found = []
    for dataset, group in production[production[column].notna()].groupby("dataset", sort=False):
        row = group.sort_values("drive").iloc[-1]
        if pd.isna(row["exact"]) or np.isclose(row["exact"], 0.0):
            continue
        found.append(
            {
                "model": model,
                "dataset": dataset,
                "title": names.ensembles[str(dataset)],
                "trained_on": names.ensembles[names.trained_on[model]],
                "particles": names.particles[str(dataset)],
                "transferred": dataset != names.trained_on[model],
                "value": float(row[column]),
                "error": float(row[f"uncertainty of {column}"]),
                "exact": float(row["exact"]),
                "origin": row["origin"],
                "ratio": float(row[column] / row["exact"]),
            }
        )
    return found
