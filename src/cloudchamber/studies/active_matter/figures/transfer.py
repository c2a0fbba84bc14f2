"""What a score says of more particles than it was trained on."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import GREY, looks
from cloudchamber.studies.active_matter.numbers_of_study import Names, production_of, read_metrics, select

__all__ = ["CAPTIONS", "draw_transfer"]

CAPTIONS = {
    "transfer": (
        "Scores applied unchanged to more particles than they were trained on, at the largest drive of each "
        "ensemble, where the exact solution is known for every number of particles. Left: how far the learned "
        "entropy production is from the exact one, in percent, with bars of blocks of trajectories and of trainings; "
        "the grey band is 5 % to both sides. Right: error of the score of one training relative to the exact score, "
        "in the norm of the diffusion. Filled markers are the number of particles of the training. Activities are "
        "even under time reversal."
    ),
}


def draw_transfer(files: Mapping[str, Any]) -> Figure:
    """Draw the error of each model that was transferred against the number of particles.

    Args:
        files: "ensembles", "models" with their "transfers", "metrics", path of a CSV.

    Raises:
        InputError: the table cannot be used, or nothing was transferred to a system with an exact solution.
        SettingsError: a key is missing.
    """
    names, metrics = Names.of(files), read_metrics(files)
    table = production_of(metrics)
    look = looks(list(names.models), [])
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    production, score = figure.subplots(1, 2)
    handles, numbers = [], set()
    for model in names.models:
        rows = _rows(model, names, table, metrics)
        if len(rows) < 2:
            continue
        for axis, value, error in ((production, "difference", "uncertainty"), (score, "score", "of_score")):
            style: dict[str, Any] = {
                "color": look[model].color,
                "marker": look[model].marker,
                "linestyle": look[model].linestyle,
            }
            axis.errorbar(rows["particles"], rows[value], yerr=np.nan_to_num(rows[error]), fillstyle="none", **style)
            home = rows[rows["home"]]
            axis.plot(home["particles"], home[value], color=look[model].color, marker=look[model].marker)
        numbers |= set(rows["particles"])
        handles.append(Line2D([], [], label=names.models[model], fillstyle="none", **style))
    if not handles:
        raise InputError(f"{files['metrics']}: no score was transferred to a system with an exact solution")
    production.axhspan(-5, 5, color=GREY, linewidth=0.0, alpha=0.6)
    production.axhline(0.0, color="black", linewidth=0.8)
    for axis in (production, score):
        axis.set_xscale("log")
        axis.set_xticks(sorted(numbers), [f"{number}" for number in sorted(numbers)])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.margins(x=0.15)
        axis.set_xlabel("number of particles")
    production.set_ylabel("learned / exact entropy production \N{MINUS SIGN} 1 [%]")
    score.set_ylabel("relative error of the score")
    score.set_ylim(bottom=0.0)
    figure.suptitle("Transfer to more particles")
    legend_below(figure, handles)
    return figure


def _rows(model: str, names: Names, table: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    column = f"{model} learned"
    found: list[dict[str, Any]] = []
    if column not in table:
        return pd.DataFrame(found)
    for dataset, group in table[table[column].notna() & (table["exact"] > 0)].groupby("dataset", sort=False):
        row = group.sort_values("drive").iloc[-1]
        errors = select(metrics, model=model, dataset=dataset, drive=row["drive"], metric="score_error")
        found.append(
            {
                "particles": names.particles[str(dataset)],
                "home": dataset == names.trained_on[model],
                "difference": 100 * (row[column] / row["exact"] - 1),
                "uncertainty": 100 * row[f"uncertainty of {column}"] / row["exact"],
                "score": float(errors["value"].iloc[0]) if len(errors) else np.nan,
                "of_score": float(errors["uncertainty"].iloc[0]) if len(errors) else np.nan,
            }
        )
    return pd.DataFrame(found).sort_values("particles") if found else pd.DataFrame(found)
