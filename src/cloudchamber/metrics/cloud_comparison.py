"""Metrics of jets as whole clouds: coverage, minimum matching distance, copies of training jets."""

import sys

import numpy as np
import pandas as pd

from cloudchamber.cloud_file import AnyClouds
from cloudchamber.metrics.coverage import coverage_and_mmd, sizes_of_batches
from cloudchamber.metrics.memorisation import MOST_HELD_OUT, memorisation
from cloudchamber.metrics.tables import DISTANCE_COLUMNS
from cloudchamber.preparation.splits import event_labels, halved
from cloudchamber.preparation.unweighting import unweight
from cloudchamber.settings.metrics import MetricSettings

__all__ = ["compare_clouds"]

# The search for copies compares each of these with all training jets.
_JUDGED = 10_000


def compare_clouds(
    test: AnyClouds, train: AnyClouds, generated: AnyClouds, settings: MetricSettings, rng: np.random.Generator
) -> pd.DataFrame:
    """Compare generated with true jets one by one.

    Args:
        test: the reference.
        train: all jets that the model was trained on; the first ``len(generated)`` are the floor of coverage and
            minimum matching distance.
        generated: the jets to judge; at most the first 10,000 are searched for copies.
        settings: size and number of batches of pairwise distances.
        rng: generator of the batches.

    Returns:
        Rows "coverage", "mmd", "memorisation" and "duplicates" with the columns of
        :func:`cloudchamber.metrics.comparison.compare`; the feature is "". True jets with event weights are unweighted
        for the first two; the others are left out, since they ask which jets were copied and unweighting drops some.
        Where weights are negative there are no rows.

    Raises:
        InputError: see :func:`cloudchamber.metrics.energy_mover.coverage_and_mmd` and
            :func:`cloudchamber.metrics.memorisation.memorisation`.
    """
    weighted = test.event_weight is not None
    if weighted:
        if any(part.event_weight is not None and (part.event_weight < 0).any() for part in (test, train)):
            return pd.DataFrame([], columns=list(DISTANCE_COLUMNS))
        test, train = (_unweighted(part, rng) for part in (test, train))
    there = min(len(test), len(generated), *([len(train)] if weighted else []))
    asked = (settings.energy_mover_jets, settings.energy_mover_batches)
    jets, batches = sizes_of_batches(*asked, there)
    if (jets, batches) != asked:
        sys.stderr.write(
            f"compare: coverage and mmd in {batches} batches of {jets} jets and not {asked[1]} of {asked[0]}: no jet "
            f"is in two of them, one sample has {there}\n"
        )
    values = coverage_and_mmd(test, generated, rng, jets, batches)
    floors = coverage_and_mmd(test, train.select(slice(len(generated))), rng, jets, batches)
    rows = [
        (metric, "", *value, *floor, jets * batches, jets * batches)
        for metric, value, floor in zip(("coverage", "mmd"), values, floors, strict=True)
    ]
    if weighted:
        return pd.DataFrame(rows, columns=list(DISTANCE_COLUMNS))
    judged = generated[: min(len(generated), _JUDGED)]
    held_out = min(len(halved(test)[0]), MOST_HELD_OUT)
    rows += [
        (metric, "", *value, *floor, held_out, len(judged))
        for metric, (value, floor) in memorisation(train, test, judged).items()
    ]
    return pd.DataFrame(rows, columns=list(DISTANCE_COLUMNS))


def _unweighted(clouds: AnyClouds, rng: np.random.Generator) -> AnyClouds:
    assert clouds.event_weight is not None, "both parts are of one file"
    return clouds.select(unweight(clouds.event_weight, event_labels(clouds), rng))
