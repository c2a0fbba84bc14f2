"""Rows of the metrics of the study that no comparison of arms gives: splitting, costs, refinement."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cloudchamber.classification.evaluate import COSTS
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need

__all__ = ["rows_of_costs", "rows_of_refinement", "rows_of_splitting"]

_ORDER_COLUMNS = ("system", "sub_step", "scheme", "kind", "value", "uncertainty", "expected", "draws")
_ERROR_COLUMNS = ("system", "sub_step", "scheme", "kind", "steps", "ratio_to_lie", "ratio_uncertainty")


def rows_of_splitting(files: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield measured orders, and the errors of the finest steps against those of Lie splitting.

    Raises:
        InputError: a table cannot be used.
        SettingsError: "orders" or "errors" are not among the files.
    """
    orders = read_table(need(files, "orders"), _ORDER_COLUMNS)
    for row in orders.to_dict("records"):
        yield _of_scheme(row) | {
            "metric": f"{row['kind']}_order",
            "value": row["value"],
            "uncertainty": row["uncertainty"],
            "expected": row["expected"],
            "n_reference": row["draws"],
        }
    errors = read_table(need(files, "errors"), _ERROR_COLUMNS)
    draws = int(orders["draws"].iloc[0])
    finest = errors.groupby("system")["steps"].transform("max")
    chosen = errors[(errors["steps"] == finest) & (errors["kind"] == "global") & (errors["scheme"] != "lie")]
    for row in chosen.to_dict("records"):
        yield _of_scheme(row) | {
            "metric": "error_ratio_to_lie",
            "nfe": row["steps"],
            "value": row["ratio_to_lie"],
            "uncertainty": row["ratio_uncertainty"],
            "n_reference": draws,
        }


def _of_scheme(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"dataset": row["system"], "model": row["sub_step"], "sampler": row["scheme"]}


def rows_of_costs(path: str, arms: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield what jets cost in each arm.

    Args:
        path: table of `tagger-cost`.
        arms: arm of each model that counts.

    Raises:
        InputError: the table cannot be used.
    """
    for row in read_table(path, ("model", *COSTS)).to_dict("records"):
        if row["model"] not in arms:
            continue
        for name in COSTS:
            # Half of the range of the rounds, as in docs/metrics.md; counts are exact.
            prefix = name.removesuffix("_seconds_per_jet")
            known = f"{prefix}_highest" in row
            uncertainty = (row[f"{prefix}_highest"] - row[f"{prefix}_lowest"]) / 2 if known else 0.0
            yield {
                "dataset": "all",
                "model": arms[row["model"]],
                "metric": name,
                "value": row[name],
                "uncertainty": uncertainty,
                "n_reference": row.get("rounds"),
            }


def rows_of_refinement(path: str) -> Iterator[dict[str, Any]]:
    """Yield accuracies of networks whose layers are steps, against the number of steps, and orders of their states.

    Raises:
        InputError: the table cannot be used.
    """
    columns = (
        "model",
        "seed",
        "scheme",
        "sub_step",
        "steps",
        "state_error",
        "accuracy",
        "accuracy_uncertainty",
        "jets",
    )
    table = read_table(path, columns)
    for row in table.to_dict("records"):
        yield _of_network(row) | {
            "metric": "accuracy_at_steps",
            "nfe": row["steps"],
            "value": row["accuracy"],
            "uncertainty": row["accuracy_uncertainty"],
        }
    split = table[table["scheme"] != "limit"]
    for (_, _, _, sub_step), rows in split.groupby(["model", "seed", "scheme", "sub_step"], sort=False):
        slope, error = _slope(rows["steps"].to_numpy(), rows["state_error"].to_numpy())
        yield _of_network(rows.iloc[0].to_dict()) | {
            "metric": "refinement_order",
            "value": slope,
            "uncertainty": error,
            "expected": 1 if sub_step == "euler" or rows["scheme"].iloc[0] == "lie" else 2,
        }


def _of_network(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "dataset": "all",
        "model": row["model"],
        "sampler": row["scheme"],
        "seed": row["seed"],
        "feature": row["sub_step"],
        "n_reference": row["jets"],
    }


def _slope(steps: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """Return the slope of log error against log step, and its standard error from the scatter about the line."""
    x, y = -np.log(steps), np.log(errors)
    slope, offset = np.polyfit(x, y, 1)
    if len(x) < 3:
        return float(slope), math.nan
    scatter = np.square(y - slope * x - offset).sum() / (len(x) - 2)
    return float(slope), float(np.sqrt(scatter / np.square(x - x.mean()).sum()))
