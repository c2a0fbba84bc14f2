"""What the study answers: whether Macaron blocks are better beyond chance, and what the order of a splitting says."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.studies.macaron.names import read_differences, read_study_metrics, titles_of
from cloudchamber.summary.answer import Answer
from cloudchamber.summary.comparison import listed

__all__ = ["answers"]

_METRIC = "accuracy, all classes alike"


def answers(files: Mapping[str, Any]) -> list[Answer]:
    """Return the answer of the study.

    Args:
        files: "models", "systems", "reference", "metrics" and "differences".

    Raises:
        InputError: a table cannot be used.
        SettingsError: a key is missing.
    """
    titles = titles_of(files, "models")
    rows = read_differences(files)
    rows = rows[rows["measure"] == "accuracy"].set_index("arm")
    metrics = read_study_metrics(files)
    reference = str(rows["reference"].iloc[0])
    best = str(rows["mean"].idxmax())
    row = rows.loc[best]
    others = rows.drop(index=reference)
    splitting = _of_orders(metrics, next(iter(titles_of(files, "systems").items())))
    seeds = int(rows["seeds"].min())
    headline = _verdict(others, titles, reference)
    text = f"{headline[0].upper()}{headline[1:]}. {_smallest(others)} {splitting}".replace("  ", " ")
    floor = metrics.loc[(metrics["metric"] == "accuracy") & (metrics["model"] == best), "floor"]
    of_seeds = 0.0 if math.isnan(row["spread"]) else row["spread"] / math.sqrt(row["seeds"])
    facts = {
        "test jets": f"{int(row['n_reference']):,}, the same for all arms",
        "trainings": f"{seeds} of each arm" if seeds > 1 else "one: how much another would change is not known",
        "not rerun": "translation and GLUE of arXiv 1906.02762",
    }
    return [
        Answer(
            text,
            headline,
            titles[best],
            _METRIC,
            float(row["mean"]),
            math.hypot(float(row["mean_uncertainty"]), of_seeds),
            floor=float(floor.iloc[0]),
            facts=facts,
        )
    ]


def _verdict(others: pd.DataFrame, titles: Mapping[str, str], reference: str) -> str:
    if others.empty:
        return "only one arm was trained: nothing to compare"
    if (others["seeds"] < 2).any():
        return "one training of each arm: whether arms differ beyond the spread over seeds is not known"
    clear = others[others["clear"].astype(bool)]
    if clear.empty:
        return f"no arm differs in accuracy from '{titles[reference]}' beyond chance"
    parts = [
        f"'{titles[str(arm)]}' ({row['difference']:+.4f} ± {row['uncertainty']:.4f})" for arm, row in clear.iterrows()
    ]
    return f"different in accuracy from '{titles[reference]}' beyond chance: {listed(parts)}"


def _smallest(others: pd.DataFrame) -> str:
    limit = others["detectable"].max() if len(others) else math.nan
    return (
        "" if math.isnan(limit) else f"Stated beforehand: differences from {limit:.3f} on are found four times in five."
    )


def _of_orders(metrics: pd.DataFrame, system: tuple[str, str]) -> str:
    """Return what was measured of Strang in one system of particles, with exact sub-steps and with those of Euler."""
    rows = metrics[(metrics["dataset"] == system[0]) & (metrics["sampler"] == "strang")]

    def found(metric: str, sub_step: str) -> str:
        row = rows[(rows["metric"] == metric) & (rows["model"] == sub_step)].iloc[0]
        return with_uncertainty(float(row["value"]), float(row["uncertainty"]))

    first_order = (
        float(rows.loc[(rows["metric"] == "global_order") & (rows["model"] == "euler"), "value"].iloc[0]) < 1.5
    )
    so = (
        " So the order of the splitting, which exact sub-steps have, is no reason why such blocks should be better."
        if first_order
        else ""
    )
    return (
        f"Strang splitting of interacting particles ({system[1]}) is of order {found('global_order', 'exact')} with "
        f"exact sub-steps, but of order {found('global_order', 'euler')} with those of a residual block. There its "
        f"error is {found('error_ratio_to_lie', 'euler')} times that of Lie splitting.{so}"
    )
