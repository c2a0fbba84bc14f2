"""Tables of the study: entropy production by all ways side by side, and the checks of each score."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.figures.rendering import Table
from cloudchamber.studies.active_matter.numbers_of_study import (
    ESTIMATOR_TITLES,
    Names,
    production_of,
    read_metrics,
    select,
)
from cloudchamber.studies.active_matter.score_checks import CHECKS

__all__ = ["CAPTIONS", "checks", "production"]

CAPTIONS = {
    "production": (
        "Entropy production of each ensemble and drive: exact, by ways that need no network, and learned. Activities "
        "are even under time reversal, so that gradients of potentials count and reversals of the propulsion do not. "
        "The moment identity is the work of the propulsion over the diffusion constant; trajectories are a "
        "Stratonovich sum with a bias of first order in the step of the integrator; the Gaussian score is exact for "
        "linear systems alone. Learned values are products of the velocities of different trainings; the plug-in "
        "value squares one velocity and is too large by the square of its error, and the lower bound is too small by "
        "as much. At a drive of zero everything but the errors vanishes, so that the plug-in value there is the floor."
    ),
    "checks": (
        "Identities that hold for the exact score and do not need it: those of Stein and those of a stationary flow, "
        "each zero if it holds and relative to the size of its terms, for the mean score of all trainings of a "
        "model. Activities are even under time reversal. The last column is the error of the score of one training "
        "relative to the exact score, where that is known, in the norm of the diffusion. Uncertainties are over "
        "blocks of trajectories."
    ),
}


def production(files: Mapping[str, Any]) -> Table:
    """Return the entropy production, a row for each ensemble, drive and model.

    Args:
        files: "ensembles" and "models" with their titles, "metrics", path of a CSV.

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    names, table = Names.of(files), read_metrics(files)
    data = production_of(table)
    rows = []
    for line in data.to_dict("records"):
        there = [name for name in names.models if pd.notna(line.get(f"{name} learned"))]
        models: list[str | None] = [*there] if there else [None]
        for model in models:
            learned = [
                "" if model is None else _cell(line, f"{model} {way}") for way in ("learned", "plug_in", "lower_bound")
            ]
            rows.append(
                (
                    names.ensembles.get(line["dataset"], line["dataset"]),
                    f"{line['drive']:g}",
                    "" if model is None else names.models[model],
                    "" if pd.isna(line["exact"]) else f"{line['exact']:.4g}",
                    line["origin"],
                    *(_cell(line, way) for way in ESTIMATOR_TITLES),
                    *learned,
                )
            )
    header = ["system", "drive", "model", "exact", "known by", *ESTIMATOR_TITLES.values()]
    header += ["learned, trainings crossed", "plug-in", "lower bound"]
    notes = [
        "Uncertainties of learned values: of blocks of trajectories and, from three on, of trainings, in quadrature.",
        "Uncertainties of plug-in values: of trainings alone.",
        "Rates are those of all particles together, per unit of time; Boltzmann's constant is one.",
        "Where positions have no noise only the part of the activities exists.",
    ]
    return Table("Entropy production: exact, estimated, learned", header, rows, notes, data)


def checks(files: Mapping[str, Any]) -> Table:
    """Return the checks of the scores, a row for each model, ensemble and drive; arguments and errors as above."""
    names, table = Names.of(files), read_metrics(files)
    wanted = [*CHECKS, "score_error"]
    data = select(table, metric=wanted)
    rows = []
    for (model, dataset, drive), group in data.groupby(["model", "dataset", "drive"], sort=False):
        of = group.set_index("metric")
        cells = [
            with_uncertainty(of.loc[name, "value"], of.loc[name, "uncertainty"]) if name in of.index else ""
            for name in wanted
        ]
        rows.append((names.models.get(model, model), names.ensembles.get(dataset, dataset), f"{drive:g}", *cells))
    header = ["model", "system", "drive", "E[s]", "E[s z] + 1", "1 + E[div s] / E[s s]", "E[v s]", "div v + v s"]
    header.append("error of the score")
    notes = [f"{title}: {text}." for title, text in zip(header[3:], CHECKS.values(), strict=False)]
    notes.append(
        "The residual of div v + v s is of order one where the velocity is mostly error, as at a drive of zero."
    )
    return Table("Checks of the learned scores", header, rows, notes, data)


def _cell(line: Mapping[str, Any], name: str) -> str:
    value = line.get(name)
    if value is None or pd.isna(value):
        return ""
    return with_uncertainty(float(value), float(line.get(f"uncertainty of {name}", float("nan"))))
