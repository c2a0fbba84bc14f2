"""Arms on the same test jets: measures, learning rates, differences, what is detectable, the table of metrics."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from macaron_files import ARMS, write_arms
from scipy import stats

from cloudchamber.classification.measures import balanced, replicas
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.settings.base import parse
from cloudchamber.studies.macaron.arms import TrainedArm, at_best_rate, detectable, difference, measure_jets
from cloudchamber.studies.macaron.evaluate import METRIC_COLUMNS_OF_STUDY, evaluate
from cloudchamber.studies.macaron.settings import ComparisonSettings, MacaronSettings, MeasurementSettings


def trained(
    arm: str, values: list[list[float]], rate: float = 0.01, losses: tuple[float, ...] = ()
) -> list[TrainedArm]:
    losses = losses or (1.0,) * len(values)
    return [
        TrainedArm(arm, rate, seed, loss, {"accuracy": np.array(of_seed)})
        for seed, (of_seed, loss) in enumerate(zip(values, losses, strict=True), 1)
    ]


def test_what_is_detectable_is_the_number_stated_beforehand() -> None:
    of_five, with_jets = detectable(ComparisonSettings(), (5, 5), 10_000)
    assert of_five == pytest.approx(0.0040, abs=1e-4)
    assert with_jets > of_five
    assert detectable(ComparisonSettings(), (5, 5), 1e12)[1] == pytest.approx(of_five, rel=1e-3)
    assert detectable(ComparisonSettings(), (2, 2), 1000)[0] == pytest.approx(0.0107, abs=1e-4)
    assert all(math.isnan(limit) for limit in detectable(ComparisonSettings(), (1, 1), 1000))


def test_a_difference_of_that_size_is_found_four_times_in_five() -> None:
    limit, _ = detectable(ComparisonSettings(), (5, 5), 1.0)
    rng = np.random.default_rng(2)
    first, second = rng.normal(limit, 0.002, (4000, 5)), rng.normal(0.0, 0.002, (4000, 5))
    found = (stats.ttest_ind(first, second, axis=1).pvalue < 0.05).mean()
    assert found == pytest.approx(0.8, abs=0.03)


def test_a_difference_from_an_arm_of_other_seeds_is_found_as_often() -> None:
    rng = np.random.default_rng(2)
    for seeds in ((13, 2), (3, 10)):
        limit, _ = detectable(ComparisonSettings(), seeds, 1.0)
        first, second = rng.normal(limit, 0.002, (4000, seeds[0])), rng.normal(0.0, 0.002, (4000, seeds[1]))
        found = (stats.ttest_ind(first, second, axis=1, equal_var=False).pvalue < 0.05).mean()
        assert found == pytest.approx(0.8, abs=0.09), seeds
    assert limit < detectable(ComparisonSettings(), (3, 3), 1.0)[0]
    assert all(math.isnan(limit) for limit in detectable(ComparisonSettings(), (5, 1), 1000))


def test_a_difference_holds_jets_and_seeds() -> None:
    rng = np.random.default_rng(3)
    common = rng.normal(0, 0.01, 201)
    first = trained("a", [list(0.7 + shift + common) for shift in (0.00, 0.02, 0.04)])
    second = trained("b", [list(0.6 + shift + common) for shift in (0.00, 0.01, 0.02)])
    found = difference(first, second, "accuracy")
    assert found.value == pytest.approx(0.11)
    # Fluctuations of the jets that are common to both cancel.
    assert found.of_jets == pytest.approx(0.0, abs=1e-12)
    assert found.of_seeds == pytest.approx(math.sqrt((0.02**2 + 0.01**2) / 3))
    welch = stats.ttest_ind([0.00, 0.02, 0.04], [0.0, 0.01, 0.02], equal_var=False)
    assert found.critical == pytest.approx(float(stats.t.ppf(0.975, welch.df)))
    assert found.is_clear


def test_false_alarms_are_one_in_twenty() -> None:
    rng = np.random.default_rng(4)
    clear = 0
    for _ in range(1500):
        arms = [trained(name, [[value, value, value] for value in rng.normal(0.7, 0.003, 4)]) for name in "ab"]
        clear += difference(*arms, "accuracy").is_clear
    assert 0.03 < clear / 1500 < 0.07


def test_false_alarms_of_five_arms_together_are_one_in_twenty_at_most() -> None:
    """Each by itself at 5 %, one of five arms that are all alike was called clear in a fifth of all repetitions."""
    rng = np.random.default_rng(5)
    clear = 0
    for _ in range(400):
        reference, *others = (
            trained(name, [[value, value, value] for value in rng.normal(0.7, 0.003, 5)]) for name in "abcdef"
        )
        clear += any(difference(arm, reference, "accuracy", comparisons=5).is_clear for arm in others)
    assert 0.01 < clear / 400 < 0.07
    assert detectable(ComparisonSettings(), (5, 5), 1e12, 5)[0] > detectable(ComparisonSettings(), (5, 5), 1e12)[0]


def test_one_seed_says_nothing_of_others() -> None:
    found = difference(trained("a", [[0.9, 0.9, 0.9]]), trained("b", [[0.1, 0.1, 0.1]]), "accuracy")
    assert math.isnan(found.uncertainty)
    assert not found.is_clear


def test_learning_rates_are_chosen_by_validation_alone() -> None:
    worse_on_test = trained("a", [[0.5, 0.5]] * 2, 0.1, (0.9, 1.0))
    better_on_test = trained("a", [[0.9, 0.9]] * 2, 0.2, (0.8, 1.2))
    assert at_best_rate([*better_on_test, *worse_on_test]) == {"a": worse_on_test}
    with pytest.raises(InputError, match="same seeds"):
        at_best_rate([*worse_on_test, *better_on_test[:1]])


def test_measures_are_those_of_taggers() -> None:
    rng = np.random.default_rng(5)
    target, scores = rng.integers(0, 2, 300), rng.normal(size=(300, 2))
    scores[np.arange(300), target] += 1.0
    weights = balanced(replicas(np.ones(300), 3, rng), target, 2)
    found = measure_jets(scores, target, weights)
    right = scores.argmax(axis=1) == target
    assert found["accuracy"][0] == pytest.approx((right[target == 0].mean() + right[target == 1].mean()) / 2)
    # The probability that a jet of a class has the higher score.
    areas = []
    for name in (0, 1):
        of, others = scores[target == name, name], scores[target != name, name]
        areas.append((of[:, None] > others).mean())
    assert found["auc"][0] == pytest.approx(np.mean(areas))
    assert all(len(values) == 4 for values in found.values())


def test_the_tables_have_the_chosen_numbers(study_files: dict[str, Any]) -> None:
    table = pd.read_csv(study_files["differences"]).set_index(["arm", "measure"]).sort_index()
    assert set(table.index.get_level_values("arm")) == set(ARMS)
    best, alike = table.loc[("macaron", "accuracy")], table.loc[("halves_after", "accuracy")]
    assert best["difference"] == pytest.approx(0.2, abs=0.06)
    assert best["clear"]
    assert not alike["clear"]
    assert best["uncertainty"] == pytest.approx(math.hypot(best["of_jets"], best["of_seeds"]))
    assert np.isnan(table.loc[("standard", "accuracy"), "difference"])
    metrics = pd.read_csv(study_files["metrics"])
    assert list(metrics) == list(METRIC_COLUMNS_OF_STUDY)
    assert (metrics["study"] == "macaron").all()
    of_arm = metrics[(metrics["metric"] == "accuracy") & (metrics["model"] == "macaron")]
    assert list(of_arm["seed"]) == [1, 2, 3]
    assert of_arm["value"].mean() == pytest.approx(best["mean"])
    assert np.allclose(of_arm["floor"], 1 / 3)
    assert metrics.loc[metrics["metric"] == "global_order", "expected"].isin([1, 2]).all()
    assert (metrics.loc[metrics["metric"] == "flops_per_jet", "value"] == 5e6).all()


def test_more_resamplings_and_another_seed_change_the_uncertainty_alone(
    evaluated: dict[str, Any], arms_folder: Path, study_files: dict[str, Any], tmp_path: Path
) -> None:
    evaluate(
        arms_folder / "jets.h5", evaluated, MeasurementSettings(bootstraps=5), 2, tmp_path / "m.csv", tmp_path / "d.csv"
    )
    one, other = (pd.read_csv(path) for path in (study_files["differences"], tmp_path / "d.csv"))
    assert np.allclose(one["mean"], other["mean"])
    assert not np.allclose(one["of_jets"], other["of_jets"], equal_nan=True)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"scores": []}, SettingsError, "'scores' is empty"),
        ({"orders": "none.csv"}, InputError, "none.csv"),
        ({"costs": "none.csv"}, InputError, "none.csv"),
    ],
)
def test_wrong_files_are_one_line_errors(
    change: dict[str, Any],
    error: type[Exception],
    message: str,
    evaluated: dict[str, Any],
    arms_folder: Path,
    tmp_path: Path,
) -> None:
    with pytest.raises(error, match=message) as raised:
        evaluate(
            arms_folder / "jets.h5",
            evaluated | change,
            MeasurementSettings(bootstraps=2),
            1,
            tmp_path / "m.csv",
            tmp_path / "d.csv",
        )
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_an_arm_of_reference_is_needed(splitting_folder: Path, tmp_path: Path) -> None:
    files = write_arms(tmp_path, splitting_folder, {"macaron": 0.7}, 1, 90)
    with pytest.raises(InputError, match="arm of reference 'standard'"):
        evaluate(
            tmp_path / "jets.h5", files, MeasurementSettings(bootstraps=2), 1, tmp_path / "m.csv", tmp_path / "d.csv"
        )


MODEL = {"title": "S", "network": {"kind": "transformer"}, "training": {"steps": 2}}
FLOW = {**MODEL, "network": {"kind": "particle_dynamics", "steps": 2}}
SETTINGS = {
    "splitting": {"systems": {"a": {"title": "a", "strength": 1.0, "steps": [2, 4], "exact_step": 0.5}}},
    "classes": {name: {"title": name, "dataset": f"prong{name}"} for name in ("1", "2")},
    "seeds": [1],
    "models": {"standard": MODEL},
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": {"standard": {**MODEL, "network": {"kind": "dense"}}}}, "kind transformer and particle_dynamics"),
        ({"comparison": {"reference": "macaron"}}, "no arm 'macaron'"),
        ({"refinement": {}}, "no model of kind particle_dynamics"),
        ({"models": {"standard": MODEL, "flow": FLOW}}, "models.flow: without refinement nothing is made of it"),
        ({"learning_rates": [0.1, 0.1]}, "twice"),
        ({"learning_curve": {"jets_per_class": [2]}}, "the study has none"),
        ({"splitting": {"systems": {}}}, "systems"),
    ],
)
def test_wrong_settings_are_refused(change: dict[str, Any], message: str) -> None:
    assert parse(MacaronSettings, SETTINGS).arms == ("standard",)
    with pytest.raises(SettingsError, match=message):
        parse(MacaronSettings, SETTINGS | change)
