"""The step that judges taggers: its tables against plain computations on the same scores."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tagging_files import TABLES, class_settings, scores_of, write_costs, write_scores

from cloudchamber.classification.evaluate import COSTS, TAGGING_COLUMNS, evaluate
from cloudchamber.classification.jets import combine_classes
from cloudchamber.classification.scores import read_scores, read_unseen_jets
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.observable_file import write_observables
from cloudchamber.settings.tagging_sample import TaggingEvaluationSettings
from cloudchamber.storage import sha256

NAMES = ("1", "2", "4b")
SETTINGS = TaggingEvaluationSettings(bootstraps=60, mass_bins=4, pt_bins=2)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Jets, scores of three taggers, and the tables made of them."""
    folder, rng = tmp_path_factory.mktemp("tagging"), np.random.default_rng(3)
    combine_classes(class_settings(folder, rng, NAMES, 2500), 1, folder / "jets.h5")
    jets = read_clouds(folder / "jets.h5")
    rows = jets.indices["test"]
    target = jets.label("class")[rows]
    scores: list[dict[str, Any]] = []
    for name, strength in (("blind", 0.0), ("good", 1.0), ("better", 1.6)):
        for seed in (1, 2):
            order = rng.permutation(len(rows))
            values = scores_of(rng, target, 3, strength)
            path = write_scores(folder / f"{name}{seed}.h5", rows[order], values[order], NAMES)
            scores.append({"name": name, "seed": seed, "path": path, "values": values})
    small = write_scores(folder / "small.h5", rows, scores_of(rng, target, 3, 0.5), NAMES)
    scores.append({"name": "good", "seed": 1, "jets_per_class": 20, "path": small})
    files = {"study": "s", "dataset": "d", "scores": scores}
    files["costs"] = write_costs(folder / "costs.csv", ["blind", "good", "better"])
    outputs = {name: folder / f"{name}.csv" for name in TABLES}
    evaluate(folder / "jets.h5", files, SETTINGS, 5, **outputs)
    tables = {name: pd.read_csv(path, dtype={"true": str}) for name, path in outputs.items()}
    return {"folder": folder, "jets": jets, "rows": rows, "target": target, "files": files, **tables}


def test_scores_of_one_training_under_two_seeds_are_refused(study: dict[str, Any], tmp_path: Path) -> None:
    first = study["files"]["scores"][0]
    files = {"study": "s", "dataset": "d", "scores": [first, {**first, "seed": 2}]}
    outputs = {name: tmp_path / f"{name}.csv" for name in TABLES}
    with pytest.raises(InputError, match=r"another training of 'blind' is that of .*blind1\.h5"):
        evaluate(study["folder"] / "jets.h5", files, SETTINGS, 5, **outputs)
    assert not list(tmp_path.iterdir())


def test_scores_that_stand_for_another_number_of_training_jets_are_refused(
    study: dict[str, Any], tmp_path: Path
) -> None:
    first = study["files"]["scores"][0]
    rows = study["rows"]
    even = np.full(len(rows), np.log(1 / 3))
    table = {"row": rows} | {f"log_p_{name}": even for name in NAMES}
    outputs = {name: tmp_path / f"{name}.csv" for name in TABLES}
    for trained, said in ((20, None), (20, 30), (None, 20)):
        write_observables(tmp_path / "scores.h5", table, {"jets_per_class": trained})
        entry = {"name": "mine", "seed": 1, "path": str(tmp_path / "scores.h5"), "jets_per_class": said}
        with pytest.raises(InputError, match=r"its tagger was trained with .*, here it stands for one with"):
            evaluate(study["folder"] / "jets.h5", {**study["files"], "scores": [first, entry]}, SETTINGS, 5, **outputs)
    assert not list(tmp_path.glob("*.csv"))


