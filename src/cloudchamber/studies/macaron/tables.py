"""Tables of the study: orders of splitting schemes, arms with their differences and costs, networks at more steps."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cloudchamber.classification.evaluate import COSTS
from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.figures.rendering import Table
from cloudchamber.studies.macaron.names import (
    MEASURE_LABELS,
    SCHEME_LABELS,
    SUB_STEP_LABELS,
    read_differences,
    read_study_metrics,
    titles_of,
)

__all__ = ["CAPTIONS", "arms", "orders", "refinement"]

CAPTIONS = {
    "orders": (
        "Measured order of splitting schemes for interacting particles: slope of log error against log step, of the "
        "whole motion and of one step. Mean over systems with weights and positions of their own, with its standard "
        "error. With exact sub-steps Strang is of second order (arXiv 1906.02762); with sub-steps of Euler's method, "
        "which a residual block takes, it is of first order like Lie. The ratio is that of the errors at the finest "
        "step, geometric mean over systems."
    ),
    "arms": (
        "Arms with the same jets, number of updates and matrix products, and their differences from the arm of "
        "reference on the same test jets. ± of a mean is the spread over seeds; ± of a difference holds test jets "
        "(paired bootstrap) and seeds. A difference is clear where Student's t is beyond chance, at 5 % for "
        "all arms of a measure together (Bonferroni). Times are those of one "
        "training, on a machine that does other work too. Translation and GLUE of arXiv 1906.02762 were not rerun."
    ),
    "refinement": (
        "Networks with one attention and one feed-forward part for all layers, evaluated with the same weights at "
        "more and shorter steps. The order is the slope of the log distance from the limit of infinitely short steps "
        "against the log step; ± is its error from the scatter about the line. Accuracies are those of the test jets "
        "that were looked at, which all weigh the same here."
    ),
}
_COST_HEADS: Mapping[str, str] = {
    "parameters": "parameters",
    "flops_per_jet": "FLOPs per jet",
    "training_seconds_per_jet": "training time per jet and step [ms]",
    "inference_seconds_per_jet": "inference time per jet [ms]",
}


def orders(files: Mapping[str, Any]) -> Table:
    """Return the orders, a row for each system, sub-step and scheme.

    Args:
        files: "metrics" and "systems".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    systems = titles_of(files, "systems")
    metrics = read_study_metrics(files)
    chosen = metrics[metrics["metric"].isin(["global_order", "one_step_order", "error_ratio_to_lie"])]
    rows = []
    for (system, sub_step, scheme), found in chosen.groupby(["dataset", "model", "sampler"], sort=False):
        of = found.set_index("metric")
        cells = [systems[system], SUB_STEP_LABELS[sub_step], SCHEME_LABELS[scheme]]
        for metric in ("global_order", "one_step_order"):
            cells += [_cell(of.loc[metric]), f"{int(of.loc[metric, 'expected'])}"]
        cells.append(_cell(of.loc["error_ratio_to_lie"]) if "error_ratio_to_lie" in of.index else "1")
        rows.append(tuple(cells))
    header = ["particles", "sub-steps", "scheme", "order", "in theory", "order of one step", "in theory"]
    header.append("error relative to Lie")
    draws = int(chosen["n_reference"].iloc[0])
    notes = [f"{draws} systems of each kind; ± is the standard error over them."]
    return Table("Order of splitting schemes", header, rows, notes, chosen)


def arms(files: Mapping[str, Any]) -> Table:
    """Return the arms, a row each.

    Args:
        files: "models", "metrics" and "differences".

    Raises:
        InputError: a table cannot be used.
        SettingsError: a key is missing.
    """
    titles, table = titles_of(files, "models"), read_differences(files)
    metrics = read_study_metrics(files)
    costs = [name for name in COSTS if (metrics["metric"] == name).any()]
    rows = []
    for arm, found in table.groupby("arm", sort=False):
        of = found.set_index("measure")
        first = found.iloc[0]
        cells = [titles[str(arm)], f"{first['seeds']}", f"{first['learning_rate']:g}"]
        for measure in MEASURE_LABELS:
            row = of.loc[measure]
            cells.append(with_uncertainty(row["mean"], row["spread"]))
            if arm == row["reference"]:
                cells.append("reference")
            else:
                clear = ", clear" if row["clear"] else ""
                cells.append(f"{_signed(row['difference'], row['uncertainty'])}{clear}")
        cells.append("" if math.isnan(of.loc["accuracy", "detectable"]) else f"{of.loc['accuracy', 'detectable']:.4f}")
        cells += [_cost(metrics, str(arm), name) for name in costs]
        rows.append(tuple(cells))
    header = ["arm", "seeds", "learning rate"]
    for label in MEASURE_LABELS.values():
        header += [label, "difference"]
    header += ["detectable in accuracy", *(_COST_HEADS[name] for name in costs)]
    jets = int(table["n_reference"].iloc[0])
    notes = [
        f"{jets:,} test jets, the same for all arms. The detectable difference was stated before any training.",
        "A lower background efficiency is better.",
    ]
    return Table("Arms of the Macaron test", header, rows, notes, table)


def refinement(files: Mapping[str, Any]) -> Table:
    """Return how networks converge, a row for each network, seed, scheme and sub-step.

    Args:
        files: "models" and "metrics".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    titles, metrics = titles_of(files, "models"), read_study_metrics(files)
    fitted = metrics[metrics["metric"] == "refinement_order"]
    accuracies = metrics[metrics["metric"] == "accuracy_at_steps"]
    rows = []
    for _, row in fitted.iterrows():
        same = accuracies[(accuracies["model"] == row["model"]) & (accuracies["seed"] == row["seed"])]
        limit = same[same["sampler"] == "limit"].iloc[0]
        of = same[(same["sampler"] == row["sampler"]) & (same["feature"] == row["feature"])].sort_values("nfe")
        rows.append(
            (
                titles[row["model"]],
                f"{int(row['seed'])}",
                SCHEME_LABELS[row["sampler"]],
                SUB_STEP_LABELS[row["feature"]],
                _cell(row),
                f"{int(row['expected'])}",
                *(_cell(of.iloc[place]) for place in (0, -1)),
                _cell(limit),
            )
        )
    header = ["network", "seed", "scheme", "sub-steps", "order", "in theory", "accuracy at the first number of steps"]
    header += ["accuracy at the last", "accuracy in the limit"]
    notes = [f"{int(fitted['n_reference'].iloc[0])} test jets; ± of an accuracy is binomial, on the same jets for all."]
    return Table("One F and one G at more steps", header, rows, notes, pd.concat([fitted, accuracies]))


def _cell(row: pd.Series) -> str:
    return with_uncertainty(float(row["value"]), float(row["uncertainty"]))


def _signed(value: float, uncertainty: float) -> str:
    text = with_uncertainty(value, uncertainty)
    return text if text.startswith("-") else f"+{text}"


def _cost(metrics: pd.DataFrame, arm: str, name: str) -> str:
    found = metrics[(metrics["metric"] == name) & (metrics["model"] == arm)]
    if found.empty:
        return ""
    value, uncertainty = float(found["value"].iloc[0]), float(found["uncertainty"].iloc[0])
    return with_uncertainty(1e3 * value, 1e3 * uncertainty) if "seconds" in name else f"{value:,.0f}"
