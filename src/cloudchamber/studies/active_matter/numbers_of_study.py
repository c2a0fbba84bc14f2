"""The table of metrics as figures, tables and the answer read it: entropy production by ensemble, drive and way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from cloudchamber.errors import InputError
from cloudchamber.figures.labels import told_apart
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import entries, need

__all__ = ["ESTIMATOR_TITLES", "Names", "production_of", "read_metrics", "select"]

# Ways without a network, in the order in which they are shown.
ESTIMATOR_TITLES: Mapping[str, str] = {
    "moment_identity": "moment identity",
    "trajectory": "trajectories",
    "gaussian_score": "Gaussian score",
}
_COLUMNS = (
    "dataset",
    "model",
    "metric",
    "feature",
    "drive",
    "value",
    "uncertainty",
    "floor",
    "exact",
    "origin",
    "seed",
)


@final
@dataclass(frozen=True)
class Names:
    """What ensembles and models are called, in the order of the settings.

    Attributes:
        ensembles: name -> title.
        particles: name of an ensemble -> number of particles.
        models: name -> title.
        trained_on: name of a model -> ensemble.
    """

    ensembles: Mapping[str, str]
    particles: Mapping[str, int]
    models: Mapping[str, str]
    trained_on: Mapping[str, str]

    @classmethod
    def of(cls, files: Mapping[str, Any]) -> "Names":
        """Read them from the files of a figure or table.

        Raises:
            SettingsError: a key is missing.
        """
        ensembles = entries(files, "ensembles", ("name", "title", "particles"))
        models = entries(files, "models", ("name", "title", "ensemble"))
        return cls(
            told_apart({item["name"]: item["title"] for item in ensembles}),
            {item["name"]: int(item["particles"]) for item in ensembles},
            told_apart({item["name"]: item["title"] for item in models}),
            {item["name"]: item["ensemble"] for item in models},
        )


def read_metrics(files: Mapping[str, Any]) -> pd.DataFrame:
    """Return the table of metrics; an empty feature is "".

    Raises:
        InputError: the table cannot be used.
        SettingsError: the key is missing.
    """
    path = need(files, "metrics")
    table = read_table(path, _COLUMNS)
    table = table.assign(feature=table["feature"].fillna("").astype(str), origin=table["origin"].fillna("").astype(str))
    if not (table["metric"] == "entropy_production").any():
        raise InputError(f"{path}: no metric 'entropy_production'")
    return table


def select(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Return the rows in which columns have values; a list means one of them."""
    chosen = np.ones(len(table), bool)
    for name, value in values.items():
        several = isinstance(value, Sequence) and not isinstance(value, str)
        chosen &= (table[name].isin(list(value)) if several else table[name] == value).to_numpy()
    return table[chosen]


def production_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each ensemble and drive with all that there is of its total entropy production.

    Columns are dataset, drive, exact, origin and, of each way, its value and "uncertainty of" it: those of
    :data:`ESTIMATOR_TITLES`, and for each model "MODEL learned", "MODEL plug_in" and "MODEL lower_bound". Where
    positions have no noise only the part of activities exists.
    """
    rows = []
    for (dataset, drive), group in table.groupby(["dataset", "drive"], sort=False):
        row: dict[str, Any] = {"dataset": dataset, "drive": drive, "exact": np.nan, "origin": ""}
        for line in group.to_dict("records"):
            name = _way(line, group)
            if name is None:
                continue
            if pd.notna(line["exact"]):
                row |= {"exact": line["exact"], "origin": line["origin"]}
            row |= {name: line["value"], f"uncertainty of {name}": line["uncertainty"]}
        plugged = group[group["metric"] == "plug_in"]
        for model, values in plugged.groupby("model", sort=False)["value"]:
            spread = float(values.std(ddof=1) / np.sqrt(len(values)))
            row |= {f"{model} plug_in": float(values.mean()), f"uncertainty of {model} plug_in": spread}
        rows.append(row)
    return pd.DataFrame(rows)


def _way(line: Mapping[str, Any], group: pd.DataFrame) -> str | None:
    if line["metric"] == "lower_bound":
        return f"{line['model']} lower_bound"
    if line["metric"] != "entropy_production":
        return None
    if line["model"] in ESTIMATOR_TITLES:
        return str(line["model"])
    of_model = group[(group["model"] == line["model"]) & (group["metric"] == "entropy_production")]
    whole = "" if (of_model["feature"] == "").any() else "activities"
    return f"{line['model']} learned" if line["feature"] == whole else None