def _values(study: dict[str, Any], name: str, metric: str, feature: str | None = None) -> pd.DataFrame:
    table = study["metrics"]
    chosen = table[(table["model"] == name) & (table["metric"] == metric)]
    return chosen[chosen["feature"].isna() if feature is None else chosen["feature"] == feature]


def _plain_accuracy(study: dict[str, Any], values: np.ndarray, rows: np.ndarray | slice = slice(None)) -> float:
    target, weights = study["target"][rows], study["jets"].feature("weight")[study["rows"]][rows]
    right = values[rows].argmax(axis=1) == target
    return float(np.mean([np.average(right[target == k], weights=weights[target == k]) for k in range(3)]))


def test_columns_are_those_of_the_other_study_and_sizes(study):
    table = study["metrics"]
    assert list(table) == list(TAGGING_COLUMNS)
    assert set(table["study"]) == {"s"}
    assert set(table["dataset"]) == {"d"}
    assert set(table["n_reference"]) == {len(study["rows"])}


def test_accuracies_are_weighted_and_count_classes_alike(study):
    for entry in study["files"]["scores"][:-1]:
        found = _values(study, entry["name"], "accuracy").set_index("seed").loc[entry["seed"]]
        assert found["value"] == pytest.approx(_plain_accuracy(study, entry["values"]), rel=1e-9)
        assert found["floor"] == pytest.approx(1 / 3)
        assert found["n_training"] == len(study["jets"].indices["train"])
    blind = _values(study, "blind", "accuracy").iloc[0]
    assert blind["value"] == pytest.approx(1 / 3, abs=5 * 0.02)
    better = _values(study, "better", "accuracy").iloc[0]
    weights = study["jets"].feature("weight")[study["rows"]]
    effective = weights.sum() ** 2 / (weights**2).sum()
    assert better["uncertainty"] == pytest.approx(
        math.sqrt(better["value"] * (1 - better["value"]) / effective), rel=0.35
    )


def test_accuracy_in_bins_is_that_of_the_jets_inside(study):
    entry = study["files"]["scores"][2]
    mass = study["jets"].feature("jet_mass")[study["rows"]]
    table = _values(study, "good", "accuracy_in_bins", "jet_mass")
    table = table[table["seed"] == 1]
    np.testing.assert_allclose(table["low"], [300, 400, 500, 600])
    for _, row in table.iterrows():
        inside = np.flatnonzero((mass >= row["low"]) & (mass < row["high"]))
        assert row["value"] == pytest.approx(_plain_accuracy(study, entry["values"], inside), rel=1e-9)
        assert row["uncertainty"] > 0
    assert len(_values(study, "good", "accuracy_in_bins", "jet_pt")) == 2 * 2


def test_areas_and_rejections_by_counting_pairs(study):
    entry = study["files"]["scores"][2]
    target, weights = study["target"], study["jets"].feature("weight")[study["rows"]].astype(float)
    areas = []
    for position, name in enumerate(NAMES):
        score = entry["values"][:, position]
        signal = target == position
        balanced = weights / np.array([weights[target == k].sum() for k in range(3)])[target]
        above = score[signal][:, None] > score[~signal]
        pairs = balanced[signal][:, None] * balanced[~signal]
        areas.append((above * pairs).sum() / pairs.sum())
        assert _values(study, "good", "auc", name).iloc[0]["value"] == pytest.approx(areas[-1], rel=1e-9)
        rejection = _values(study, "good", "rejection", name).iloc[0]
        order = np.argsort(-score[signal])
        cut = score[signal][order][np.searchsorted(np.cumsum(balanced[signal][order]) / balanced[signal].sum(), 0.5)]
        kept = balanced[~signal][score[~signal] > cut].sum() / balanced[~signal].sum()
        assert rejection["value"] == pytest.approx(1 / kept, rel=0.02)
        assert rejection["floor"] == 2.0
    assert _values(study, "good", "auc").iloc[0]["value"] == pytest.approx(np.mean(areas), rel=1e-9)
    np.testing.assert_allclose(_values(study, "blind", "auc")["value"], 0.5, atol=0.05)


