"""The step that gathers: estimates without a network, the numbers of all models, the scan of denoising, the phases."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber import seeds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.metrics.tables import METRIC_COLUMNS, read_table
from cloudchamber.settings.entries import entries, need
from cloudchamber.storage import write_rows
from cloudchamber.studies.active_matter.blocks import Mean
from cloudchamber.studies.active_matter.denoising import denoising_rows
from cloudchamber.studies.active_matter.estimators import estimates
from cloudchamber.studies.active_matter.phases import phase_rows
from cloudchamber.studies.active_matter.settings import ActiveMatterSettings
from cloudchamber.studies.active_matter.snapshots import Snapshots, read_snapshots

__all__ = ["METRIC_COLUMNS_OF_STUDY", "QUANTITY_COLUMNS", "evaluate"]

# Behind the columns of all studies: the drive, what is exact, and the two parts of the uncertainty.
METRIC_COLUMNS_OF_STUDY = (*METRIC_COLUMNS, "drive", "exact", "origin", "of_blocks", "of_trainings")
QUANTITY_COLUMNS = (
    "ensemble",
    "drive",
    "quantity",
    "feature",
    "seed",
    "value",
    "uncertainty",
    "of_blocks",
    "of_trainings",
    "exact",
    "origin",
    "blocks",
    "snapshots",
)
# What each row has, with or without a value.
_ALWAYS_THERE = ("ensemble", "drive", "quantity", "blocks", "snapshots")
# Quantities that stand beside their plug-in value in equilibrium.
_WITH_FLOOR = ("entropy_production", "plug_in", "lower_bound")


def evaluate(
    settings: ActiveMatterSettings, files: Mapping[str, Any], seed: int, metrics: Path, denoising: Path, phases: Path
) -> None:
    """Write the tables of the study.

    Args:
        settings: of the study.
        files: "ensembles", a list with "name" and "snapshots"; "models", a list with "name" and "quantities".
        seed: of the noise of the scan of denoising.
        metrics: CSV with ``METRIC_COLUMNS_OF_STUDY``.
        denoising: CSV with the rows of :func:`~cloudchamber.studies.active_matter.denoising.denoising_rows`; only its
            header where the settings ask for no scan.
        phases: CSV with the rows of :func:`~cloudchamber.studies.active_matter.phases.phase_rows`; only its header
            where no disks are in a periodic box.

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing, the ensemble of the scan is not there or its system is not linear.
        StorageError: a file cannot be written.
    """
    rows: list[dict[str, Any]] = []
    scan: list[dict[str, Any]] = []
    separated: list[dict[str, Any]] = []
    ensembles = entries(files, "ensembles", ("name", "snapshots"))
    names = [entry["name"] for entry in ensembles]
    if settings.denoising is not None and settings.denoising.ensemble not in names:
        raise SettingsError(
            f"--files: no ensemble '{settings.denoising.ensemble}' of the scan of denoising among {names}"
        )
    for entry in ensembles:
        name = entry["name"]
        data = read_snapshots(Path(entry["snapshots"]))
        rows += _estimates(name, data)
        separated += [{"ensemble": name} | row for row in phase_rows(data)]
        if settings.denoising is not None and settings.denoising.ensemble == name:
            rng = seeds.generator(seed, "active_matter", "denoising")
            drive = float(data.drives.max())
            scan = denoising_rows(data, drive, settings.denoising.sigmas, settings.denoising.steps, rng)
    for entry in entries(files, "models", ("name", "quantities")):
        rows += _of_model(entry["name"], _quantities(need(entry, "quantities")))
    write_rows(metrics, rows)
    write_rows(denoising, scan or [{"noise": "", "size": "", "signs": "", "value": ""}])
    write_rows(phases, separated or [{"ensemble": "", "kind": "", "x": "", "value": ""}])


def _estimates(ensemble: str, data: Snapshots) -> Iterator[dict[str, Any]]:
    for drive in np.unique(data.drives):
        exact = data.system.exact(float(drive))
        for item in estimates(data, float(drive)):
            known = {} if exact is None else {"exact": exact.entropy_production, "origin": exact.origin}
            yield _metric(ensemble, item.estimator, float(drive), "entropy_production", "", item.mean) | known


def _quantities(path: str) -> pd.DataFrame:
    table = read_table(path, QUANTITY_COLUMNS)
    for name in _ALWAYS_THERE:
        if table[name].isna().any():
            raise InputError(f"{path}: a row has no '{name}': the table is cut short")
    return table


def _of_model(name: str, table: pd.DataFrame) -> Iterable[dict[str, Any]]:
    floors = {}
    for ensemble, of_ensemble in table.groupby("ensemble"):
        still = of_ensemble[(of_ensemble["drive"] == 0) & (of_ensemble["quantity"] == "plug_in")]["value"]
        if len(still):
            floors[ensemble] = (float(still.mean()), float(still.std(ddof=1) / np.sqrt(len(still))))
    for line in table.to_dict("records"):
        mean = Mean(line["value"], line["of_blocks"], line["of_trainings"], int(line["blocks"]), int(line["snapshots"]))
        feature = "" if pd.isna(line["feature"]) else line["feature"]
        row = _metric(line["ensemble"], name, line["drive"], line["quantity"], feature, mean)
        row["seed"] = "" if pd.isna(line["seed"]) else int(line["seed"])
        for key in ("exact", "origin"):
            row[key] = "" if pd.isna(line[key]) else line[key]
        if line["quantity"] in _WITH_FLOOR and not feature and line["ensemble"] in floors:
            row["floor"], row["floor_uncertainty"] = floors[line["ensemble"]]
        yield row


def _metric(ensemble: str, model: str, drive: float, metric: str, feature: str, mean: Mean) -> dict[str, Any]:
    known = {
        "study": "active_matter",
        "dataset": ensemble,
        "model": model,
        "metric": metric,
        "feature": feature,
        **mean.columns(),
        "n_reference": mean.blocks,
        "n_generated": mean.snapshots,
        "drive": drive,
    }
    return dict.fromkeys(METRIC_COLUMNS_OF_STUDY, "") | known
