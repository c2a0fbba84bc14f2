"""The step that compares arms on the same test jets and gathers all numbers of the study into its metrics."""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber import seeds
from cloudchamber.classification.measures import balanced, estimate, replicas
from cloudchamber.classification.scores import UnseenJets, read_scores, read_unseen_jets
from cloudchamber.errors import InputError
from cloudchamber.metrics.shares import of_share
from cloudchamber.metrics.tables import METRIC_COLUMNS, read_table, write_table
from cloudchamber.metrics.trainings_apart import refuse_one_training
from cloudchamber.progress import progress
from cloudchamber.settings.entries import entries, need
from cloudchamber.studies.macaron.arms import (
    MEASURES,
    TrainedArm,
    at_best_rate,
    detectable,
    difference,
    measure_jets,
)
from cloudchamber.studies.macaron.metric_rows import rows_of_costs, rows_of_refinement, rows_of_splitting
from cloudchamber.studies.macaron.settings import MeasurementSettings

__all__ = ["METRIC_COLUMNS_OF_STUDY", "evaluate"]

METRIC_COLUMNS_OF_STUDY = (*METRIC_COLUMNS, "expected", "detectable", "learning_rate", "selected")


def evaluate(
    jets: Path, files: Mapping[str, Any], settings: MeasurementSettings, seed: int, metrics: Path, differences: Path
) -> None:
    """Compare arms and write all metrics of the study.

    Args:
        jets: file of :func:`cloudchamber.classification.jets.combine_classes`.
        files: "orders" and "errors" of the splitting; "scores", a list with "name" of the model, "arm",
            "learning_rate", "seed", "scores" and "history"; "costs" and "refinement", where there are any.
        settings: comparison and number of resamplings.
        seed: of the resamplings.
        metrics: table with ``METRIC_COLUMNS_OF_STUDY``.
        differences: a row for each arm and measure: mean and spread over seeds at the chosen learning rate, and the
            difference from the arm of reference with its uncertainties.

    Raises:
        InputError: a file cannot be used, no training is of the arm of reference, or one stands under two seeds.
        SettingsError: a key is missing, or seeds do not tell trainings apart.
        StorageError: a table cannot be written.
    """
    unseen = read_unseen_jets(jets)
    rng = seeds.generator(seed, "macaron", "bootstrap")
    weights = balanced(replicas(unseen.weights, settings.bootstraps, rng), unseen.target, len(unseen.classes))
    keys = ("name", "arm", "learning_rate", "seed", "scores", "history")
    listed = entries(files, "scores", keys)
    refuse_one_training(listed, "scores", ("arm", "learning_rate"))
    trained = list(_trained(listed, unseen, jets, weights))
    chosen = at_best_rate(trained)
    reference = settings.comparison.reference
    if reference not in chosen:
        raise InputError(f"{jets}: no scores of the arm of reference '{reference}' among {sorted(chosen)}")
    effective = float(1.0 / np.square(weights[0]).sum())
    others = max(1, len(chosen) - 1)
    limits = {
        arm: detectable(settings.comparison, (len(items), len(chosen[reference])), effective, others)
        for arm, items in chosen.items()
    }
    sys.stderr.write(
        f"evaluation: {len(unseen.rows)} test jets; detectable with {len(chosen[reference])} seeds and {others} arms: "
        f"{limits[reference][1]:.4f} in accuracy ({limits[reference][0]:.4f} from the seeds alone)\n"
    )
    rows = [
        *rows_of_splitting(files),
        *_of_trainings(trained, chosen, len(unseen.rows), effective, len(unseen.classes)),
    ]
    compared = list(_compared(chosen, reference, limits))
    rows += [_metric_of_difference(row, len(unseen.rows)) for row in compared]
    names = {(item["arm"], item["learning_rate"]): item["name"] for item in listed}
    if "costs" in files:
        rows += rows_of_costs(
            need(files, "costs"), {names[arm, items[0].learning_rate]: arm for arm, items in chosen.items()}
        )
    if "refinement" in files:
        rows += rows_of_refinement(need(files, "refinement"))
    table = pd.DataFrame(rows).assign(study="macaron").reindex(columns=list(METRIC_COLUMNS_OF_STUDY))
    integers = dict.fromkeys(("nfe", "seed", "n_reference", "n_generated", "selected"), "Int64")
    write_table(differences, pd.DataFrame(compared).assign(n_reference=len(unseen.rows)))
    write_table(metrics, table.astype(integers))


def _trained(
    listed: Sequence[Mapping[str, Any]], unseen: UnseenJets, jets: Path, weights: np.ndarray
) -> Iterator[TrainedArm]:
    with progress("comparison of arms", len(listed), "trainings") as bar:
        for item in listed:
            history = read_table(item["history"], ("validation_loss",))
            values = measure_jets(read_scores(Path(item["scores"]), unseen, jets), unseen.target, weights)
            lowest = float(history["validation_loss"].min())
            yield TrainedArm(item["arm"], float(item["learning_rate"]), int(item["seed"]), lowest, values)
            bar.update()


def _of_trainings(
    trained: Sequence[TrainedArm],
    chosen: Mapping[str, Sequence[TrainedArm]],
    jets: int,
    effective: float,
    classes: int,
) -> Iterator[dict[str, Any]]:
    floors = {"accuracy": 1 / classes, "auc": 0.5, "background_efficiency": 0.5}
    for item in trained:
        head = {
            "dataset": "all",
            "model": item.arm,
            "seed": item.seed,
            "learning_rate": item.learning_rate,
            "selected": int(item in chosen[item.arm]),
            "n_reference": jets,
        }
        for measure in MEASURES:
            found = of_share(estimate(item.values[measure]), effective)
            yield head | {
                "metric": measure,
                "value": found.value,
                "uncertainty": found.uncertainty,
                "floor": floors[measure],
            }
        yield head | {"metric": "validation_loss", "value": item.validation_loss, "floor": math.log(classes)}


def _compared(
    chosen: Mapping[str, Sequence[TrainedArm]], reference: str, limits: Mapping[str, tuple[float, float]]
) -> Iterator[dict[str, Any]]:
    for arm, items in chosen.items():
        for measure in MEASURES:
            of_seeds = [float(item.values[measure][0]) for item in items]
            found = difference(items, chosen[reference], measure, max(1, len(chosen) - 1))
            is_reference = arm == reference
            yield {
                "arm": arm,
                "reference": reference,
                "measure": measure,
                "learning_rate": items[0].learning_rate,
                "seeds": len(items),
                "mean": float(np.mean(of_seeds)),
                "spread": float(np.std(of_seeds, ddof=1)) if len(of_seeds) > 1 else math.nan,
                "mean_uncertainty": estimate(np.mean([item.values[measure] for item in items], axis=0)).uncertainty,
                "difference": math.nan if is_reference else found.value,
                "uncertainty": math.nan if is_reference else found.uncertainty,
                "of_jets": math.nan if is_reference else found.of_jets,
                "of_seeds": math.nan if is_reference else found.of_seeds,
                "critical": math.nan if is_reference else found.critical,
                "clear": found.is_clear and not is_reference,
                "detectable": limits[arm][1] if measure == "accuracy" and not is_reference else math.nan,
            }


def _metric_of_difference(row: Mapping[str, Any], jets: int) -> dict[str, Any]:
    return {
        "dataset": "all",
        "model": row["arm"],
        "metric": "difference",
        "feature": row["measure"],
        "value": row["difference"],
        "uncertainty": row["uncertainty"],
        "detectable": row["detectable"],
        "learning_rate": row["learning_rate"],
        "n_reference": jets,
    }