def test_calibrated_scores_have_an_error_near_the_floor(study):
    for name in ("good", "better"):
        table = _values(study, name, "calibration_error")
        assert (np.abs(table["value"] - table["floor"]) < 5 * table["floor_uncertainty"]).all()
    diagram = study["curves"].query("curve == 'reliability' and model == 'better' and seed == 1")
    assert diagram["share"].sum() == pytest.approx(1.0, rel=1e-9)
    gaps = (diagram["y"] - diagram["x"]).abs() * diagram["share"]
    assert gaps.sum() == pytest.approx(_values(study, "better", "calibration_error").iloc[0]["value"], rel=1e-6)


def test_confusion_rows_add_up_and_give_the_accuracy(study):
    table = study["confusion"].query("model == 'better' and seed == 2")
    square = table.pivot_table(index="true", columns="chosen", values="value")
    np.testing.assert_allclose(square.sum(axis=1), 1.0, rtol=1e-9)
    accuracy = _values(study, "better", "accuracy").set_index("seed").loc[2, "value"]
    assert np.trace(square) / 3 == pytest.approx(accuracy, rel=1e-9)
    assert (table["uncertainty"] > 0).all()


def test_the_curve_passes_through_the_rejection(study):
    curve = study["curves"].query("curve == 'roc' and model == 'better' and seed == 1 and `class` == '2'")
    half = curve[np.isclose(curve["x"], 0.5)].iloc[0]
    assert 1 / half["y"] == pytest.approx(_values(study, "better", "rejection", "2").iloc[0]["value"], rel=1e-9)
    assert curve["y"].is_monotonic_increasing


def test_learning_curve_holds_all_trainings(study):
    table = _values(study, "good", "learning_curve")
    assert sorted(table["n_training"]) == sorted([60, *[len(study["jets"].indices["train"])] * 2])
    assert len(_values(study, "good", "accuracy")) == 2


def test_significance_compares_each_pair_seed_by_seed(study):
    table = study["significance"]
    assert len(table) == 3 * 2
    assert table["jets_per_class"].isna().all()
    values = {(entry["name"], entry["seed"]): entry["values"] for entry in study["files"]["scores"][:-1]}
    for _, row in table.iterrows():
        first, second = (
            values[row[side], row["seed"]].argmax(axis=1) == study["target"] for side in ("model", "other")
        )
        assert row["only_model_right"] == (first & ~second).sum()
        assert row["only_other_right"] == (second & ~first).sum()
        expected = _plain_accuracy(study, values[row["model"], row["seed"]])
        expected -= _plain_accuracy(study, values[row["other"], row["seed"]])
        assert row["difference"] == pytest.approx(expected, abs=1e-9)
        assert max(row["p_mcnemar"], row["p_bootstrap"]) < 1e-3


def test_significance_of_the_learning_curve_compares_trainings_with_as_many_jets(study, tmp_path):
    values = {entry["name"]: entry["values"] for entry in study["files"]["scores"][:-1] if entry["seed"] == 2}
    parts = [
        {"name": name, "seed": seed, "jets_per_class": size, "path": str(study["folder"] / f"{name}{of}.h5")}
        for name, seed, size, of in (("good", 1, 20, 2), ("blind", 1, 20, 2), ("good", 1, 40, 2), ("blind", 2, 40, 2))
    ]
    files = {**study["files"], "scores": [*study["files"]["scores"][:-1], *parts]}
    outputs = {name: tmp_path / f"{name}.csv" for name in TABLES}
    evaluate(study["folder"] / "jets.h5", files, SETTINGS, 5, **outputs)
    table = pd.read_csv(outputs["significance"])
    assert len(table) == 3 * 2 + 1
    row = table.iloc[-1]
    assert (row["model"], row["other"], row["seed"], row["jets_per_class"]) == ("good", "blind", 1, 20)
    right = {name: scores.argmax(axis=1) == study["target"] for name, scores in values.items()}
    assert row["only_model_right"] == (right["good"] & ~right["blind"]).sum()
    expected = _plain_accuracy(study, values["good"]) - _plain_accuracy(study, values["blind"])
    assert row["difference"] == pytest.approx(expected, abs=1e-9)


