"""The comparison of samples by their observables, against an independent program and closed forms."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from random_jets import make_clouds, random_clouds
from scipy import stats

from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.features import JET_FEATURES, PARTICLE_FEATURES, W1_EFP_NAMES
from cloudchamber.jets.observables import observe
from cloudchamber.metrics.comparison import compare
from cloudchamber.metrics.divergence import expected_floor
from cloudchamber.metrics.resampling import bootstrap_weights
from cloudchamber.metrics.tables import DISTANCE_COLUMNS
from cloudchamber.settings.metrics import MetricSettings

WHOLE_JET_METRICS = ("w1m", "w1p", "w1efp", "fpd", "kpd")
ORACLE = Path(__file__).parents[1] / "data/oracles/jet_metrics.json"
SETTINGS = MetricSettings(bins=20, bootstraps=20)


def compared(
    truth: Clouds, generated: Clouds, floor: Clouds, settings: MetricSettings = SETTINGS, seed: int = 1
) -> pd.DataFrame:
    tables = [observe(clouds) for clouds in (truth, generated, floor)]
    pairs = zip((truth, generated, floor), tables, strict=True)
    arguments = [item for pair in pairs for item in pair]
    return compare(*arguments, settings, np.random.default_rng(seed))


def test_the_table_has_one_row_per_metric_and_feature(rng):
    rows = compared(random_clouds(rng, 300), random_clouds(rng, 200), random_clouds(rng, 250))
    assert tuple(rows.columns) == DISTANCE_COLUMNS
    expected = [(metric, feature) for metric in ("kl", "w1") for feature in JET_FEATURES + PARTICLE_FEATURES]
    expected += [(metric, "") for metric in WHOLE_JET_METRICS]
    assert list(zip(rows.metric, rows.feature, strict=True)) == expected
    assert (rows.n_reference == 300).all()
    assert (rows.n_generated == 200).all()
    assert (rows.loc[rows.metric != "kpd", ["value", "floor"]] >= 0).all(axis=None)
    assert (rows[["uncertainty", "floor_uncertainty"]] > 0).all(axis=None)


def test_the_floor_is_what_its_jets_would_get_as_generated_jets(rng):
    truth, other = random_clouds(rng, 300), random_clouds(rng, 400)
    rows = compared(truth, other[:200], other)
    np.testing.assert_array_equal(rows.value, rows.floor)
    np.testing.assert_array_equal(rows.uncertainty, rows.floor_uncertainty)


def test_a_perfect_model_is_at_the_floor_and_a_wrong_one_above(rng):
    truth, copy, floor = (random_clouds(rng, 5000) for _ in range(3))
    wrong = random_clouds(rng, 5000, slope=1.2)
    perfect = compared(truth, copy, floor).set_index(["metric", "feature"])
    kl = perfect.loc["kl"].loc[["jet_mass", "tau21", "tau32", "d2"]]
    mean = expected_floor(20, 5000, 5000)
    spread = math.sqrt((20 - 1) / 2) * 2 / 5000
    assert (kl.value - mean).abs().max() < 5 * spread
    assert (kl.floor - mean).abs().max() < 5 * spread
    worse = compared(truth, wrong, floor).set_index(["metric", "feature"])
    for metric in ("kl", "w1"):
        row = worse.loc[metric, "eta_rel"]
        assert row.value - row.floor > 10 * math.hypot(row.uncertainty, row.floor_uncertainty)
    for metric in WHOLE_JET_METRICS:
        row, copied = worse.loc[metric, ""], perfect.loc[metric, ""]
        assert row.value - row.floor > 4 * math.hypot(row.uncertainty, row.floor_uncertainty), metric
        assert abs(copied.value - copied.floor) < 5 * math.hypot(copied.uncertainty, copied.floor_uncertainty), metric


def test_jetnet_finds_the_same_distances_of_whole_jets():
    oracle = json.loads(ORACLE.read_text())
    clouds = []
    for name in ("truth", "generated"):
        eta, phi, pt = np.moveaxis(np.asarray(oracle[name]), 2, 0)
        clouds.append(make_clouds(pt, eta, phi, pt > 0))
    rows = compared(*clouds, clouds[1]).set_index("metric")
    for metric in ("w1m", "w1p", "w1efp"):
        # Clouds hold their points in single precision.
        assert rows.value[metric] == pytest.approx(np.mean(oracle[metric]), rel=1e-5), metric


def test_uncertainty_of_a_mean_over_features_knows_that_they_are_of_the_same_jets(rng):
    truth, generated = random_clouds(rng, 80), random_clouds(rng, 60, slope=1.1)
    rows = compared(truth, generated, truth).set_index(["metric", "feature"])
    tables = [observe(clouds) for clouds in (truth, generated)]
    draw = np.random.default_rng(1)
    weights = [bootstrap_weights(len(clouds), SETTINGS.bootstraps, draw) for clouds in (truth, generated)]

    def of_jets(name: str, drawn: list[np.ndarray]) -> float:
        return stats.wasserstein_distance(*(table[name] for table in tables), *drawn)

    def of_particles(name: str, drawn: list[np.ndarray]) -> float:
        of_each = [np.repeat(row, clouds.multiplicity) for row, clouds in zip(drawn, (truth, generated), strict=True)]
        return stats.wasserstein_distance(*(clouds.point(name)[clouds.mask] for clouds in (truth, generated)), *of_each)

    for metric, distance, features in (("w1p", of_particles, PARTICLE_FEATURES), ("w1efp", of_jets, W1_EFP_NAMES)):
        once = [np.ones(len(clouds)) for clouds in (truth, generated)]
        resampled = [np.mean([distance(name, drawn) for name in features]) for drawn in zip(*weights, strict=True)]
        row = rows.loc[metric, ""]
        assert row.value == pytest.approx(np.mean([distance(name, once) for name in features]), rel=1e-6)
        assert row.uncertainty == pytest.approx(np.std(resampled, ddof=1), rel=1e-5)


def test_the_same_seed_gives_the_same_table(rng):
    clouds = [random_clouds(rng, 300) for _ in range(3)]
    rows, again, different = (compared(*clouds, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(rows, again)
    # The value of these two is of batches that are drawn.
    drawn = rows.metric.isin(["fpd", "kpd"])
    np.testing.assert_array_equal(different.value[~drawn], rows.value[~drawn])
    assert (different.uncertainty != rows.uncertainty).any()


def test_samples_of_ten_jets_have_finite_distances(rng):
    rows = compared(*(random_clouds(rng, 10) for _ in range(3)))
    assert np.isfinite(rows[["value", "uncertainty", "floor", "floor_uncertainty"]]).all(axis=None)


def test_jets_of_two_particles_have_finite_distances(rng):
    clouds = [random_clouds(rng, 30, width=3) for _ in range(3)]
    clouds = [replace(jets, mask=jets.mask & [True, True, False]) for jets in clouds]
    rows = compared(*clouds).set_index("metric")
    assert np.isfinite(rows.loc[list(WHOLE_JET_METRICS), ["value", "uncertainty"]]).all(axis=None)


def test_too_few_true_jets_for_the_floor_are_an_error(rng):
    with pytest.raises(InputError, match="250 true jets, 300 generated"):
        compared(random_clouds(rng, 200), random_clouds(rng, 300), random_clouds(rng, 250))


def test_observables_of_other_clouds_are_an_error(rng):
    clouds = random_clouds(rng, 100)
    table = observe(clouds)
    short = {name: values[:50] for name, values in table.items()}
    with pytest.raises(InputError, match="50 values of 'jet_mass' for the 100 jets of generated"):
        compare(clouds, table, clouds, short, clouds, table, SETTINGS, rng)
    missing = {name: values for name, values in table.items() if name != "d2"}
    with pytest.raises(InputError, match="no observable 'd2' of truth"):
        compare(clouds, missing, clouds, table, clouds, table, SETTINGS, rng)
    missing = {name: values for name, values in table.items() if name != "efp_7"}
    with pytest.raises(InputError, match="no observable 'efp_7' of generated"):
        compare(clouds, table, clouds, missing, clouds, table, SETTINGS, rng)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_observable_that_is_not_finite_is_an_error(rng, bad):
    clouds = random_clouds(rng, 100)
    table = observe(clouds)
    changed = {**table, "tau32": np.where(np.arange(100) == 7, bad, table["tau32"])}
    for of_truth, of_generated, side in ((changed, table, "truth"), (table, changed, "generated")):
        with pytest.raises(InputError, match=f"'tau32' of 1 of the 100 jets of {side} is not finite"):
            compare(clouds, of_truth, clouds, of_generated, clouds, table, SETTINGS, rng)