def test_costs_become_metrics_once_per_model(study):
    for cost in COSTS:
        table = study["metrics"][study["metrics"]["metric"] == cost]
        assert list(table["model"]) == ["blind", "good", "better"]
        np.testing.assert_allclose(table["value"], [10, 100, 1000])
        assert set(table["seed"]) == {1}


def test_the_same_seed_gives_the_same_tables(study, tmp_path):
    outputs = {name: tmp_path / f"{name}.csv" for name in TABLES}
    evaluate(study["folder"] / "jets.h5", study["files"], SETTINGS, 5, **outputs)
    for name, path in outputs.items():
        assert path.read_bytes() == (study["folder"] / f"{name}.csv").read_bytes()


BROKEN = {
    "its .* jets are not the .* jets of the test part": lambda rows, values: (rows[1:], values[1:], NAMES),
    "no observable 'log_p_4b'": lambda rows, values: (rows, values[:, :2], NAMES[:2]),
    "probabilities of some jets do not add up": lambda rows, values: (rows, values - 0.1, NAMES),
}


@pytest.mark.parametrize("message", BROKEN)
def test_scores_that_do_not_fit_are_one_line_errors(study, message, tmp_path):
    write_scores(tmp_path / "scores.h5", *BROKEN[message](study["rows"], study["files"]["scores"][0]["values"]))
    jets = read_unseen_jets(study["folder"] / "jets.h5")
    with pytest.raises(InputError, match=rf"scores\.h5: .*{message}"):
        read_scores(tmp_path / "scores.h5", jets)


def test_scores_of_other_jets_with_the_same_rows_are_refused(study, tmp_path):
    source = study["folder"] / "jets.h5"
    rows, values = study["rows"], study["files"]["scores"][0]["values"]
    table = {"row": rows} | {f"log_p_{name}": column for name, column in zip(NAMES, values.T, strict=True)}
    for inputs, fits in (({"jets.h5": sha256(source)}, True), ({"jets.h5": "of another sample"}, False)):
        write_observables(tmp_path / "scores.h5", table, {"provenance": {"inputs": inputs}})
        if fits:
            read_scores(tmp_path / "scores.h5", read_unseen_jets(source), source)
            continue
        scores = [{"name": "a", "seed": 1, "path": str(tmp_path / "scores.h5")}]
        outputs = {name: tmp_path / f"{name}.csv" for name in TABLES}
        with pytest.raises(InputError, match=r"scores\.h5: was made from other jets than those of .*jets\.h5"):
            evaluate(source, {**study["files"], "scores": scores}, SETTINGS, 5, **outputs)


def test_unusable_inputs_are_one_line_errors(study, tmp_path):
    outputs = {name: tmp_path / f"{name}.csv" for name in TABLES}
    jets, files = study["folder"] / "jets.h5", study["files"]
    for change, message in (
        ({"scores": files["scores"][-1:]}, "no scores of a tagger that was trained with all jets"),
        ({"costs": str(tmp_path / "nothing.csv")}, r"nothing\.csv: cannot be read"),
        ({"costs": write_costs(tmp_path / "costs.csv", ["good"])}, r"costs\.csv: 0 rows of the model 'blind'"),
    ):
        with pytest.raises(InputError, match=message):
            evaluate(jets, {**files, **change}, SETTINGS, 5, **outputs)
        assert not outputs["metrics"].exists()
    with pytest.raises(InputError, match=r"1\.h5: .*not a file of jets of several classes|1\.h5: no part 'test'"):
        read_unseen_jets(Path(study["folder"] / "1.h5"))
